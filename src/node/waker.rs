//! Wakes a JS thread: the engine's [`Wake`] as a Node-API threadsafe function.
//!
//! The function carries nothing (payloads queued in it would leak when the environment ends); it
//! only makes the thread call its drain. It starts out unreferenced and is referenced while work
//! is queued, so that work keeps the process alive and an idle bus does not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Result, Status, check_status, sys};

use super::loop_time::LoopTime;
use crate::engine::mailbox::Wake;

/// Called with whether there are messages; no result, not `(error, …)` style, unreferenced at first.
type Drain = ThreadsafeFunction<(), (), bool, Status, false, true>;

pub struct Waker {
    drain: Drain,
    /// Set before the environment is torn down: spares calls into one that is ending. That the
    /// function is not freed during a call is napi-rs's lock (`aborted` of its handle).
    disconnected: AtomicBool,
    loop_time: LoopTime,
}

impl Waker {
    /// Returns a waker that calls `look` and then `drain` with the result of it, both on the current JS
    /// thread.
    pub fn new(
        drain: Function<'_, bool, ()>,
        look: impl Fn(Env) -> bool + 'static,
        loop_time: LoopTime,
    ) -> Result<Self> {
        let drain = drain
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(move |context| Ok(look(context.env)))?;
        Ok(Waker { drain, disconnected: AtomicBool::new(false), loop_time })
    }

    /// Keeps the event loop alive, or lets it end. JS thread only.
    pub fn set(&self, env: Env, hold: bool) -> Result<()> {
        if self.disconnected.load(Ordering::Acquire) {
            return Ok(());
        }
        // SAFETY: on the thread of `env`, where `disconnect` runs too, in a cleanup hook that comes
        // before the function's own: it has not been finalised. napi-rs has no safe form of these
        // calls that works through a shared reference.
        check_status!(unsafe {
            if hold {
                sys::napi_ref_threadsafe_function(env.raw(), self.drain.raw())
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), self.drain.raw())
            }
        })
    }

    /// Makes every later wake a no-op.
    pub fn disconnect(&self) {
        self.disconnected.store(true, Ordering::Release);
        self.loop_time.end();
    }
}

impl Wake for Waker {
    fn wake(&self) {
        if !self.disconnected.load(Ordering::Acquire) {
            // Any status but `Ok` means that the thread is ending; its cleanup hook closes the
            // mailbox, which is how everyone else learns of it.
            self.drain.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    fn idle(&self) -> Option<Duration> {
        self.loop_time.idle()
    }
}
