//! Troubles of links, as short numbers: the engine carries no more than a number.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Number of troubles that are kept: those that were not read by then are old.
const MOST: usize = 1_024;

/// Numbers are smaller than this one: the bits above are not theirs.
const END: u32 = 1 << 30;

struct Troubles {
    last: u32,
    by_number: BTreeMap<u32, (&'static str, String)>,
}

static TROUBLES: Mutex<Troubles> = Mutex::new(Troubles { last: 0, by_number: BTreeMap::new() });

/// Returns a new number for a code and a reason. It is never 0.
pub fn number(code: &'static str, why: String) -> u32 {
    let mut troubles = TROUBLES.lock().unwrap_or_else(PoisonError::into_inner);
    troubles.last = if troubles.last + 1 < END { troubles.last + 1 } else { 1 };
    let number = troubles.last;
    troubles.by_number.insert(number, (code, why));
    if troubles.by_number.len() > MOST {
        troubles.by_number.pop_first();
    }
    number
}

/// Returns the code and the reason of a number, if it was given not too long ago.
pub fn of(number: u32) -> Option<(&'static str, String)> {
    TROUBLES.lock().unwrap_or_else(PoisonError::into_inner).by_number.get(&number).cloned()
}
