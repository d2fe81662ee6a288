//! Bridges of several processes over a link that loses, repeats, reorders and is cut, by a clock that the test turns.
#![cfg(not(feature = "loom"))]

#[cfg(feature = "nats")]
mod absence;
mod faults;
mod ledger;
mod made_up;
mod meeting;
mod net;
mod node;
#[cfg(all(feature = "cluster", windows))]
mod pipes;
#[cfg(feature = "cluster")]
mod sockets;
mod wire;
mod world;
