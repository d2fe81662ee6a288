//! Where JavaScript writes down the events of a burst: [`burst`] in memory that it has
//! lent. [`protocol`](super::protocol) says how they are laid out.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::protocol::{BURST_COUNT, BURST_FIRST, BURST_GENERATION, BURST_LONGEST, BURST_RECORD};
use crate::engine::channel::burst;
use crate::engine::payload::FEW;

// A record is short enough to be copied without a look whether there is memory.
const _: () = assert!(BURST_LONGEST <= FEW);

/// The burst of one thread.
pub type Burst = burst::Burst<Records>;

/// The records of a burst, as JavaScript writes them. See the [module](self).
#[derive(Default)]
pub struct Records {
    words: Memory<u32>,
    bytes: Memory<u8>,
}

/// Memory of JavaScript's.
struct Memory<T>(Option<NonNull<[T]>>);

// SAFETY: the memory is kept until it is taken back, in place, and any thread may use that of a
// SharedArrayBuffer. A counted record is not written while it is read, see `burst`.
unsafe impl<T> Send for Memory<T> {}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Memory(None)
    }
}

impl Records {
    /// Lends the words, in the place of others.
    ///
    /// # Safety
    ///
    /// They are memory of a SharedArrayBuffer, which is kept until others are lent, or these records are gone.
    /// Elsewhere the number of records is only written atomically, and the records and their bytes not before
    /// the number is 0.
    pub unsafe fn lend_words(&mut self, words: &[u32]) {
        self.words = Memory(Some(words.into()));
    }

    /// Lends the bytes, in the place of others.
    ///
    /// # Safety
    ///
    /// As for the words.
    pub unsafe fn lend_bytes(&mut self, bytes: &[u8]) {
        self.bytes = Memory(Some(bytes.into()));
    }

    fn word(&self, index: usize) -> Option<&AtomicU32> {
        let words = self.words.0.filter(|words| index < words.len())?;
        // SAFETY: it is within the words, which are lent; here they are only read and written atomically.
        Some(unsafe { AtomicU32::from_ptr(words.cast::<u32>().as_ptr().add(index)) })
    }
}

impl burst::Records for Records {
    fn count(&self) -> usize {
        let room =
            self.words.0.map_or(0, |words| words.len().saturating_sub(BURST_FIRST) / BURST_RECORD);
        self.word(BURST_COUNT).map_or(0, |count| room.min(count.load(Ordering::Acquire) as usize))
    }

    fn clear(&self) {
        if let Some(count) = self.word(BURST_COUNT) {
            // A lock orders this with other threads that flush, and the owner is on its own thread.
            count.store(0, Ordering::Relaxed);
        }
    }

    fn get(&self, index: usize) -> Option<(usize, &[u8])> {
        let at = BURST_FIRST + index * BURST_RECORD;
        let word = |offset| Some(self.word(at + offset)?.load(Ordering::Relaxed) as usize);
        let (route, start, end) = (word(0)?, word(1)?, word(2)?);
        let bytes = self.bytes.0.filter(|bytes| start <= end && end <= bytes.len())?;
        if end - start > BURST_LONGEST {
            return None;
        }
        // SAFETY: it is within the bytes, which are lent; and of a record that is counted nobody writes
        // the bytes before all are sent.
        let payload = unsafe {
            std::slice::from_raw_parts(bytes.cast::<u8>().as_ptr().add(start), end - start)
        };
        Some((route, payload))
    }

    fn invalidate(&self) {
        if let Some(changes) = self.word(BURST_GENERATION) {
            changes.fetch_add(1, Ordering::AcqRel);
        }
    }
}
