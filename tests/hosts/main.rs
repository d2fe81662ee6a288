//! Two processes in one: each a host with channels of its own, joined by a link that the test carries.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod events;
mod following;
mod hostile;
mod keys;
mod limits;
mod pair;
mod tables;
