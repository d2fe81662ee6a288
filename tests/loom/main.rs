//! Two or three threads use the engine at once, under every interleaving that loom finds.
//!
//! Run with `cargo test --release --features loom --test loom`.
#![cfg(feature = "loom")]

mod affinity;
mod burst;
mod capacity;
mod engine;
mod following;
mod hold;
mod mailbox;
mod sharing;

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use parallel_event_bus::engine::mailbox::Wake;

/// Counts wakes that were sent and not taken yet.
#[derive(Clone)]
pub(crate) struct Waker(Arc<AtomicUsize>);

impl Waker {
    pub(crate) fn new() -> Self {
        Waker(Arc::new(AtomicUsize::new(0)))
    }

    /// Whether there was a wake; takes it.
    pub(crate) fn take(&self) -> bool {
        let wakes = self.0.load(Ordering::Acquire);
        if wakes > 0 {
            self.0.fetch_sub(1, Ordering::AcqRel);
        }
        wakes > 0
    }
}

impl Wake for Waker {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
