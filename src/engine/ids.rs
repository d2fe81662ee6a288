//! Names of members and listeners, as numbers.

/// Names a listener within its endpoint.
pub type ListenerId = u32;

/// Names one member for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(super) u32);

impl MemberId {
    /// Returns the bare number, for a side that can hold nothing else.
    pub fn as_u32(self) -> u32 {
        self.0
    }
}
