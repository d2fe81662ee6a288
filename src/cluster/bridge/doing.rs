//! Inputs of a bridge, and its actions.

use super::super::frame::{Change, Frame};
use super::super::peer::PeerId;

/// Something that has happened.
pub enum Input {
    /// The link carries messages, from now on.
    Up,
    /// The link carries nothing any more.
    Down,
    /// A message has come.
    Heard(Vec<u8>),
    /// The link knows that a process has ended.
    Lost(PeerId),
    /// The members or listeners here have changed.
    Local(Change),
    /// A peer is to be told something. Nobody is if it is gone.
    Send(PeerId, Frame),
    /// This process ends, and owes nothing.
    Bye,
}

/// Receivers of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Every process.
    All,
    /// One process.
    Peer(PeerId),
}

/// Why a peer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has said goodbye.
    Left,
    /// Its connection has ended.
    Lost,
    /// It was not heard for too long.
    Silent,
    /// It has not heard this process for too long.
    Forgot,
    /// Its messages make no sense.
    Nonsense,
    /// The link was away for too long.
    Away,
}

/// Why a process is no peer, though it shares the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// Its protocol has this major version.
    Major(u8),
    /// Its codec has this version.
    Codec(u32),
}

/// Something that is to be done.
#[derive(Debug)]
pub enum Action {
    /// A message is to be sent. It may be lost.
    Transmit(To, Vec<u8>),
    /// A peer is there.
    Joined(PeerId),
    /// A peer is gone, with all that it owed.
    Gone(PeerId, Why),
    /// A peer has told something. Changes are in its [table](super::Peer::table) already.
    Received(PeerId, Frame),
    /// A process of another version is there; told once.
    Skewed(PeerId, Skew),
}
