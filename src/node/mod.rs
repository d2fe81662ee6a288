//! Everything that knows Node-API.
//!
//! * [`doorbell`] wakes a JS thread from any thread.
//! * [`thread`] is what is kept for each JS thread, from its first event to its end.
//! * [`exports`] is what JavaScript calls.

mod doorbell;
mod exports;
mod thread;
