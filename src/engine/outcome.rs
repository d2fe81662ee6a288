//! The outcome of a dispatch, its failures, and how the emitter hears of them.

use std::sync::Arc;

use super::capacity::Bound;
use super::payload::Payload;

/// Why a delivery did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The listener failed, with an error in the encoding of its side.
    Threw(Vec<u8>),
    /// It had not settled after so many milliseconds.
    TimedOut(u32),
    /// There was no room for it among the unsettled events of the member. It was never queued.
    MailboxFull(Bound),
    /// There was no memory for it. It was never queued.
    NoMemory,
    /// The thread ended, or the task let go of it, before the listener had settled.
    ThreadExited,
    /// The process that it was for is gone.
    PeerGone(Started),
    /// It is larger than the way to another process takes, which is so many bytes.
    TooLarge(u64),
}

/// Whether listeners of another process were called, as far as is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Started {
    /// They were not: the event had not left.
    No,
    /// They were.
    Yes,
    /// Nobody knows.
    Unknown,
}

/// One or more listeners of one member that did not succeed, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which delivery of the dispatch, in the order in which members were addressed.
    pub recipient: u32,
    /// Which listener of that delivery, the first of `listeners`.
    pub index: u32,
    /// Number of listeners that this stands for.
    pub listeners: u32,
    /// The thread they were in.
    pub thread: u32,
    /// The reason.
    pub kind: FailureKind,
}

/// An event that did not get to the end of some listeners, or a number of events with this in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name; None for events of several names.
    pub event: Option<Arc<str>>,
    /// Its arguments, encoded; None where events are only counted, or there is no memory for them.
    pub payload: Option<Payload>,
    /// Why.
    pub kind: FailureKind,
    /// Number of losses that this stands for: of one event for one member each.
    pub count: u32,
    /// Number of listeners that were addressed.
    pub listeners: u32,
    /// The thread they are, or were, in; None for several.
    pub thread: Option<u32>,
    /// True if they were [started](super::delivery::Delivery::start): the event did reach them. False is no
    /// promise that it did not where starting [need not be said](super::delivery::Delivery::must_start).
    pub started: bool,
}

/// A loss when it happens: an event that did not get to the end of some listeners of one member.
pub struct Loss<'a> {
    /// Name of the event.
    pub event: &'a Arc<str>,
    /// The reason.
    pub kind: FailureKind,
    /// Number of listeners that were addressed.
    pub listeners: u32,
    /// Thread of the listeners.
    pub thread: u32,
    /// True if they were [started](super::delivery::Delivery::start).
    pub started: bool,
    /// Bytes of the payload.
    pub bytes: usize,
}

/// The results of the listeners that one dispatch addressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Number of listeners that succeeded.
    pub success: u32,
    /// The others, by member and listener.
    pub failures: Vec<Failure>,
    /// Reply of the listener of a request, in the encoding of its side.
    pub reply: Option<Payload>,
}

impl Outcome {
    /// Returns the number of listeners that did not succeed.
    pub fn failed(&self) -> u32 {
        self.failures.iter().map(|failure| failure.listeners).sum()
    }
}

/// The way in which the emitter hears of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Not at all; only of listeners that were not reached.
    None,
    /// By a message with this token.
    Message(u32),
    /// By a message with this token. Nobody awaits the outcome: failures are told as those of others.
    Settlement(u32),
    /// By a message for each [step](Step), at once.
    Each {
        /// Names the dispatch in these messages.
        token: u32,
        /// The emitter hears of each failure.
        awaited: bool,
    },
}

impl Report {
    /// Returns the token, if the emitter hears of each failure.
    pub fn token(self) -> Option<u32> {
        match self {
            Report::Message(token) | Report::Each { token, awaited: true } => Some(token),
            _ => None,
        }
    }
}

/// A step of a dispatch, where each is told of at once. Listeners are named by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The listeners are about to be called. Told only where a delivery has to be
    /// [started](super::delivery::Delivery::must_start).
    Started,
    /// It has succeeded, with its reply.
    Succeeded(u32, Option<Payload>),
    /// It has failed; true if it may have been called.
    Failed(u32, FailureKind, bool),
    /// It counts for nothing.
    Skipped(u32),
    /// Listeners that are running want to know when nobody waits for them any more.
    Followed,
}
