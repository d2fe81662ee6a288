//! Process-wide counts: what lives, and how often the expensive thing was done.
//!
//! They exist to be asserted: live counts must return to where they were when threads come and go,
//! and a count of wakes shows batching without a clock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Mailboxes that exist.
pub static MAILBOXES: Gauge = Gauge(AtomicU64::new(0));

/// Wakes asked of owners since the process started.
pub static WAKES: Counter = Counter(AtomicU64::new(0));

/// A number of things that exist now.
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more exists.
    pub fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One fewer exists.
    pub fn remove(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// How many exist.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number of things that happened.
pub struct Counter(AtomicU64);

impl Counter {
    /// It happened once more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// How often it happened.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
