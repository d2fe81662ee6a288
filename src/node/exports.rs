//! The functions that JavaScript calls. Free functions with integer handles: a method of a class
//! would take a process-wide lock per call. Each catches a panic and throws it as an error.

use napi::bindgen_prelude::Function;
use napi::{Env, Result};
use napi_derive::napi;

use super::thread;
use crate::core::metrics;

/// Registers this JS thread. `drain` is called, on it, after each `wake`; it must not throw.
/// Returns the handle to pass to `wake`.
#[napi(catch_unwind)]
pub fn attach(env: Env, drain: Function<'_, (), ()>) -> Result<u32> {
    thread::attach(env, drain)
}

/// Asks for one call of this thread's drain. Any number of calls before it starts ask for the same
/// one. The event loop stays alive until then.
#[napi(catch_unwind)]
pub fn wake(env: Env, thread: u32) -> Result<()> {
    thread::wake(env, thread)
}

/// Live objects and events of the whole process.
#[napi(object)]
pub struct Counters {
    /// JS threads that are attached now (more than there are, where versions of the library share one).
    pub threads: u32,
    /// Mailboxes that exist now.
    pub mailboxes: u32,
    /// Wakes sent since the process started.
    pub wakes: f64,
}

/// The engine's counts, for tests and for those who look for leaks.
#[napi(catch_unwind)]
pub fn counters() -> Counters {
    Counters {
        threads: u32::try_from(thread::attached()).unwrap_or(u32::MAX),
        mailboxes: u32::try_from(metrics::MAILBOXES.get()).unwrap_or(u32::MAX),
        wakes: metrics::WAKES.get() as f64,
    }
}

/// Panics, so that a test can see what becomes of a panic.
#[napi(catch_unwind)]
pub fn panic_for_test() -> Result<()> {
    panic!("a panic on purpose");
}
