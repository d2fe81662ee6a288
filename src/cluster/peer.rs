//! The name of a process that takes part.

use std::fmt;

/// Names one process from its start to its end, among all processes anywhere: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; PeerId::BYTES]);

impl PeerId {
    /// Number of its bytes.
    pub const BYTES: usize = 16;

    /// Returns the id with these bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        PeerId(bytes)
    }

    /// Returns its bytes.
    pub fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns the id that is [displayed](fmt::Display) so.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * Self::BYTES || !text.is_ascii() {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
        let mut bytes = [0; Self::BYTES];
        for (at, each) in bytes.iter_mut().enumerate() {
            *each = byte(at)?;
        }
        Some(PeerId(bytes))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
