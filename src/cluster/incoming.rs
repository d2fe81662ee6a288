//! Messages of one peer: each is read once, in order. One that comes too early is dropped, and told of as a gap, so
//! that it is sent again with those before it.

use super::Millis;
use super::fragment::Assembly;
use super::frame::{Frame, LAST_PART, PART};
use super::message::Receipt;
use super::wire::Reader;

/// Time after which a gap is told again. Messages that were sent again may have been lost, too.
const TELL_AGAIN: Millis = 250;

/// The messages of one peer. See the [module](self).
pub struct Incoming {
    /// Number of the next message.
    next: u64,
    assembly: Assembly,
    /// Number of a message that was sent and has not come.
    gap: Option<u64>,
    /// Since when the next message is missing.
    missing_since: Option<Millis>,
    /// When it was told of, or grew smaller since.
    told_at: Option<Millis>,
    /// The peer waits for an acknowledgement.
    must_tell: bool,
}

impl Incoming {
    /// Returns one for frames of so many bytes at most.
    pub fn new(longest: usize) -> Self {
        let assembly = Assembly::new(longest);
        Incoming {
            next: 1,
            assembly,
            gap: None,
            missing_since: None,
            told_at: None,
            must_tell: false,
        }
    }

    /// Takes a message, and returns its frames; none if it came before, or too early. None makes no sense.
    pub fn take(&mut self, now: Millis, number: u64, frames: &[u8]) -> Option<Vec<Frame>> {
        self.must_tell = true;
        if number != self.next {
            self.miss(now, self.gap.max(Some(number).filter(|number| *number > self.next)));
            return Some(Vec::new());
        }
        self.next += 1;
        self.missing_since = None;
        self.miss(now, self.gap.filter(|gap| *gap >= self.next));
        // To tell again while it is being filled would have the rest sent once more for each message.
        self.told_at = self.gap.map(|_| now);
        self.read(frames)
    }

    fn read(&mut self, frames: &[u8]) -> Option<Vec<Frame>> {
        let mut from = Reader::new(frames);
        let mut read = Vec::new();
        while !from.is_at_end() {
            let (kind, body) = (from.byte()?, from.bytes()?);
            match kind {
                PART => self.assembly.add(body)?,
                LAST_PART => {
                    let (kind, body) = self.assembly.end(body)?;
                    read.extend(Frame::read(kind, &body)?);
                }
                _ => read.extend(Frame::read(kind, body)?),
            }
        }
        Some(read)
    }

    /// Notes that the last message that was sent has this number. So no later one is missing, though one may have told so.
    pub fn sent(&mut self, now: Millis, last: u64) {
        self.miss(now, Some(last).filter(|last| *last >= self.next));
    }

    fn miss(&mut self, now: Millis, gap: Option<u64>) {
        self.gap = gap;
        self.missing_since = gap.map(|_| self.missing_since.unwrap_or(now));
    }

    /// Returns since when the next message is missing, though others have come.
    pub fn missing_since(&self) -> Option<Millis> {
        self.missing_since
    }

    /// Has the next message be missing since now, if it is: it could not have come before.
    pub fn forgive(&mut self, now: Millis) {
        self.missing_since = self.missing_since.map(|_| now);
    }

    /// Returns whether the peer is to be told now.
    pub fn must_tell(&self, now: Millis) -> bool {
        self.must_tell || self.must_tell_of_gap(now)
    }

    /// Returns whether everything has come that was sent up to this number.
    pub fn has_all(&self, number: u64) -> bool {
        self.next > number
    }

    fn must_tell_of_gap(&self, now: Millis) -> bool {
        self.gap.is_some() && self.told_at.is_none_or(|at| now >= at + TELL_AGAIN)
    }

    /// Returns the acknowledgement for the peer, and notes that it is told.
    pub fn receipt(&mut self, now: Millis) -> Receipt {
        self.must_tell = false;
        let has_gap = self.must_tell_of_gap(now);
        if has_gap {
            self.told_at = Some(now);
        }
        Receipt { ack: self.next - 1, has_gap }
    }
}
