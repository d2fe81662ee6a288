//! Everything that knows Node-API.
//!
//! * [`protocol`] is every number and layout that JavaScript knows, too.
//! * [`waker`] wakes a JS thread from any thread.
//! * [`thread`] is the state of each JS thread, from its first event to its end.
//! * [`lent`] is memory of JavaScript's that Rust reads and writes.
//! * [`parcels`] has the long parts of messages that JavaScript encodes, [`memory`] makes values of them for a reader.
//! * [`burst`] is where JavaScript writes down the events of a burst.
//! * [`reader`] is how JavaScript reads the messages for its thread.
//! * [`calls`] are the functions that JavaScript calls, and [`hot`] those for every event.
//! * [`loop_time`] is the time that a thread's event loop was idle.
//! * [`trace`] is the file that all threads write their trace to.
//! * [`copies`] finds the other copies of the package in the process.

mod burst;
mod calls;
mod copies;
mod hot;
mod lent;
mod loop_time;
mod memory;
mod parcels;
mod protocol;
mod reader;
mod thread;
mod trace;
mod waker;
