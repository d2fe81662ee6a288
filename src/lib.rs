//! The engine of `@cynic/parallel-event-bus`.
//!
//! * [`engine`] carries messages between the threads of a process and decides when each of them is
//!   woken. It knows nothing of Node: it is plain Rust, used and tested as such.
//! * [`cluster`] joins the engines of several processes.
//! * `node` joins it to JavaScript: one threadsafe function per JS thread, and the handful of
//!   functions that `lib/` calls.
//!
//! ARCHITECTURE.md follows an event through both, and through the JavaScript around them.

pub mod cluster;
pub mod engine;
mod node;
