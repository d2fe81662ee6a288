//! Names of members, listeners and events, as numbers.

use std::sync::atomic::{AtomicU64, Ordering};

static LAST_EVENT: AtomicU64 = AtomicU64::new(0);

/// Names a listener within its endpoint.
pub type ListenerId = u32;

/// Names one member for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(super) u32);

impl MemberId {
    /// Returns the bare number, for a side that can hold nothing else.
    pub fn as_u32(self) -> u32 {
        self.0
    }
}

/// Returns a number that names one event for the life of the process. The first is 1.
pub fn next_event() -> u64 {
    LAST_EVENT.fetch_add(1, Ordering::Relaxed) + 1
}
