//! Listeners written in Rust: async functions on any executor, through the same door as JS threads.
//!
//! [`join`] returns a [`Bus`], by which listeners come and go and events are emitted, and a
//! [`Listening`], the future that calls the listeners; spawn it, or poll it beside other things. To
//! the engine it is one more member of the channel. A bridge to another machine is such a member too.
//!
//! # Events and errors
//!
//! The engine carries bytes and does not look into them. What JS threads emit is encoded by
//! `lib/codec`; members in Rust that only talk to each other may use any encoding. A listener
//! returns its answer, which matters where it was requested, or its error, which goes to whoever
//! waits for the outcome: one that must be seen in any case has to be told of by the listener itself.
//!
//! # Order and concurrency
//!
//! Listeners start in the order in which their events were emitted, by each emitter, and run
//! concurrently on the one task: those of all events at once, or of [`at_most`](Listening::at_most) a
//! number. Events that wait, and those whose listeners run, count against the limits, and more are refused.
//!
//! # Panics
//!
//! A listener that panics fails as [`Cause::Gone`](super::outcome::Cause::Gone), after the panic hook
//! has told of it. Nothing else is affected.
//!
//! # The end
//!
//! [`Bus::close`] leaves the channel, lets everything that had been emitted be dealt with, and ends
//! the future. Dropping the future before that is the death of the task: what it owed is gone, except
//! for what another of its group can take over.
//!
//! ```
//! use parallel_event_bus::core::emitter::Unanswered;
//! use parallel_event_bus::core::listener::{self, Event};
//! use parallel_event_bus::core::quota::Limits;
//! use parallel_event_bus::core::route::ListenerOptions;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // Two tasks that share the work of scoring, and one that wants to have something scored.
//! let scorers: Vec<_> = (1..=2)
//!     .map(|thread| {
//!         let (bus, listening) = listener::join(thread, "orders", Limits::default());
//!         let scorers = ListenerOptions { group: Some("scorers".into()), ..Default::default() };
//!         bus.on("score", scorers, |event: Event| async move {
//!             let text = std::str::from_utf8(event.payload()).map_err(|_| b"no text".to_vec())?;
//!             Ok(text.len().to_string().into_bytes())
//!         });
//!         tokio::spawn(listening.run());
//!         bus
//!     })
//!     .collect();
//!
//! let (bus, listening) = listener::join(3, "orders", Limits::default());
//! let listening = tokio::spawn(listening.run());
//! let outcome = bus.emit("score", b"order 4711").await;
//! assert_eq!((outcome.success, outcome.failed()), (1, 0), "one of the group got it");
//! assert_eq!(bus.request("score", b"order 4711").await.unwrap(), b"10");
//! assert!(matches!(bus.request("score", b"\xff").await, Err(Unanswered::Failed(_))));
//!
//! scorers.iter().for_each(listener::Bus::close);
//! assert_eq!(bus.request("score", b"").await, Err(Unanswered::NoListeners));
//! bus.close();
//! listening.await.unwrap();
//! # }
//! ```

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures::future::{BoxFuture, FutureExt};

use super::emitter::Emitter;
use super::endpoint::Letter;
pub use super::listening::Listening;
use super::member::{Member, Unlistened};
use super::payload::Payload;
use super::quota::Limits;
use super::receiver::Receiver;
use super::route::{ListenerId, ListenerOptions};
use super::sync::{Mutex, lock};

/// Joins a channel with a task of its own, which others know as `thread`. It has at most as many unsettled
/// events as `limits` says.
pub fn join(thread: u32, channel: &str, limits: Limits) -> (Bus, Listening) {
    let letters = Receiver::new(thread);
    let emitter = Emitter::join(letters.endpoint(), channel);
    let member = letters.endpoint().join(channel, limits);
    let shared = Shared {
        member,
        functions: Mutex::new(Some(HashMap::new())),
        last_id: AtomicU32::new(0),
        closing: AtomicBool::new(false),
    };
    let bus = Bus { shared: Arc::new(shared), emitter };
    (bus.clone(), Listening::new(letters, bus))
}

/// What a listener returns: an answer or an error, both encoded.
pub type Answered = Result<Vec<u8>, Vec<u8>>;

pub(super) type Function = dyn Fn(Event) -> BoxFuture<'static, Answered> + Send + Sync;

/// An event, as a listener gets it.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) name: Arc<str>,
    pub(super) payload: Payload,
    pub(super) is_request: bool,
}

impl Event {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its arguments, encoded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether what the listener returns is wanted.
    pub fn is_request(&self) -> bool {
        self.is_request
    }
}

/// A place in a channel that listens and [emits](Emitter). See the [module](self). A clone is the
/// same place.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
    emitter: Emitter,
}

struct Shared {
    member: Arc<Member>,
    /// None at the end: listeners may hold the bus, which holds them.
    functions: Mutex<Option<HashMap<ListenerId, Registered>>>,
    last_id: AtomicU32,
    closing: AtomicBool,
}

struct Registered {
    function: Arc<Function>,
    once: bool,
}

impl Bus {
    /// Calls `listener` with every event of this name that is emitted from now on, by anybody.
    pub fn on<F, R>(&self, event: &str, options: ListenerOptions, listener: F) -> ListenerId
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Answered> + Send + 'static,
    {
        let id = self.shared.last_id.fetch_add(1, Ordering::Relaxed);
        let function = Arc::new(move |event| listener(event).boxed());
        let registered = Registered { function, once: options.once };
        // Before the engine knows of it: a letter may come at once.
        if let Some(functions) = lock(&self.shared.functions).as_mut() {
            functions.insert(id, registered);
        }
        self.shared.member.listen(event, id, options);
        id
    }

    /// Removes a listener. It still gets what was emitted before.
    pub fn off(&self, listener: ListenerId) {
        let member = &self.shared.member;
        match member.unlisten(listener) {
            Unlistened::Waiting => {}
            Unlistened::Unused => self.forget(listener),
            Unlistened::Collected => {
                // Letters that were read and not dealt with yet may still be for it: what makes it
                // forgotten has to come behind them. A closed mailbox is that of a task at its end.
                let _ = member.endpoint().mailbox().post(Letter::Forget(listener));
            }
        }
    }

    /// Leaves the channel. What was emitted before is dealt with, and then [`Listening`] ends.
    pub fn close(&self) {
        self.shared.member.leave();
        self.emitter.member().leave();
        self.shared.closing.store(true, Ordering::Release);
        let _ = self.shared.member.endpoint().mailbox().nudge();
    }

    /// The member that listens.
    pub(super) fn place(&self) -> &Arc<Member> {
        &self.shared.member
    }

    pub(super) fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    /// The listeners of these ids, in their order. Those that hear one event only are taken.
    pub(super) fn take(&self, ids: &[ListenerId]) -> Vec<Option<Arc<Function>>> {
        let mut taken = Vec::new();
        let functions = {
            let mut functions = lock(&self.shared.functions);
            let mut take = |id: &ListenerId| {
                let functions = functions.as_mut()?;
                let registered = functions.get(id)?;
                if registered.once {
                    taken.push(*id);
                    return functions.remove(id).map(|registered| registered.function);
                }
                Some(registered.function.clone())
            };
            ids.iter().map(&mut take).collect()
        };
        for id in taken {
            // The event took it off its route; this takes it off the list of its member.
            let _ = self.shared.member.unlisten(id);
        }
        functions
    }

    pub(super) fn forget(&self, listener: ListenerId) {
        let forgotten = lock(&self.shared.functions).as_mut().and_then(|all| all.remove(&listener));
        // With no lock held: it drops what the listener captured.
        drop(forgotten);
    }

    /// Nothing calls the listeners any more.
    pub(super) fn ended(&self) {
        let functions = lock(&self.shared.functions).take();
        drop(functions);
        self.shared.member.endpoint().close();
        self.emitter.drained();
    }
}

/// A bus emits as its emitter does.
impl Deref for Bus {
    type Target = Emitter;

    fn deref(&self) -> &Emitter {
        &self.emitter
    }
}
