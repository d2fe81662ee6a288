//! Whatever two or three threads do at once to the engine, under every interleaving that loom finds.
//!
//! Run with `cargo test --release --features loom --test loom`.
#![cfg(feature = "loom")]

mod capacity;
mod engine;
mod hold;
mod mailbox;
mod unsent;

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use parallel_event_bus::core::mailbox::Wake;

/// Wakes that were sent and not answered yet.
#[derive(Clone)]
pub(crate) struct Bell(Arc<AtomicUsize>);

impl Bell {
    pub(crate) fn new() -> Self {
        Bell(Arc::new(AtomicUsize::new(0)))
    }

    /// Whether there was a wake; takes it.
    pub(crate) fn answer(&self) -> bool {
        let rung = self.0.load(Ordering::Acquire);
        if rung > 0 {
            self.0.fetch_sub(1, Ordering::AcqRel);
        }
        rung > 0
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
