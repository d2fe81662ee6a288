//! A connection to one process: messages, each behind its length.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use super::system::{self, Stream};
use crate::cluster::message::OVERHEAD;
use crate::cluster::peer::PeerId;

/// Bytes of frames in one message, at most.
pub const MOST_FRAMES: usize = 256 << 10;

/// Bytes of a message, at most; a greeting may name many channels.
const MOST: usize = MOST_FRAMES + OVERHEAD + (64 << 10);

/// Bytes of a length.
const LENGTH: usize = 4;

/// Bytes that are read of one connection before others have their turn.
const MOST_READ: usize = 1 << 20;

const BUFFER: usize = 64 << 10;

/// Bytes that wait for a process that does not read. Messages beyond them are dropped, and sent again when it asks.
const MOST_UNWRITTEN: usize = 64 << 20;

/// How much was read.
pub enum Read {
    /// All that has come.
    All,
    /// A part of it.
    Some,
    /// The connection has ended.
    Ended,
}

/// A connection. See the [module](self).
pub struct Connection {
    stream: Stream,
    /// The entry that this process has connected to, if the other one has not.
    pub to: Option<PathBuf>,
    /// The process at the other end, once it is known.
    pub peer: Option<PeerId>,
    pub since: Instant,
    /// It cannot be written to. Bytes that have come may still be read, until the connection ends.
    is_broken: bool,
    read: Vec<u8>,
    unwritten: VecDeque<Vec<u8>>,
    /// Bytes of all of them.
    waiting: usize,
    /// Bytes of the first of them that were written.
    written: usize,
    /// The stream has taken bytes, and has not said yet that it is done.
    is_under_way: bool,
}

impl Connection {
    pub fn new(stream: Stream, to: Option<PathBuf>) -> Self {
        Connection {
            stream,
            to,
            peer: None,
            since: Instant::now(),
            is_broken: false,
            read: Vec::new(),
            unwritten: VecDeque::new(),
            waiting: 0,
            written: 0,
            is_under_way: false,
        }
    }

    pub fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Reads messages.
    pub fn read(&mut self, messages: &mut Vec<Vec<u8>>) -> Read {
        let mut buffer = [0; BUFFER];
        let mut read = 0;
        while read < MOST_READ {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Read::Ended,
                Ok(count) => {
                    read += count;
                    self.read.extend_from_slice(&buffer[..count]);
                    if self.take_messages(messages).is_none() {
                        return Read::Ended;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::All,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Read::Ended,
            }
        }
        Read::Some
    }

    /// Takes whole messages. None where a length makes no sense.
    fn take_messages(&mut self, messages: &mut Vec<Vec<u8>>) -> Option<()> {
        let mut rest = &self.read[..];
        while let Some((length, behind)) = rest.split_first_chunk::<LENGTH>() {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            if length > MOST {
                return None;
            }
            let Some((message, behind)) = behind.split_at_checked(length) else { break };
            messages.push(message.to_vec());
            rest = behind;
        }
        let taken = self.read.len() - rest.len();
        self.read.drain(..taken);
        Some(())
    }

    /// Sends a message as soon as there is room for it.
    pub fn send(&mut self, message: &[u8]) {
        let Ok(length) = u32::try_from(message.len()) else { return };
        if self.is_broken || self.waiting >= MOST_UNWRITTEN {
            return;
        }
        let was_empty = self.unwritten.is_empty();
        self.waiting += LENGTH + message.len();
        self.unwritten.push_back([&length.to_le_bytes(), message].concat());
        if was_empty {
            self.write();
        }
    }

    /// Goes on writing: the stream can take more.
    pub fn go_on(&mut self) {
        self.is_under_way = false;
        self.write();
    }

    /// Writes as much as there is room for.
    pub fn write(&mut self) {
        while let Some(first) = self.unwritten.front() {
            match self.stream.write(&first[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    self.is_under_way = system::WRITES_LATER;
                    if self.written == first.len() {
                        self.waiting -= first.len();
                        self.unwritten.pop_front();
                        self.written = 0;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.unwritten.clear();
                    self.is_broken = true;
                    return;
                }
            }
        }
    }

    /// Returns true if something waits to be written.
    pub fn is_writing(&self) -> bool {
        !self.is_broken && (self.is_under_way || !self.unwritten.is_empty())
    }
}
