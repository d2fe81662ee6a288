//! The names of other processes and their threads, as short numbers: the engine has no more than a number for a thread.
//!
//! An error may be read long after a process is gone, so the latest names are kept, and no more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::peer::PeerId;

/// From this number on, threads are those of other processes.
pub const FIRST: u32 = 1 << 31;

/// Number of names that are kept.
const MOST: usize = 16_384;

/// A thread of another process, or the process itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The process.
    pub peer: PeerId,
    /// Name of the process, for people.
    pub name: Arc<str>,
    /// The thread, as its own process numbers it; None for the process.
    pub thread: Option<u32>,
}

struct Names {
    last: u32,
    by_number: BTreeMap<u32, Name>,
}

static NAMES: Mutex<Names> = Mutex::new(Names { last: FIRST, by_number: BTreeMap::new() });

/// Returns a new number for a name.
pub fn number(name: Name) -> u32 {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.last = names.last.checked_add(1).unwrap_or(FIRST);
    let number = names.last;
    names.by_number.insert(number, name);
    if names.by_number.len() > MOST {
        names.by_number.pop_first();
    }
    number
}

/// Returns the name of a number, if it was given not too long ago.
pub fn of(number: u32) -> Option<Name> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).by_number.get(&number).cloned()
}
