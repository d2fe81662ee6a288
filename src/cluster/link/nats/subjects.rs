//! The subjects of a link: `peb1.SPACE.CHANNEL.all` for every process with that channel, and `….to.PEER` for one of
//! them.
//!
//! Names of events are not in subjects. So those may be anything, and permissions are given by channel.

use crate::cluster::bridge::Config;
use crate::cluster::message::MAJOR;
use crate::cluster::peer::PeerId;

/// Bytes of a name in a subject, at most. A longer one is hashed; greetings have the names themselves.
const LONGEST: usize = 96;

/// The subjects of one link.
#[derive(Clone)]
pub struct Subjects {
    me: PeerId,
    /// For each channel, the beginning of its subjects, with the dot after it.
    prefixes: Vec<String>,
}

/// The meaning of a subject.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// A channel, by its index.
    Channel(usize),
    /// The server tells that nobody hears this process.
    NobodyHears(PeerId),
}

impl Subjects {
    /// Returns the subjects of a link.
    pub fn new(config: &Config) -> Self {
        let space = token(&config.space);
        let prefix = |channel: &str| format!("peb{MAJOR}.{space}.{}.", token(channel));
        let prefixes = config.channels.iter().map(|channel| prefix(channel)).collect();
        Subjects { me: config.id, prefixes }
    }

    /// Returns the subjects that this process subscribes to.
    pub fn heard(&self) -> Vec<String> {
        let of = |at: usize| [self.all(at), self.to(at, self.me)];
        let channels = (0..self.prefixes.len()).flat_map(of);
        channels.chain([format!("{}.*", self.to(0, self.me))]).collect()
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.prefixes.len()
    }

    /// Returns the subject of every process with a channel.
    pub fn all(&self, channel: usize) -> String {
        format!("{}all", self.prefixes[channel])
    }

    /// Returns the subject of one process, by a channel that it has.
    pub fn to(&self, channel: usize, peer: PeerId) -> String {
        format!("{}to.{peer}", self.prefixes[channel])
    }

    /// Returns the subject where the server tells that nobody hears a process.
    pub fn absence(&self, peer: PeerId) -> String {
        format!("{}.{peer}", self.to(0, self.me))
    }

    /// Returns the place of a subject among those that are [heard](Self::heard).
    pub fn place(&self, subject: &str) -> Option<Place> {
        let has = |prefix: &String| subject.strip_prefix(prefix.as_str());
        let (at, rest) =
            self.prefixes.iter().enumerate().find_map(|(at, prefix)| Some((at, has(prefix)?)))?;
        match rest.strip_prefix("to.").and_then(|to| to.split_once('.')) {
            Some((_, peer)) => PeerId::parse(peer).map(Place::NobodyHears),
            None => Some(Place::Channel(at)),
        }
    }
}

/// Returns a name as one token of a subject.
fn token(name: &str) -> String {
    let mut token = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => token.push(byte.into()),
            _ => token += &format!("={byte:02X}"),
        }
    }
    if token.len() > LONGEST || token.is_empty() {
        return format!("=={:032x}", hash(name.as_bytes()));
    }
    token
}

/// FNV-1a with 128 bits. Names that are equal in it share subjects, and no events.
fn hash(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
