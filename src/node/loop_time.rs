//! The time that an event loop of libuv's has been idle, for any thread to read.
//!
//! libuv counts it, and documents that it may be asked from any thread. Its function is looked up in the process: runtimes
//! with another event loop do not have it, or have one that only fails, so that JavaScript says whether there is libuv.

use std::ffi::{CStr, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use napi::{Env, Result, check_status, sys};

type IdleTime = unsafe extern "C" fn(*mut c_void) -> u64;

const NAME: &CStr = c"uv_metrics_idle_time";

static IDLE_TIME: LazyLock<Option<IdleTime>> = LazyLock::new(|| {
    let address = system::find(NAME);
    // SAFETY: the function of this name has this type in every libuv that has it.
    (!address.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, IdleTime>(address) })
});

/// The event loop of a thread, until it is [let go of](Self::end).
pub struct LoopTime(Mutex<Option<NonNull<c_void>>>);

// SAFETY: the loop is used by the function alone, which any thread may call, and under the lock, so not after its end.
unsafe impl Send for LoopTime {}
// SAFETY: as above.
unsafe impl Sync for LoopTime {}

impl LoopTime {
    /// Returns the one of the current thread. Where there is no libuv, it knows nothing.
    pub fn of(env: Env, has_libuv: bool) -> Result<Self> {
        let mut event_loop = null_mut();
        if has_libuv && IDLE_TIME.is_some() {
            // SAFETY: on the thread of `env`.
            check_status!(unsafe { sys::napi_get_uv_event_loop(env.raw(), &mut event_loop) })?;
        }
        Ok(LoopTime(Mutex::new(NonNull::new(event_loop.cast()))))
    }

    /// Returns one that knows nothing.
    #[cfg(feature = "cluster")]
    pub fn unknown() -> Self {
        LoopTime(Mutex::new(None))
    }

    /// Lets go of the loop, before it ends. On its thread.
    pub fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns for how long the loop has been idle since it began, up to now.
    pub fn idle(&self) -> Option<Duration> {
        let event_loop = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (event_loop, idle_time) = ((*event_loop)?, (*IDLE_TIME)?);
        // SAFETY: the loop has not ended, as long as the lock is held.
        Some(Duration::from_nanos(unsafe { idle_time(event_loop.as_ptr()) }))
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::{CStr, c_void};

    /// Returns the address of a symbol in the process; null where there is none.
    pub fn find(name: &CStr) -> *mut c_void {
        // SAFETY: the name ends with a zero.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::{CStr, c_char, c_void};
    use std::ptr::null;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleW(name: *const u16) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    /// Returns the address of a symbol in the program; null where there is none.
    pub fn find(name: &CStr) -> *mut c_void {
        // SAFETY: null is the program itself, which stays loaded; the name ends with a zero.
        unsafe { GetProcAddress(GetModuleHandleW(null()), name.as_ptr()) }
    }
}
