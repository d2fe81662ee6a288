//! The functions that JavaScript calls for its thread. Free functions with integer handles: a method
//! of a class would take a process-wide lock per call. Each catches a panic and throws it as an error.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ptr::{null, null_mut};
use std::sync::LazyLock;

use napi::bindgen_prelude::{Buffer, Function, Object, Uint8Array, Uint32Array};
use napi::{Env, JsValue, Result, check_status, sys};
use napi_derive::napi;

use crate::engine::{exit_reason, metrics};
use crate::node::hot::Passed;
use crate::node::lent::Lent;
use crate::node::{reader, thread};

/// Calls a function outside any async context: not in that of the caller, nor in another one.
#[napi(catch_unwind)]
pub fn call_outside(env: Env, work: Function<'_, (), ()>) -> Result<()> {
    let (object, mut result) = (Object::new(&env)?, null_mut());
    // SAFETY: on the thread of `env`; the values are of this call. Without an async context the resource of
    // the call is the object, and nobody has anything there.
    check_status!(unsafe {
        let (context, arguments) = (null_mut(), null());
        let (this, function) = (object.raw(), work.raw());
        sys::napi_make_callback(env.raw(), context, this, function, 0, arguments, &mut result)
    })
}

/// Registers this JS thread, which others name by `thread`. `drain` is called, on it, after each
/// wake, with whether there are messages to read; it must not throw. `has_libuv` says whether the event loop is one of libuv's. Returns the handle to pass to
/// the other functions.
#[napi(catch_unwind)]
pub fn attach(
    env: Env,
    drain: Function<'_, bool, ()>,
    thread: u32,
    has_libuv: Option<bool>,
) -> Result<u32> {
    thread::attach(env, drain, thread, has_libuv.unwrap_or_default())
}

/// The endpoint of this thread, as deliveries name it.
#[napi(catch_unwind)]
pub fn endpoint(thread: u32) -> Result<u32> {
    Ok(thread::find(thread)?.endpoint.id())
}

/// Asks for one call of this thread's drain. Any number of calls before it starts ask for the same
/// one. The event loop stays alive until then.
#[napi(catch_unwind)]
pub fn wake(env: Env, thread: u32) -> Result<()> {
    thread::find(thread)?.wake(env)
}

/// Lends the bytes in which the payloads of events and replies are that do not come with bytes of their own. As
/// all memory that is lent, they are a view of a SharedArrayBuffer.
#[napi(catch_unwind)]
pub fn lend(
    thread: u32,
    #[napi(ts_arg_type = "Uint8Array")] bytes: Lent<Uint8Array>,
) -> Result<()> {
    let thread = thread::find(thread)?;
    // SAFETY: they are kept below until others are lent, or the thread ends, and are in place until then.
    // JavaScript writes only behind the payloads of counted records.
    unsafe { thread.burst.flush_all().records().lend_bytes(&bytes) };
    *thread.lent.borrow_mut() = Some(bytes);
    Ok(())
}

/// Lends the words in which the events of a burst are written down, for good.
#[napi(catch_unwind)]
pub fn lend_records(
    thread: u32,
    #[napi(ts_arg_type = "Uint32Array")] words: Lent<Uint32Array>,
) -> Result<()> {
    let thread = thread::find(thread)?;
    // SAFETY: as for `lend`.
    unsafe { thread.burst.flush_all().records().lend_words(&words) };
    *thread.records.borrow_mut() = Some(words);
    Ok(())
}

/// `(thread, room, words)`: reads messages into the words, among them no more than about `room` events.
/// Returns how many words were written, or the negative number of words that are needed. If the first
/// word is 1 it has to be called again, soon: no wake will come until then.
pub fn read(env: Env, [thread, room]: [u32; 2], words: Option<Passed<'_>>) -> Result<i32> {
    let thread = thread::find(thread)?;
    let words = words.map_or(Ok(&mut [][..]), Passed::words)?;
    let size = reader::read(&thread, words, room);
    // After the look: as for a wake.
    thread.looked(env)?;
    Ok(size)
}

/// `(thread, words)`: reads messages with events of this thread for other buses of it, as `read`. No wake is
/// needed for them, nor is one taken back.
pub fn read_loopback(_env: Env, [thread]: [u32; 1], words: Option<Passed<'_>>) -> Result<i32> {
    let thread = thread::find(thread)?;
    let words = words.map_or(Ok(&mut [][..]), Passed::words)?;
    thread.burst.flush_all();
    Ok(reader::read_loopback(&thread, words))
}

/// Takes over events that other threads have not started, for listeners that are not among the `count` full ones. To be
/// called by a thread that has nothing else to do. Returns whether there are any to read.
#[napi(catch_unwind)]
pub fn steal(thread: u32, full: &[u32], count: u32) -> Result<bool> {
    let full = full.get(..count as usize).unwrap_or_default();
    Ok(thread::find(thread)?.steal(full))
}

/// Strips the next message of its payloads, because there is no memory for as many words as it needs.
#[napi(catch_unwind)]
pub fn strip(thread: u32) -> Result<()> {
    thread::find(thread)?.strips.set(true);
    Ok(())
}

/// Leaves the codebook that other threads need to read the payloads of this one from now on.
#[napi(catch_unwind)]
pub fn share_codebook(thread: u32, codebook: &[u8]) -> Result<()> {
    thread::find(thread)?.endpoint.share_codebook(codebook.into());
    Ok(())
}

/// Leaves the reason why this thread is about to end, for other threads. Takes it back without one.
#[napi(catch_unwind)]
pub fn set_exit_reason(thread: u32, reason: Option<&[u8]>) -> Result<()> {
    let thread = thread::find(thread)?.endpoint.thread();
    match reason {
        Some(reason) => exit_reason::leave(thread, reason.into()),
        None => exit_reason::take_back(thread),
    }
    Ok(())
}

/// Leaves the reason why another thread is about to be ended, for all threads. `of` is the id that others name it by.
#[napi(catch_unwind)]
pub fn leave_exit_reason(of: u32, reason: &[u8]) {
    exit_reason::leave(of, reason.into());
}

/// Returns the reason that a thread has left before its end. `thread` is the id that others name it by.
#[napi(catch_unwind)]
pub fn exit_reason(thread: u32) -> Option<Buffer> {
    exit_reason::of(thread).map(|reason| reason.to_vec().into())
}

/// Keeps the event loop alive until the same call with `false`.
#[napi(catch_unwind)]
pub fn keep_alive(env: Env, thread: u32, keep: bool) -> Result<()> {
    thread::find(thread)?.keep_alive(env, keep)
}

/// Live objects and events of the whole process.
#[napi(object)]
pub struct Counters {
    /// JS threads that are attached now (more than there are, where versions of the library share one).
    pub threads: u32,
    /// Mailboxes that exist now.
    pub mailboxes: u32,
    /// Members of channels that exist now.
    pub members: u32,
    /// Emissions to other members that exist now, with their payloads.
    pub dispatches: u32,
    /// Timers that are running now.
    pub timers: u32,
    /// Wakes sent since the process started.
    pub wakes: f64,
    /// Members, rows of listeners and routes that were looked at since then because some came, went or changed.
    pub visits: f64,
}

/// Returns the engine's counts, for tests and for the search for leaks.
#[napi(catch_unwind)]
pub fn counters() -> Counters {
    let count = |gauge: &metrics::Gauge| u32::try_from(gauge.get()).unwrap_or(u32::MAX);
    Counters {
        threads: u32::try_from(thread::attached()).unwrap_or(u32::MAX),
        mailboxes: count(&metrics::MAILBOXES),
        members: count(&metrics::MEMBERS),
        dispatches: count(&metrics::DISPATCHES),
        timers: count(&metrics::TIMERS),
        wakes: metrics::WAKES.get() as f64,
        visits: metrics::VISITS.get() as f64,
    }
}

/// Random, and the same for all threads of the process.
static SECRET: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());

/// Returns a text that only this library knows in this process. Its threads find each other by it.
#[napi(catch_unwind)]
pub fn secret() -> String {
    format!("{:016x}", *SECRET)
}

/// Returns the version that this was built from, which has to be that of the JavaScript around it.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Panics, so that a test can see how a panic ends.
#[napi(catch_unwind)]
pub fn panic_for_test() -> Result<()> {
    panic!("a panic on purpose");
}
