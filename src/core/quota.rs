//! How much may wait for one member: a bound in messages and in bytes.
//!
//! A deposit takes its share before it is queued and gives it back when it is collected. Both
//! bounds are checked by whoever deposits, on any thread, without a lock. Messages and bytes are one
//! number, so that a deposit that finds no room has changed nothing, at no moment: whoever waits for
//! what is queued to become little is told by the collecting that made it so, and must not be
//! misled by a share that was taken only to be given back.

use super::sync::{AtomicU64, Ordering};

/// What may wait at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages; more than 16 777 215 are as many.
    pub messages: usize,
    /// Bytes of payload; more than a tebibyte are as many. One message may be larger, if nothing
    /// else waits.
    pub bytes: usize,
}

impl Default for Limits {
    /// 65 536 messages, 64 MiB.
    fn default() -> Self {
        Limits { messages: 65_536, bytes: 64 << 20 }
    }
}

/// What waits for one member, counted against its [`Limits`].
pub struct Quota {
    messages: u64,
    bytes: u64,
    /// What waits: messages in the upper 24 bits, bytes in the lower 40.
    waiting: AtomicU64,
}

const BYTE_BITS: u32 = 40;
const MOST_BYTES: u64 = (1 << BYTE_BITS) - 1;
const MOST_MESSAGES: u64 = u64::MAX >> BYTE_BITS;

impl Quota {
    /// Nothing waits yet.
    pub fn new(limits: Limits) -> Self {
        Quota {
            messages: MOST_MESSAGES.min(limits.messages as u64),
            bytes: MOST_BYTES.min(limits.bytes as u64),
            waiting: AtomicU64::new(0),
        }
    }

    /// Takes room for a message of `bytes`. False if there is none; nothing is taken then.
    #[must_use]
    pub fn take(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let more = |waiting| {
            let (messages, queued) = split(waiting);
            let fits = messages < self.messages
                && if messages == 0 {
                    bytes <= MOST_BYTES
                } else {
                    queued.saturating_add(bytes) <= self.bytes
                };
            fits.then(|| waiting + join(1, bytes))
        };
        self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// So many messages, of `bytes` in all, no longer wait.
    pub fn give_back(&self, messages: usize, bytes: usize) {
        self.waiting.fetch_sub(join(messages as u64, bytes as u64), Ordering::AcqRel);
    }

    /// How many messages wait.
    pub fn messages(&self) -> usize {
        split(self.waiting.load(Ordering::Acquire)).0 as usize
    }

    /// Whether more than half of either bound is used: emitters should pace themselves.
    pub fn is_high(&self) -> bool {
        self.uses(2)
    }

    /// Whether no more than a quarter of each bound is used: emitters may go on.
    pub fn is_low(&self) -> bool {
        !self.uses(4)
    }

    /// Whether more than one part in `parts` of either bound is used.
    fn uses(&self, parts: u64) -> bool {
        let (messages, bytes) = split(self.waiting.load(Ordering::Acquire));
        messages > self.messages / parts || bytes > self.bytes / parts
    }
}

fn join(messages: u64, bytes: u64) -> u64 {
    messages << BYTE_BITS | bytes
}

fn split(waiting: u64) -> (u64, u64) {
    (waiting >> BYTE_BITS, waiting & MOST_BYTES)
}
