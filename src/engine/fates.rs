//! Numbers of listeners that events were addressed to, by what became of them.
//!
//! An emitter and the route of an event count alike: each listener once, when it settles. Counting takes no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::outcome::FailureKind;

/// What became of a listener of an event. A listener that was [skipped](super::delivery::Delivery::skip) has no fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It returned, or its promise was fulfilled.
    Delivered,
    /// It threw, or its promise was rejected.
    Failed,
    /// It had not settled in time.
    TimedOut,
    /// There was no room for the event, or no memory.
    Refused,
    /// Its thread, or its process, ended.
    Lost,
    /// The emitter cancelled the event before it started.
    Cancelled,
}

/// Number of fates.
pub const FATES: usize = 6;

/// Numbers of listeners, in the order of [`Fate`].
pub type Counts = [u64; FATES];

/// Numbers of listeners by fate. See the [module](self).
#[derive(Default)]
pub struct Fates([AtomicU64; FATES]);

impl Fates {
    /// Counts listeners.
    pub fn count(&self, fate: Fate, listeners: u32) {
        if listeners > 0 {
            self.0[fate as usize].fetch_add(listeners.into(), Relaxed);
        }
    }

    /// Returns the numbers.
    pub fn counts(&self) -> Counts {
        self.0.each_ref().map(|count| count.load(Relaxed))
    }
}

impl From<&FailureKind> for Fate {
    fn from(kind: &FailureKind) -> Self {
        match kind {
            FailureKind::Threw(_) => Fate::Failed,
            FailureKind::TimedOut(_) => Fate::TimedOut,
            FailureKind::MailboxFull(_) | FailureKind::NoMemory | FailureKind::TooLarge(_) => {
                Fate::Refused
            }
            FailureKind::ThreadExited | FailureKind::PeerGone(_) => Fate::Lost,
        }
    }
}
