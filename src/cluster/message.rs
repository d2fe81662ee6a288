//! Messages, as a link carries them: each is of one process.
//!
//! ```text
//! ┌─────┬───────┬───────┬──────┬──────┬──────┬───────┬────────────┐
//! │ PEB │ major │ minor │ kind │ from │ mine │ yours │    body    │
//! └─────┴───────┴───────┴──────┴──────┴──────┴───────┴────────────┘
//! ```
//!
//! `mine` and `yours` are the numbers of the session, as sender and receiver count; 0 for none. Up to `from` a message
//! of every major version is the same.

use std::sync::Arc;

use super::outgoing::Window;
use super::peer::PeerId;
use super::wire::{Reader, Writer};

/// Version of the protocol. Another major one is not understood.
pub const MAJOR: u8 = 1;
/// Version within the major one: receivers skip the additions that they do not know.
pub const MINOR: u8 = 0;
/// Version of the codec that payloads are in. The engine does not read them, but listeners must.
pub const CODEC: u32 = 1;

/// Bytes that a message has beside its frames, at most.
pub const OVERHEAD: usize = 80;

const MAGIC: &[u8; 3] = b"PEB";

// Kinds of messages.
const HELLO: u8 = 1;
const DATA: u8 = 2;
const BEAT: u8 = 3;
const BYE: u8 = 4;

/// A greeting. It has all that has to be known of a process before anything else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The receiver has to answer with its own.
    pub wants_answer: bool,
    /// The sender's version within the major one. It is in the head of each message.
    pub minor: u8,
    /// Version of the codec.
    pub codec: u32,
    /// Keeps deployments apart that share a link.
    pub space: Arc<str>,
    /// Name of the process, for people.
    pub name: Arc<str>,
    /// Channels that leave the process.
    pub channels: Vec<Arc<str>>,
    /// The most that may be unacknowledged, in either direction.
    pub window: Window,
    /// Bytes of the longest frame that it takes.
    pub longest: usize,
}

/// An acknowledgement of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the last message that came in order.
    pub ack: u64,
    /// Later ones have come, or were sent: those between have to be sent again.
    pub has_gap: bool,
}

/// The kind of a message, with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// A greeting.
    Hello(Hello),
    /// Frames, in a numbered message.
    Data {
        /// Its number.
        number: u64,
        /// Acknowledgement of the messages that the sender has got.
        receipt: Receipt,
        /// The frames.
        frames: &'a [u8],
    },
    /// A sign of life, and an acknowledgement.
    Beat {
        /// Number of the last message that was sent.
        last: u64,
        /// Acknowledgement of the messages that the sender has got.
        receipt: Receipt,
        /// Digest of the listeners that were told of up to that message; None while there is more to be sent.
        digest: Option<u64>,
    },
    /// The sender ends, and owes nothing.
    Bye,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its sender.
    pub from: PeerId,
    /// Number of the session, as the sender counts.
    pub mine: u64,
    /// Number of the session, as the receiver counts.
    pub yours: u64,
    /// Its kind and contents.
    pub body: Body<'a>,
}

/// Why a message is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is of another major version of the protocol.
    Major {
        /// Its sender.
        from: PeerId,
        /// Its version.
        major: u8,
    },
    /// It is no message, or of a kind that is not known.
    Nonsense,
}

impl Message<'_> {
    /// Writes the message.
    pub fn write(&self) -> Vec<u8> {
        let frames = if let Body::Data { frames, .. } = &self.body { frames.len() } else { 0 };
        let mut to = Writer(Vec::with_capacity(OVERHEAD + frames));
        to.0.extend_from_slice(MAGIC);
        to.byte(MAJOR);
        to.byte(MINOR);
        to.byte(match self.body {
            Body::Hello(_) => HELLO,
            Body::Data { .. } => DATA,
            Body::Beat { .. } => BEAT,
            Body::Bye => BYE,
        });
        to.0.extend_from_slice(self.from.bytes());
        to.number(self.mine);
        to.number(self.yours);
        match &self.body {
            Body::Hello(hello) => hello.write(&mut to),
            Body::Data { number, receipt, frames } => {
                to.number(*number);
                receipt.write(&mut to);
                to.0.extend_from_slice(frames);
            }
            Body::Beat { last, receipt, digest } => {
                to.number(*last);
                receipt.write(&mut to);
                to.byte(digest.is_some().into());
                to.number(digest.unwrap_or_default());
            }
            Body::Bye => {}
        }
        to.0
    }
}

impl<'a> Message<'a> {
    /// Returns the sender of a message of any version.
    pub fn sender(bytes: &[u8]) -> Option<PeerId> {
        let mut reader = Reader::new(bytes);
        let is_message = reader.take(MAGIC.len())? == MAGIC;
        reader.take(3)?;
        let from = PeerId::new(reader.take(PeerId::BYTES)?.try_into().ok()?);
        is_message.then_some(from)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be read.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Unread> {
        Self::read_any(bytes).unwrap_or(Err(Unread::Nonsense))
    }

    fn read_any(bytes: &'a [u8]) -> Option<Result<Self, Unread>> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let (major, minor, kind) = (reader.byte()?, reader.byte()?, reader.byte()?);
        let from = PeerId::new(reader.take(PeerId::BYTES)?.try_into().ok()?);
        if major != MAJOR {
            return Some(Err(Unread::Major { from, major }));
        }
        let (mine, yours) = (reader.number()?, reader.number()?);
        let body = match kind {
            HELLO => Body::Hello(Hello::read(&mut reader, minor)?),
            DATA => Body::Data {
                number: reader.number()?,
                receipt: Receipt::read(&mut reader)?,
                frames: reader.rest(),
            },
            BEAT => {
                let (last, receipt) = (reader.number()?, Receipt::read(&mut reader)?);
                let (has_digest, digest) = (reader.byte()? != 0, reader.number()?);
                Body::Beat { last, receipt, digest: has_digest.then_some(digest) }
            }
            BYE => Body::Bye,
            _ => return None,
        };
        Some(Ok(Message { from, mine, yours, body }))
    }
}

impl Hello {
    fn write(&self, to: &mut Writer) {
        to.byte(self.wants_answer.into());
        to.number(self.codec.into());
        to.text(&self.space);
        to.text(&self.name);
        to.number(self.channels.len() as u64);
        self.channels.iter().for_each(|channel| to.text(channel));
        to.number(self.window.messages as u64);
        to.number(self.window.bytes as u64);
        to.number(self.longest as u64);
    }

    fn read(from: &mut Reader<'_>, minor: u8) -> Option<Self> {
        Some(Hello {
            wants_answer: from.byte()? != 0,
            minor,
            codec: from.small()?,
            space: from.shared()?,
            name: from.shared()?,
            channels: from.list(Reader::shared)?,
            window: Window {
                messages: usize::try_from(from.number()?).ok()?,
                bytes: usize::try_from(from.number()?).ok()?,
            },
            longest: usize::try_from(from.number()?).ok()?,
        })
    }
}

impl Receipt {
    fn write(self, to: &mut Writer) {
        to.number(self.ack);
        to.byte(self.has_gap.into());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Receipt { ack: from.number()?, has_gap: from.byte()? != 0 })
    }
}
