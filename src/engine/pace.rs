//! When the reader of a mailbox looks, and when it sleeps.
//!
//! To be woken is dear: a wake crosses into an event loop, and a core that sleeps takes time to begin. So a reader that
//! has just found messages stays awake for a moment, and looks once a turn. But in a stream of untracked events a
//! reader that looks again and again finds a few each time, and takes time from the emitter: both want the lock and
//! the memory of the mailbox. So it lets a stream gather. Nor does it stay awake where that was in vain several times:
//! where the other one shares its core, say, and so cannot answer before it sleeps.
//!
//! Time and counts come in, a decision comes out.

use std::time::{Duration, Instant};

/// Time for which a reader stays awake after messages. About the cost of a wake, so that at the worst it
/// costs twice as much as the better choice would have (the competitive spinning of Karlin, Manasse, McGeoch
/// and Owicki, 1990).
const PATIENCE: Duration = Duration::from_micros(20);

/// Number of times in a row that patience was for nothing before there is none: who shares the core with whom it waits for
/// only keeps that from the core, and who waits for something slow is woken in any case.
const MOST_IN_VAIN: u8 = 3;
/// It has patience again, once, after so many times without.
const TRIES_EVERY: u8 = 64;

/// Time between two looks into a stream.
const PACE: Duration = Duration::from_micros(100);

/// Number of untracked events in one look that make a stream. Requests, and events that are awaited, make none.
const STREAM: usize = 16;

/// The pace of one reader. See the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Number of cores that readers share.
    cores: usize,
    /// Time of the last look that found messages.
    found_at: Option<Instant>,
    /// Number of untracked events in the last look.
    untracked: usize,
    /// True if the last look was one of a reader that stays awake.
    is_awake: bool,
    /// Number of times in a row that messages came when it was not awake any more.
    in_vain: u8,
}

/// The next step of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Looks once, after a sleep. The messages it finds tell whether it looks again.
    Once {
        /// Time to sleep before, so that others have the core.
        after: Duration,
    },
    /// Looks, and will look again in any case.
    Awake {
        /// True if it yields the core should it find nothing: the emitter that it waits for may share the core.
        yields: bool,
    },
    /// Does not look, but comes again soon.
    Later,
}

impl Pace {
    /// Returns the pace of a reader that has not looked yet.
    pub fn new(cores: usize) -> Self {
        Pace { cores, found_at: None, untracked: 0, is_awake: false, in_vain: 0 }
    }

    /// Returns the next step of a reader, one of so many `readers`. `has_unread` is true if it has messages
    /// that it collected before: then it does not sleep.
    pub fn next(&mut self, now: Instant, has_unread: bool, readers: usize) -> Look {
        let since = self.found_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let is_crowded = readers > self.cores;
        self.is_awake = false;
        if self.untracked < STREAM {
            self.is_awake = since < PATIENCE && self.in_vain < MOST_IN_VAIN;
            return if self.is_awake { Look::Awake { yields: is_crowded } } else { Look::ONCE };
        }
        let left = PACE.saturating_sub(since);
        if left.is_zero() {
            Look::ONCE
        } else if is_crowded && !has_unread {
            Look::Once { after: left }
        } else {
            Look::Later
        }
    }

    /// Notes a look that found messages, among them so many untracked events.
    pub fn found(&mut self, now: Instant, untracked: usize) {
        if self.is_awake {
            self.in_vain = 0;
        } else if self.found_at.is_some() && self.untracked < STREAM {
            self.in_vain += 1;
            if self.in_vain == MOST_IN_VAIN + TRIES_EVERY {
                self.in_vain = MOST_IN_VAIN - 1;
            }
        }
        self.found_at = Some(now);
        self.untracked = untracked;
    }

    /// Notes a look that found nothing.
    pub fn found_nothing(&mut self) {
        self.untracked = 0;
    }
}

impl Look {
    const ONCE: Look = Look::Once { after: Duration::ZERO };
}
