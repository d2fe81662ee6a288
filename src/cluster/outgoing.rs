//! Numbered messages for one peer, kept until it has acknowledged them.
//!
//! Frames are gathered into messages; a message is made at the end of a turn, or when it is full. No more than a
//! [`Window`] of messages is under way. The others wait here, and the host adds no events until there is
//! [room](Outgoing::has_room).

use std::collections::VecDeque;

use super::fragment;
use super::frame::Frame;

/// Bytes of frames after which a message is full.
const FULL: usize = 32 << 10;

/// The most that may be unacknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of messages.
    pub messages: usize,
    /// Bytes of messages.
    pub bytes: usize,
}

/// The messages for one peer. See the [module](self).
pub struct Outgoing {
    /// Frames of the message that is being made.
    open: Vec<u8>,
    /// Messages that were not acknowledged.
    kept: VecDeque<Vec<u8>>,
    /// Number of the first of them.
    first: u64,
    /// How many of them were sent.
    sent: usize,
    /// Bytes of all of them, and of those that were sent.
    bytes: usize,
    sent_bytes: usize,
    window: Window,
    /// Bytes that the link takes at once.
    most: usize,
}

impl Outgoing {
    /// Returns an empty one, for frames of so many bytes in a message.
    pub fn new(window: Window, most: usize) -> Self {
        Outgoing {
            open: Vec::new(),
            kept: VecDeque::new(),
            first: 1,
            sent: 0,
            bytes: 0,
            sent_bytes: 0,
            window,
            most,
        }
    }

    /// Narrows the window to that of the receiver. It always has room for one message.
    pub fn narrow(&mut self, to: Window) {
        self.window.messages = self.window.messages.min(to.messages).max(1);
        self.window.bytes = self.window.bytes.min(to.bytes).max(1);
    }

    /// Adds a frame.
    pub fn push(&mut self, frame: &Frame) {
        let (kind, body) = frame.encode();
        let size = body.len() + 12;
        if size > self.most {
            for part in fragment::split(kind, &body, self.most) {
                self.seal();
                self.open = part;
            }
            return;
        }
        if self.open.len() + size > self.most {
            self.seal();
        }
        super::frame::append(kind, &body, &mut self.open);
        if self.open.len() >= FULL {
            self.seal();
        }
    }

    /// Ends the message that is being made.
    pub fn seal(&mut self) {
        if !self.open.is_empty() {
            self.bytes += self.open.len();
            self.kept.push_back(std::mem::take(&mut self.open));
        }
    }

    /// Returns the next message to be sent, and its number, if the window allows it.
    pub fn send(&mut self) -> Option<(u64, &[u8])> {
        let next = self.kept.get(self.sent)?;
        let is_full = self.sent >= self.window.messages || self.sent_bytes >= self.window.bytes;
        if self.sent > 0 && is_full {
            return None;
        }
        self.sent += 1;
        self.sent_bytes += next.len();
        Some((self.last_sent(), next))
    }

    /// Drops messages up to this number. One that was not sent cannot have been acknowledged: such a number is made up.
    pub fn acknowledge(&mut self, number: u64) {
        while self.first <= number && number <= self.last_sent() {
            let bytes = self.kept.pop_front().map_or(0, |message| message.len());
            self.bytes -= bytes;
            self.sent_bytes -= bytes;
            self.first += 1;
            self.sent -= 1;
        }
    }

    /// Has all messages sent again that were not acknowledged.
    pub fn rewind(&mut self) {
        self.sent = 0;
        self.sent_bytes = 0;
    }

    /// Returns the number of the last message that was sent.
    pub fn last_sent(&self) -> u64 {
        self.first + self.sent as u64 - 1
    }

    /// Returns the number that the message with the last frame has, or will have.
    pub fn last(&self) -> u64 {
        self.first + self.kept.len() as u64 - u64::from(self.open.is_empty())
    }

    /// Returns the number of the last message that was acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.first - 1
    }

    /// Returns whether everything was sent.
    pub fn is_sent(&self) -> bool {
        self.open.is_empty() && self.sent == self.kept.len()
    }

    /// Returns whether everything was acknowledged.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.kept.is_empty()
    }

    /// Returns whether events may be added: the messages that are kept are within the window.
    pub fn has_room(&self) -> bool {
        self.kept.len() < self.window.messages && self.bytes + self.open.len() < self.window.bytes
    }

    /// Returns the bytes that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes + self.open.len()
    }
}
