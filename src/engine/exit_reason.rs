//! The reasons why threads have ended, as the threads themselves left them. To the engine a reason is bytes.
//!
//! A thread leaves its reason before its endpoint closes, so the reason is here before the news of the end. News
//! may be read late, or never, so the latest reasons are kept, and no more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number of threads with a reason that is kept. A reason is a kilobyte or two, and 64 KiB at most.
const MOST: usize = 256;

static REASONS: Mutex<VecDeque<(u32, Arc<[u8]>)>> = Mutex::new(VecDeque::new());

/// Leaves the reason of a thread that is about to end. It replaces an earlier one.
pub fn leave(thread: u32, reason: Arc<[u8]>) {
    let mut reasons = reasons();
    reasons.retain(|(of, _)| *of != thread);
    if reasons.len() == MOST {
        reasons.pop_front();
    }
    reasons.push_back((thread, reason));
}

/// Takes back the reason of a thread that does not end after all.
pub fn take_back(thread: u32) {
    reasons().retain(|(of, _)| *of != thread);
}

/// Returns the reason that a thread has left.
pub fn of(thread: u32) -> Option<Arc<[u8]>> {
    reasons().iter().find(|(of, _)| *of == thread).map(|(_, reason)| reason.clone())
}

fn reasons() -> MutexGuard<'static, VecDeque<(u32, Arc<[u8]>)>> {
    REASONS.lock().unwrap_or_else(PoisonError::into_inner)
}
