//! Everything that knows Node-API.
//!
//! * [`protocol`] is every number and layout that JavaScript knows, too.
//! * [`waker`] wakes a JS thread from any thread.
//! * [`thread`] is what is kept for each JS thread, from its first event to its end.
//! * [`lent`] is memory of JavaScript's that Rust reads and writes.
//! * [`burst`] is where JavaScript writes down the events of a burst.
//! * [`reader`] is how JavaScript reads what came for its thread.
//! * [`calls`] is what JavaScript calls, and [`hot`] how it calls what it calls for every event.
//! * [`copies`] finds the other copies of the package in the process.

mod burst;
mod calls;
mod copies;
mod hot;
mod lent;
mod protocol;
mod reader;
mod thread;
mod waker;
