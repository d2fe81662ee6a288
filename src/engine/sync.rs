//! The locks and atomics of the engine: the standard library's, or loom's where they are
//! model-checked (`tests/loom`), so that the code that ships is the code that was checked.

#[cfg(feature = "loom")]
pub use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(feature = "loom"))]
pub use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use std::sync::PoisonError;

/// Locks, whether or not an earlier holder panicked. Every critical section of the engine leaves
/// its data whole at each step, so a poisoned lock guards nothing broken; refusing it for ever
/// would turn one caught panic into a bus that no longer wakes.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
