//! Process-wide counts: of live objects, and of the expensive events.
//!
//! They exist to be asserted: live counts must return to where they were when threads come and go,
//! and a count of wakes shows batching without a clock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Mailboxes that exist.
pub static MAILBOXES: Gauge = Gauge::zero();

/// Members of channels that exist.
pub static MEMBERS: Gauge = Gauge::zero();

/// Dispatches that exist: their payloads and outcomes with them.
pub static DISPATCHES: Gauge = Gauge::zero();

/// Timers that wait.
pub static TIMERS: Gauge = Gauge::zero();

/// Wakes asked of owners since the process started.
pub static WAKES: Counter = Counter(AtomicU64::new(0));

/// Members, rows of listeners, routes and waiting deliveries that were looked at one after the other because some
/// came, went or changed. However many there are, one that comes and goes is to cost a few.
pub static VISITS: Counter = Counter(AtomicU64::new(0));

/// A number of things that exist now.
pub struct Gauge(AtomicU64);

impl Gauge {
    const fn zero() -> Self {
        Gauge(AtomicU64::new(0))
    }

    /// Counts one more, for as long as the result lives.
    pub fn count(&'static self) -> Counted {
        self.0.fetch_add(1, Relaxed);
        Counted(self)
    }

    /// Returns how many exist.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One thing that exists; dropping it takes it off its [`Gauge`].
pub struct Counted(&'static Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// A number of things that happened.
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more time.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts so many more times.
    pub fn add(&self, times: usize) {
        self.0.fetch_add(times as u64, Relaxed);
    }

    /// Returns how often it happened.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
