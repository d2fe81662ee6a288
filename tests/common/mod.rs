//! Shared by the tests of the engine.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::take;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parallel_event_bus::engine::capacity::{Bound, MailboxLimits};
use parallel_event_bus::engine::channel::Batch;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::Dispatch;
use parallel_event_bus::engine::channel::InLine;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::{
    Dispatched, ListenerOptions, Own, Published, Route,
};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::mailbox::Wake;
use parallel_event_bus::engine::metrics;
use parallel_event_bus::engine::outcome::{FailureKind, Outcome, Report};
use parallel_event_bus::engine::payload::Content;

/// Counts its wakes.
#[derive(Clone, Default)]
pub struct Waker(Arc<AtomicUsize>);

impl Waker {
    pub fn wakes(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Wake for Waker {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// An endpoint that nobody wakes: the test looks by itself.
pub fn endpoint(thread: u32) -> Arc<Endpoint> {
    Endpoint::new(thread, Arc::new(Waker::default()))
}

/// The only member of an endpoint of its own.
pub fn member(thread: u32, channel: &str) -> Arc<Member> {
    endpoint(thread).join(channel, MailboxLimits::default())
}

/// As [`member`], for which no more than so many events wait.
pub fn small_member(thread: u32, channel: &str, events: usize) -> Arc<Member> {
    endpoint(thread).join(channel, MailboxLimits { max_messages: events, max_bytes: 1 << 20 })
}

pub fn plain() -> ListenerOptions {
    ListenerOptions::default()
}

pub fn once() -> ListenerOptions {
    ListenerOptions { once: true, ..plain() }
}

pub fn in_group(name: &str) -> ListenerOptions {
    ListenerOptions { group: Some(name.into()), ..plain() }
}

/// The result of an emission that a test awaits.
pub struct Emitted {
    pub others: u32,
    pub own: Vec<Own>,
    pub in_line: Vec<InLine>,
    pub dispatch: Option<Arc<Dispatch>>,
    emitter: Arc<Endpoint>,
    token: u32,
}

impl Emitted {
    /// The outcome, if it is there; taken.
    pub fn outcome(&mut self) -> Option<Outcome> {
        Collected::look(&self.emitter, |collected| collected.outcomes.remove(&self.token))
    }

    pub fn emitter(&self) -> &Endpoint {
        &self.emitter
    }

    /// The emitter's own listeners are done.
    pub fn end(self) {
        self.in_line.into_iter().for_each(InLine::end);
    }

    pub fn dispatch(&self) -> &Arc<Dispatch> {
        self.dispatch.as_ref().expect("it has listeners elsewhere")
    }
}

/// Publishes events with these payloads at once.
pub fn publish_all(route: &Arc<Route>, emitter: &Arc<Member>, payloads: &[&[u8]]) -> Published {
    let mut contents: Vec<_> = payloads.iter().map(|bytes| Content::Lent(bytes)).collect();
    route.publish_all(emitter, &mut contents)
}

/// Dispatches to all listeners, and awaits the outcome.
pub fn emit(emitter: &Arc<Member>, event: &str, payload: &[u8]) -> Emitted {
    emit_as(emitter, event, payload, |_| {})
}

/// Emits to one.
pub fn request(emitter: &Arc<Member>, event: &str, payload: &[u8]) -> Emitted {
    emit_as(emitter, event, payload, |emission| emission.request = true)
}

/// Emits as `change` says.
pub fn emit_as(
    emitter: &Arc<Member>,
    event: &str,
    payload: &[u8],
    change: impl FnOnce(&mut Emission<'_>),
) -> Emitted {
    let token = LAST_TOKEN.fetch_add(1, Ordering::Relaxed);
    let mut emission = Emission {
        payload: Some(Content::Lent(payload)),
        request: false,
        timeout: None,
        cancellable: false,
        key: None,
        report: Report::Message(token),
    };
    change(&mut emission);
    match emitter.channel().route(event).dispatch(emitter, emission) {
        Dispatched::To { others, own, in_line, dispatch, .. } => {
            Emitted { others, own, in_line, dispatch, emitter: emitter.endpoint().clone(), token }
        }
        _ => panic!("it came with a payload, and there is memory"),
    }
}

/// Tokens of [`emit`] begin here, so that a test has those before for itself.
const FIRST_TOKEN: u32 = 1 << 20;

static LAST_TOKEN: AtomicU32 = AtomicU32::new(FIRST_TOKEN);

/// The messages that were collected for an endpoint: outcomes of [`emit`], and all others.
#[derive(Default)]
struct Collected {
    outcomes: HashMap<u32, Outcome>,
    messages: Vec<Message>,
}

thread_local! {
    /// By endpoint.
    static COLLECTED: RefCell<HashMap<u32, Collected>> = RefCell::default();
}

impl Collected {
    /// Collects everything in the mailbox, and hands out all that was collected so far.
    fn look<T>(endpoint: &Endpoint, take: impl FnOnce(&mut Collected) -> T) -> T {
        let mut messages = Vec::new();
        while endpoint.collect(64, &mut messages) {}
        COLLECTED.with_borrow_mut(|collected| {
            let collected = collected.entry(endpoint.id()).or_default();
            for message in messages {
                match message {
                    Message::Notice(Notice::Settled {
                        token: token @ FIRST_TOKEN..,
                        outcome,
                        ..
                    }) => {
                        collected.outcomes.insert(token, outcome);
                    }
                    message => collected.messages.push(message),
                }
            }
            take(collected)
        })
    }
}

/// Everything in the mailbox, other than outcomes of [`emit`].
pub fn read(endpoint: &Endpoint) -> Vec<Message> {
    Collected::look(endpoint, |collected| take(&mut collected.messages))
}

/// The deliveries in the mailbox; other messages are dropped.
pub fn deliveries(endpoint: &Endpoint) -> Vec<Delivery> {
    let only =
        |message| if let Message::Delivery(delivery) = message { Some(delivery) } else { None };
    read(endpoint).into_iter().filter_map(only).collect()
}

/// The only delivery in the mailbox.
pub fn delivery(endpoint: &Endpoint) -> Delivery {
    let mut all = deliveries(endpoint);
    assert_eq!(all.len(), 1, "deliveries wait");
    all.remove(0)
}

/// The batches in the mailbox; other messages are dropped.
pub fn batches(endpoint: &Endpoint) -> Vec<Batch> {
    let only = |message| if let Message::Batch(batch) = message { Some(batch) } else { None };
    read(endpoint).into_iter().filter_map(only).collect()
}

/// Why an event is refused where no more than so many may wait.
pub fn full(events: u64) -> FailureKind {
    FailureKind::MailboxFull(Bound::Messages(events))
}

/// Returns the text of a message, for comparison and without payloads.
pub fn say(message: &Message) -> String {
    match message {
        Message::Delivery(delivery) => {
            format!("delivery {} {:?}", delivery.event(), delivery.listeners())
        }
        Message::Batch(batch) => format!("batch of {}", batch.len()),
        Message::Notice(Notice::Settled { token, .. }) => format!("settled {token}"),
        Message::Notice(Notice::Lost { lost, .. }) => {
            let event = lost.event.as_deref().unwrap_or("various");
            let times = if lost.count > 1 { format!(", {} times", lost.count) } else { "".into() };
            let kind = match &lost.kind {
                FailureKind::MailboxFull(Bound::Messages(most)) => format!("MailboxFull of {most}"),
                kind => format!("{kind:?}"),
            };
            format!("lost {event} {kind} × {}{times}", lost.listeners)
        }
        Message::Notice(Notice::Forget(id)) => format!("forget {id}"),
        Message::Notice(Notice::ThreadExit { thread, .. }) => format!("exit of {thread}"),
        Message::Notice(Notice::Step { token, step }) => format!("step of {token}: {step:?}"),
        Message::Notice(Notice::Cancelled(_)) => "cancelled".into(),
        Message::Notice(Notice::News { what, number, .. }) => format!("news {what} of {number}"),
        Message::Notice(Notice::Losses(_)) => panic!("it is for the endpoint, not for its owner"),
        Message::Notice(Notice::Stall(stall)) => {
            format!("stall of {}, {} wait", stall.thread, stall.waiting)
        }
        Message::Notice(Notice::Trace) => "trace".into(),
        Message::Notice(Notice::Drained(_)) => "drained".into(),
        Message::Notice(Notice::Listening(_)) => "listening".into(),
        Message::Notice(Notice::Over { token, kind }) => format!("over {token} {kind:?}"),
    }
}

/// Returns the texts of all messages in the mailbox; they are dropped.
pub fn said(endpoint: &Endpoint) -> Vec<String> {
    read(endpoint).iter().map(say).collect()
}

/// Runs one test of a file at a time: for those that look at the counts of the whole process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the live counts of the whole process.
pub fn living() -> [(&'static str, u64); 4] {
    [
        ("mailboxes", metrics::MAILBOXES.get()),
        ("members", metrics::MEMBERS.get()),
        ("dispatches", metrics::DISPATCHES.get()),
        ("timers", metrics::TIMERS.get()),
    ]
}

/// What lives is what did before. The thread of the timers may be about to let go of something.
pub fn is_as(before: [(&'static str, u64); 4]) {
    let end = Instant::now() + WATCHDOG;
    while living() != before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(living(), before);
}

/// Turns a hang into a failure; nothing else depends on it.
pub const WATCHDOG: Duration = Duration::from_secs(60);
