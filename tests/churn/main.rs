//! Many threads join, listen, emit, answer and die at once, and everything still adds up: each
//! outcome, each count, each order, and nothing hangs.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod lives;
mod order;

use std::sync::Arc;
use std::thread;

use common::WATCHDOG;
use futures::channel::oneshot;
use parallel_event_bus::core::dispatch::Emission;
use parallel_event_bus::core::endpoint::Endpoint;
use parallel_event_bus::core::mailbox::Wake;
use parallel_event_bus::core::member::Member;
use parallel_event_bus::core::outcome::{Outcome, Reply};
use parallel_event_bus::core::route::Sent;

/// Numbers without an end, the same in each run for one seed.
pub struct Dice(u64);

impl Dice {
    /// The next, below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Unparks the thread that owns an endpoint.
pub struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(&self) {
        self.0.unpark();
    }
}

/// An endpoint of this thread.
pub fn own_endpoint(number: u32) -> Arc<Endpoint> {
    Endpoint::new(number, Arc::new(Unpark(thread::current())))
}

/// Sleeps until woken; a wake that is lost is found by this as a hang.
pub fn sleep() {
    let before = std::time::Instant::now();
    thread::park_timeout(WATCHDOG);
    assert!(before.elapsed() < WATCHDOG, "a wake was lost");
}

/// How many listeners were addressed, and the outcome to come.
pub type Waiting = (u32, oneshot::Receiver<Outcome>);

/// Emits to everybody, or requests of one. Returns how many were addressed, and the outcome to come.
pub fn send(
    emitter: &Arc<Member>,
    event: &str,
    payload: &[u8],
    to_one: bool,
    timeout: bool,
) -> Option<Waiting> {
    let (sender, outcome) = oneshot::channel();
    let emission = Emission {
        payload: Some(payload),
        to_one,
        timeout: timeout.then_some(3_600_000),
        withdrawable: false,
        reply: Reply::Future(sender),
    };
    match emitter.channel().route(event).emit(emitter, emission) {
        Sent::To { others, own, dispatch } => {
            own.iter().filter(|own| own.chosen).for_each(|_| emitter.done(1));
            dispatch.map(|_| (others, outcome))
        }
        _ => unreachable!("it has one"),
    }
}

/// The outcome, which all threads that could settle it have left behind by now.
pub fn soon(mut outcome: oneshot::Receiver<Outcome>) -> Outcome {
    outcome.try_recv().expect("nobody gave it up").expect("it never settled")
}
