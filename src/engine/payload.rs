//! The payload of an event: the bytes that its emitter has encoded. They are as many as it likes, so there
//! may be no memory for a copy of them. That is no reason to end the process.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// So few bytes are allocated as everything else is: where there is no memory for them, nothing goes on. More are not
/// in the [records](super::channel::burst::Records) of a burst.
const FEW: usize = 1 << 14;

/// Bytes that many share.
#[derive(Clone)]
pub struct Payload(Bytes);

/// The standard library has no way to allocate an `Arc<[u8]>` that fails.
#[derive(Clone)]
enum Bytes {
    Few(Arc<[u8]>),
    Many(Arc<Vec<u8>>),
}

impl Payload {
    /// Returns a copy of bytes; None if there is no memory for it.
    pub fn copy(bytes: &[u8]) -> Option<Self> {
        if bytes.len() <= FEW {
            return Some(Payload(Bytes::Few(bytes.into())));
        }
        try_copy(bytes).map(Payload::from)
    }
}

/// Returns a copy of bytes that is not shared; None if there is no memory for it.
pub fn try_copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = try_with_capacity(bytes.len())?;
    copy.extend_from_slice(bytes);
    Some(copy)
}

pub(super) fn try_with_capacity(capacity: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(capacity).ok()?;
    Some(bytes)
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        let is_few = bytes.len() <= FEW;
        Payload(if is_few { Bytes::Few(bytes.into()) } else { Bytes::Many(Arc::new(bytes)) })
    }
}

impl Default for Payload {
    fn default() -> Self {
        Payload(Bytes::Few(Arc::default()))
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Few(bytes) => bytes,
            Bytes::Many(bytes) => bytes,
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
