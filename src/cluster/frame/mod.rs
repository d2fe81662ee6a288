//! Frames: all that one process tells another. Each is a kind, a length, and a body.
//!
//! Frames between two processes arrive once and in order. A kind that is not known is skipped, so that another minor
//! version may say more.

mod change;
mod event;

use super::payload;
use super::wire::{Reader, Writer};
use crate::engine::outcome::FailureKind;
use crate::engine::payload::Payload;
pub use change::{Added, Change, Joined};
pub use event::Event;

// Kinds of frames.
const JOINED: u8 = 1;
const LEFT: u8 = 2;
const ADDED: u8 = 3;
const REMOVED: u8 = 4;
const ENDED: u8 = 5;
const SYNCED: u8 = 6;
const CODEBOOK: u8 = 7;
const EVENT: u8 = 8;
const STARTED: u8 = 9;
const DONE: u8 = 10;
const REPLIED: u8 = 11;
const FAILED: u8 = 12;
const REFUSED: u8 = 13;
const SKIPPED: u8 = 14;
const CANCEL: u8 = 15;
const LOAD: u8 = 16;
const STALL: u8 = 17;
const UNHEARD: u8 = 20;
const EMPTIED: u8 = 21;
const FOLLOW: u8 = 22;
const OVER: u8 = 23;
const WAITS: u8 = 24;
/// A part of a frame that is too long for one message; the last one says so by its kind.
pub const PART: u8 = 18;
pub(super) const LAST_PART: u8 = 19;

/// A statement of one process to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The members or listeners of the sender have changed.
    Change(Change),
    /// All that the sender knew of its own listeners when the two met has been told.
    Synced,
    /// The codebook of an endpoint, from this byte on: earlier ones were told.
    Codebook {
        /// The endpoint.
        endpoint: u32,
        /// Number of bytes that were told before.
        from: u64,
        /// The bytes that follow those.
        bytes: Vec<u8>,
    },
    /// An event.
    Event(Event),
    /// Listeners of an event are about to be called.
    Started(u64),
    /// All listeners have succeeded, of so many events from one on.
    Done {
        /// The first event.
        first: u64,
        /// Number of events.
        count: u64,
    },
    /// A listener has succeeded, with its value if that is wanted.
    Replied {
        /// The event.
        id: u64,
        /// Index of the listener.
        index: u32,
        /// Its value.
        reply: Option<Payload>,
    },
    /// A listener has failed.
    Failed {
        /// The event.
        id: u64,
        /// Index of the listener.
        index: u32,
        /// The reason.
        kind: FailureKind,
        /// It may have been called.
        started: bool,
    },
    /// An event was not taken: none of its listeners was called, or will be.
    Refused {
        /// The event.
        id: u64,
        /// The reason.
        kind: FailureKind,
    },
    /// An event counts for nothing: all of its listeners were gone before it came.
    Unheard(u64),
    /// A listener counts for nothing: it was gone before the event came.
    Skipped {
        /// The event.
        id: u64,
        /// Index of the listener.
        index: u32,
    },
    /// Listeners of an event are not to be called if they were not yet.
    Cancel(u64),
    /// Listeners of an event that are running want to know when nobody waits for them any more.
    Follow(u64),
    /// Nobody waits any more for listeners that have [asked](Self::Follow).
    Over {
        /// The event.
        id: u64,
        /// The reason.
        kind: FailureKind,
    },
    /// Number of unsettled events of a member.
    Load {
        /// The member.
        member: u32,
        /// The number.
        in_flight: u32,
    },
    /// Number of times that a member has asked for room at others, and waits for it.
    Waits {
        /// The member.
        member: u32,
        /// The number.
        asked: u32,
    },
    /// A thread has not looked into its mailbox for a while.
    Stall {
        /// The thread.
        thread: u32,
        /// Number of messages that wait.
        waiting: u32,
        /// Milliseconds since its last look.
        ms: u32,
    },
}

impl Frame {
    /// Returns its kind and its body.
    pub fn encode(&self) -> (u8, Vec<u8>) {
        let mut body = Writer::default();
        let kind = self.write_body(&mut body);
        (kind, body.0)
    }

    fn write_body(&self, to: &mut Writer) -> u8 {
        match self {
            Frame::Change(change) => change.write(to),
            Frame::Synced => SYNCED,
            Frame::Codebook { endpoint, from, bytes } => {
                to.number((*endpoint).into());
                to.number(*from);
                to.bytes(bytes);
                CODEBOOK
            }
            Frame::Event(event) => {
                event.write(to);
                EVENT
            }
            Frame::Started(id) => write_numbers(STARTED, &[*id], to),
            Frame::Done { first, count } => write_numbers(DONE, &[*first, *count], to),
            Frame::Replied { id, index, reply } => {
                write_numbers(REPLIED, &[*id, (*index).into(), reply.is_some().into()], to);
                reply.iter().for_each(|reply| payload::write(reply, to));
                REPLIED
            }
            Frame::Failed { id, index, kind, started } => {
                write_numbers(FAILED, &[*id, (*index).into(), (*started).into()], to);
                payload::write_failure(kind, to);
                FAILED
            }
            Frame::Refused { id, kind } => {
                write_numbers(REFUSED, &[*id], to);
                payload::write_failure(kind, to);
                REFUSED
            }
            Frame::Unheard(id) => write_numbers(UNHEARD, &[*id], to),
            Frame::Skipped { id, index } => write_numbers(SKIPPED, &[*id, (*index).into()], to),
            Frame::Cancel(id) => write_numbers(CANCEL, &[*id], to),
            Frame::Follow(id) => write_numbers(FOLLOW, &[*id], to),
            Frame::Over { id, kind } => {
                write_numbers(OVER, &[*id], to);
                payload::write_failure(kind, to);
                OVER
            }
            Frame::Load { member, in_flight } => {
                write_numbers(LOAD, &[(*member).into(), (*in_flight).into()], to)
            }
            Frame::Waits { member, asked } => {
                write_numbers(WAITS, &[(*member).into(), (*asked).into()], to)
            }
            Frame::Stall { thread, waiting, ms } => {
                let numbers = [thread, waiting, ms].map(|number| u64::from(*number));
                write_numbers(STALL, &numbers, to)
            }
        }
    }

    /// Reads the body of a frame of this kind. `Some(None)` is a kind that is not known; None makes no sense.
    pub fn read(kind: u8, body: &[u8]) -> Option<Option<Self>> {
        let from = &mut Reader::new(body);
        Some(Some(match kind {
            JOINED | LEFT | ADDED | REMOVED | ENDED | EMPTIED => {
                Frame::Change(Change::read(kind, from)?)
            }
            SYNCED => Frame::Synced,
            CODEBOOK => Frame::Codebook {
                endpoint: from.small()?,
                from: from.number()?,
                bytes: from.bytes()?.to_vec(),
            },
            EVENT => Frame::Event(Event::read(from)?),
            STARTED => Frame::Started(from.number()?),
            DONE => Frame::Done { first: from.number()?, count: from.number()? },
            REPLIED => {
                let (id, index, has_reply) = (from.number()?, from.small()?, from.number()?);
                let reply = if has_reply == 0 { None } else { Some(payload::read(from)?) };
                Frame::Replied { id, index, reply }
            }
            FAILED => Frame::Failed {
                id: from.number()?,
                index: from.small()?,
                started: from.number()? != 0,
                kind: payload::read_failure(from)?,
            },
            REFUSED => Frame::Refused { id: from.number()?, kind: payload::read_failure(from)? },
            UNHEARD => Frame::Unheard(from.number()?),
            SKIPPED => Frame::Skipped { id: from.number()?, index: from.small()? },
            CANCEL => Frame::Cancel(from.number()?),
            FOLLOW => Frame::Follow(from.number()?),
            OVER => Frame::Over { id: from.number()?, kind: payload::read_failure(from)? },
            LOAD => Frame::Load { member: from.small()?, in_flight: from.small()? },
            WAITS => Frame::Waits { member: from.small()?, asked: from.small()? },
            STALL => {
                Frame::Stall { thread: from.small()?, waiting: from.small()?, ms: from.small()? }
            }
            _ => return Some(None),
        }))
    }
}

/// Appends a frame of this kind.
pub(super) fn append(kind: u8, body: &[u8], to: &mut Vec<u8>) {
    let mut writer = Writer(std::mem::take(to));
    writer.byte(kind);
    writer.bytes(body);
    *to = writer.0;
}

fn write_numbers(kind: u8, numbers: &[u64], to: &mut Writer) -> u8 {
    numbers.iter().for_each(|number| to.number(*number));
    kind
}
