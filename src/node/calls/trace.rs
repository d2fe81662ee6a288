//! The functions that JavaScript calls for a trace.

use napi::{Error, Result, Status};
use napi_derive::napi;

use crate::engine::channel;
use crate::node::trace;

/// Begins a trace of at most so many bytes, and tells all threads. Returns false if there is one already.
#[napi(catch_unwind)]
pub fn open_trace(path: String, most: f64) -> Result<bool> {
    let is_new = trace::open(&path, most as usize)
        .map_err(|error| Error::new(Status::GenericFailure, error.to_string()))?;
    if is_new {
        channel::tell_all_of_trace();
    }
    Ok(is_new)
}

/// Returns whether there is a trace.
#[napi(catch_unwind)]
pub fn is_tracing() -> bool {
    trace::is_open()
}

/// Begins to write to the trace, on this thread.
#[napi(catch_unwind)]
pub fn join_trace() {
    trace::join();
}

/// Writes no more. With the last thread the trace ends, at this time in microseconds.
#[napi(catch_unwind)]
pub fn leave_trace(now: f64) {
    trace::leave(now);
}

/// Writes so many events. Returns false if there is no trace any more.
#[napi(catch_unwind)]
pub fn write_trace(text: String, events: u32) -> bool {
    trace::write(&text, events)
}

/// Ends the trace, at this time in microseconds. Returns the number of events that were left out; none if it had ended.
#[napi(catch_unwind)]
pub fn close_trace(now: f64) -> Option<f64> {
    trace::close(now).map(|dropped| dropped as f64)
}
