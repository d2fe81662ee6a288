//! The engine: who takes part, what waits for whom, and when a thread is woken. No Node-API here.

pub mod mailbox;
pub mod metrics;
pub mod receiver;
pub mod registry;
mod sync;
