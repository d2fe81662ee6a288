//! The payload of an event: the bytes that its emitter has encoded, and long parts that lie apart from them. It may be as
//! long as the emitter likes, so there may be no memory for it. That is no reason to end the process.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::blocks::Block;

/// Number of bytes that are allocated as everything else is: where there is no memory for them, nothing goes on. A
/// record of a [burst](super::channel::burst::Records) has no more. More than these lie apart from other messages.
pub const FEW: usize = 1 << 14;

/// An encoded message that many share, with its [parts](Part).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload {
    bytes: Bytes,
    parts: Vec<Part>,
}

/// The standard library has no way to allocate an `Arc<[u8]>` that fails.
#[derive(Clone)]
enum Bytes {
    Few(Arc<[u8]>),
    Many(Arc<Block>),
}

/// Something long in a message that was copied into memory of its own: a receiver that has it alone may keep that.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Contents of a buffer.
    Bytes(Arc<Block>),
    /// Text of one byte for each character.
    Latin1(Arc<Block>),
    /// Text in UTF-16.
    Wide(Arc<Vec<u16>>),
}

/// A payload as an emitter hands it over.
pub enum Content<'a> {
    /// Bytes that are the emitter's until the call returns.
    Lent(&'a [u8]),
    /// Memory of the engine's, for all receivers.
    Kept(Payload),
}

impl Payload {
    /// Returns a copy of bytes; None if there is no memory for it.
    pub fn copy(bytes: &[u8]) -> Option<Self> {
        if bytes.len() <= FEW {
            return Some(Payload { bytes: Bytes::Few(bytes.into()), parts: Vec::new() });
        }
        Block::copy(bytes).map(Payload::from)
    }

    /// Returns the same bytes with these parts.
    #[must_use]
    pub fn with_parts(self, parts: Vec<Part>) -> Self {
        Payload { parts, ..self }
    }

    /// Returns the parts.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Takes the parts.
    pub fn take_parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// Takes the bytes as a part, if they are more than a few.
    pub fn take_bytes(&mut self) -> Option<Part> {
        match std::mem::take(&mut self.bytes) {
            Bytes::Few(_) => None,
            Bytes::Many(bytes) => Some(Part::Bytes(bytes)),
        }
    }

    /// Returns the number of bytes of all that is carried.
    pub fn size(&self) -> usize {
        self.len() + self.parts.iter().map(Part::size).sum::<usize>()
    }

    /// Returns whether it is too long to be copied to where messages are read.
    pub fn lies_apart(&self) -> bool {
        !self.parts.is_empty() || self.len() > FEW
    }
}

impl Part {
    fn size(&self) -> usize {
        match self {
            Part::Bytes(bytes) | Part::Latin1(bytes) => bytes.len(),
            Part::Wide(units) => 2 * units.len(),
        }
    }
}

impl<'a> Content<'a> {
    /// Returns the number of bytes of all that is carried.
    pub fn size(&self) -> usize {
        match self {
            Content::Lent(bytes) => bytes.len(),
            Content::Kept(payload) => payload.size(),
        }
    }

    /// Returns the same for one receiver. The last one is given the kept payload.
    pub fn hand_over(&mut self, gives: bool) -> Content<'a> {
        match self {
            Content::Lent(bytes) => Content::Lent(bytes),
            Content::Kept(payload) if gives => Content::Kept(std::mem::take(payload)),
            Content::Kept(payload) => Content::Kept(payload.clone()),
        }
    }

    /// Returns the payload itself, or a copy of lent bytes; None if there is no memory for that.
    pub fn into_payload(self) -> Option<Payload> {
        match self {
            Content::Lent(bytes) => Payload::copy(bytes),
            Content::Kept(payload) => Some(payload),
        }
    }

    /// Returns a payload of the same; None if there is no memory for it.
    pub fn share(&self) -> Option<Payload> {
        match self {
            Content::Lent(bytes) => Payload::copy(bytes),
            Content::Kept(payload) => Some(payload.clone()),
        }
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Content::Lent(bytes)
    }
}

/// Returns a copy of bytes of which nobody else needs one; None if there is no memory for it.
pub fn try_copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = try_with_capacity(bytes.len())?;
    copy.extend_from_slice(bytes);
    Some(copy)
}

/// Returns an empty vector with room for so many; None if there is no memory for it.
pub fn try_with_capacity<T>(capacity: usize) -> Option<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(capacity).ok()?;
    Some(items)
}

impl From<Block> for Payload {
    fn from(bytes: Block) -> Self {
        let is_few = bytes.len() <= FEW;
        let bytes =
            if is_few { Bytes::Few(bytes.as_slice().into()) } else { Bytes::Many(Arc::new(bytes)) };
        Payload { bytes, parts: Vec::new() }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Few(bytes) => bytes,
            Bytes::Many(bytes) => bytes,
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Bytes::Few(Arc::default())
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
