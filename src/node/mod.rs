//! Everything that knows Node-API.
//!
//! * [`waker`] wakes a JS thread from any thread.
//! * [`thread`] is what is kept for each JS thread, from its first event to its end.
//! * [`lent`] is memory of JavaScript's that Rust reads and writes.
//! * [`burst`] is where JavaScript writes down the events of a burst.
//! * [`protocol`] is every number that JavaScript knows, too.
//! * [`reader`] is how JavaScript reads what came for its thread.
//! * [`exports`], [`channels`], [`emissions`] and [`deliveries`] are what JavaScript calls.
//! * [`hot`] is how it calls those of them that are called for every event.
//! * [`copies`] finds the other copies of the package in the process.

mod burst;
mod channels;
mod copies;
mod deliveries;
mod emissions;
mod exports;
mod hot;
mod lent;
mod protocol;
mod reader;
mod thread;
mod waker;
