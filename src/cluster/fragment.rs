//! Frames that are too long for one message: sent in parts, and put together again.

use super::frame::{LAST_PART, PART, append};

/// Bytes that a part has beside its contents, at most: its kind, its length, and the kind of the frame.
const OVERHEAD: usize = 12;

/// Returns the parts of a frame, each a frame of so many bytes at most.
pub fn split(kind: u8, body: &[u8], most: usize) -> Vec<Vec<u8>> {
    let chunks = body.chunks(most.saturating_sub(OVERHEAD).max(1));
    let last = chunks.len().saturating_sub(1);
    let part = |(at, chunk): (usize, &[u8])| {
        let mut part = Vec::with_capacity(chunk.len() + OVERHEAD);
        if at < last {
            append(PART, chunk, &mut part);
        } else {
            append(LAST_PART, &[&[kind], chunk].concat(), &mut part);
        }
        part
    };
    chunks.enumerate().map(part).collect()
}

/// The parts of a frame that have come so far.
pub struct Assembly {
    bytes: Vec<u8>,
    most: usize,
}

impl Assembly {
    /// Returns one for frames of so many bytes at most.
    pub fn new(most: usize) -> Self {
        Assembly { bytes: Vec::new(), most }
    }

    /// Adds a part. None if the frame is too long.
    pub fn add(&mut self, part: &[u8]) -> Option<()> {
        if self.bytes.len() + part.len() > self.most {
            return None;
        }
        self.bytes.try_reserve(part.len()).ok()?;
        self.bytes.extend_from_slice(part);
        Some(())
    }

    /// Adds the last part, and takes the kind and the body of the whole frame.
    pub fn end(&mut self, last: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (kind, rest) = last.split_first()?;
        self.add(rest)?;
        Some((*kind, std::mem::take(&mut self.bytes)))
    }
}
