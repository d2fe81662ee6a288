//! Joins the engines of several processes: one channel, wherever its members are.
//!
//! The engine knows nothing of it. A [`Bridge`](bridge::Bridge) is a state machine: it takes inputs, and returns
//! actions. It opens no socket and reads no clock. So tests run it over a link that loses, repeats and reorders,
//! through hours of outage, in no time.
//!
//! From the bottom up:
//!
//! * [`wire`] has numbers, bytes and texts as they are written, [`payload`] the payloads and failures of the engine.
//! * [`frame`] has all that one process tells another, [`fragment`] those that are too long for one message.
//! * [`message`] has the messages that a link carries: frames in a row, greetings, beats.
//! * [`outgoing`] and [`incoming`] number messages, keep them until they are acknowledged, and tell of gaps; a
//!   [`session`] has one of each.
//! * [`table`] has the listeners in one process: this one, or a peer.
//! * [`bridge`] greets, notices deaths, and keeps the tables the same.
//! * [`host`] joins a bridge to the engine of this process; [`names`] are those of the others.
//! * `link` has the links that there are, and the thread that a host runs in; [`troubles`] are those of one.
//! * [`owed`] has the events that others have and have not settled.

pub mod bridge;
pub mod fragment;
pub mod frame;
pub mod host;
pub mod incoming;
#[cfg(feature = "cluster")]
pub mod link;
pub mod message;
pub mod names;
pub mod outgoing;
pub mod owed;
pub mod payload;
pub mod peer;
pub mod session;
pub mod table;
pub mod troubles;
pub mod wire;

/// Milliseconds since some moment, of a clock that never goes back.
pub type Millis = u64;
