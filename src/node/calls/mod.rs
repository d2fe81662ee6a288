//! The functions that JavaScript calls. Free functions with integer handles: a method of a class would take a
//! process-wide lock per call. Each catches a panic and throws it as an error.

pub mod deliver;
pub mod emit;
pub mod foreign;
#[cfg(feature = "cluster")]
pub mod link;
pub mod member;
pub mod metrics;
#[cfg(feature = "cluster")]
mod opening;
pub mod parcel;
pub mod thread;
pub mod trace;
