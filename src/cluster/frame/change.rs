//! Changes of the members and listeners in a process.

use std::sync::Arc;

use super::super::wire::{Reader, Writer};
use super::{ADDED, EMPTIED, ENDED, JOINED, LEFT, REMOVED, write_numbers};

// Flags of a listener.
const ONCE: u8 = 1;
const PREPEND: u8 = 2;
const TRACKED: u8 = 4;
const GROUPED: u8 = 8;

/// A change of the members of a channel, or of their listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A member has joined.
    Joined(Joined),
    /// A member has left, and listens to nothing any more.
    Left(u32),
    /// A listener was added.
    Added(Added),
    /// A listener was removed, or claimed by an event.
    Removed(u32),
    /// The thread of this endpoint has ended, and its members leave. All that it has emitted has settled.
    Ended(u32),
    /// The members of this endpoint have left, of a thread that goes on. All that it has emitted has settled.
    Emptied(u32),
}

/// A member of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Names the member within its process.
    pub member: u32,
    /// Names its endpoint within its process.
    pub endpoint: u32,
    /// The thread that the endpoint is of.
    pub thread: u32,
    /// Name of the channel.
    pub channel: Arc<str>,
    /// Number of events that may be unsettled.
    pub max_messages: u64,
    /// Bytes of events that may be unsettled.
    pub max_bytes: u64,
}

/// A listener of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Names the listener within its process, and no other one ever.
    pub listener: u32,
    /// Its member.
    pub member: u32,
    /// Name of the event.
    pub event: Arc<str>,
    /// For one event only.
    pub once: bool,
    /// Before the other listeners of its member.
    pub prepend: bool,
    /// It has a timeout of its own.
    pub tracked: bool,
    /// The group that it takes turns with.
    pub group: Option<Arc<str>>,
}

impl Change {
    /// Writes it. Returns the kind of its frame.
    pub(super) fn write(&self, to: &mut Writer) -> u8 {
        match self {
            Change::Joined(joined) => {
                let Joined { member, endpoint, thread, channel, max_messages, max_bytes } = joined;
                write_numbers(
                    JOINED,
                    &[(*member).into(), (*endpoint).into(), (*thread).into()],
                    to,
                );
                to.text(channel);
                write_numbers(JOINED, &[*max_messages, *max_bytes], to)
            }
            Change::Left(member) => write_numbers(LEFT, &[(*member).into()], to),
            Change::Added(added) => {
                let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
                let flags = flag(added.once, ONCE)
                    | flag(added.prepend, PREPEND)
                    | flag(added.tracked, TRACKED)
                    | flag(added.group.is_some(), GROUPED);
                write_numbers(
                    ADDED,
                    &[added.listener.into(), added.member.into(), flags.into()],
                    to,
                );
                to.text(&added.event);
                added.group.iter().for_each(|group| to.text(group));
                ADDED
            }
            Change::Removed(listener) => write_numbers(REMOVED, &[(*listener).into()], to),
            Change::Ended(endpoint) => write_numbers(ENDED, &[(*endpoint).into()], to),
            Change::Emptied(endpoint) => write_numbers(EMPTIED, &[(*endpoint).into()], to),
        }
    }

    /// Reads a change of this kind.
    pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<Self> {
        Some(match kind {
            JOINED => Change::Joined(Joined {
                member: from.small()?,
                endpoint: from.small()?,
                thread: from.small()?,
                channel: from.shared()?,
                max_messages: from.number()?,
                max_bytes: from.number()?,
            }),
            LEFT => Change::Left(from.small()?),
            ADDED => {
                let (listener, member, flags) = (from.small()?, from.small()?, from.byte()?);
                let event = from.shared()?;
                let group = if flags & GROUPED == 0 { None } else { Some(from.shared()?) };
                let [once, prepend, tracked] =
                    [ONCE, PREPEND, TRACKED].map(|flag| flags & flag != 0);
                Change::Added(Added { listener, member, event, once, prepend, tracked, group })
            }
            REMOVED => Change::Removed(from.small()?),
            ENDED => Change::Ended(from.small()?),
            _ => Change::Emptied(from.small()?),
        })
    }
}
