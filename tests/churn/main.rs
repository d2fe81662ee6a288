//! Many threads join, listen, emit, reply and die at once, and everything still adds up: each
//! outcome, each count, each order, and nothing hangs.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod lives;
mod order;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use common::WATCHDOG;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::Dispatched;
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::mailbox::Wake;
use parallel_event_bus::engine::outcome::{Outcome, Report};
use parallel_event_bus::engine::payload::Content;

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

/// Dispatches of one endpoint with outcomes that are awaited.
#[derive(Default)]
pub struct Awaited {
    last_token: u32,
    /// How many listeners were addressed, by token.
    listeners: HashMap<u32, u32>,
}

impl Awaited {
    /// Emits to everybody, or requests of one.
    pub fn send(
        &mut self,
        emitter: &Arc<Member>,
        event: &str,
        payload: &[u8],
        request: bool,
        timeout: bool,
    ) {
        self.last_token += 1;
        let emission = Emission {
            payload: Some(Content::Lent(payload)),
            request,
            timeout: timeout.then_some(3_600_000),
            cancellable: false,
            key: None,
            report: Report::Message(self.last_token),
        };
        let Dispatched::To { others, own, dispatch, .. } =
            emitter.channel().route(event).dispatch(emitter, emission)
        else {
            unreachable!("it has a payload")
        };
        own.iter().filter(|own| own.chosen).for_each(|_| emitter.done(1));
        if dispatch.is_some() {
            self.listeners.insert(self.last_token, others);
        }
    }

    /// Takes the outcome out of a message, if it is one, and checks that it adds up.
    pub fn settle(&mut self, message: Message) -> Option<Outcome> {
        let Message::Notice(Notice::Settled { token, outcome, .. }) = message else { return None };
        let listeners = self.listeners.remove(&token).expect("it settles once");
        assert_eq!(outcome.success + outcome.failed(), listeners);
        Some(outcome)
    }

    /// Whether every outcome has come.
    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }
}
