//! The room of one member: a bound, in events and in bytes, of the events that it has not dealt with.
//!
//! An event takes its share before it is queued and gives it back when it has settled, so that events
//! that a thread has read and is still working on are bounded, too. Any thread does either, without a
//! lock. Events and bytes are one number, so that an event that finds no room has changed nothing, at
//! no moment. And each change says which marks it has crossed: of several threads that change the number
//! at once, exactly one crosses a mark.

use super::sync::{AtomicU64, Ordering};

/// The most that may be unsettled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxLimits {
    /// Events; more than 16 777 215 are as many.
    pub max_messages: usize,
    /// Bytes of payload; more than a tebibyte are as many. One event may be larger, if it is alone.
    pub max_bytes: usize,
}

impl Default for MailboxLimits {
    /// Returns 65 536 events, 64 MiB.
    fn default() -> Self {
        MailboxLimits { max_messages: 65_536, max_bytes: 64 << 20 }
    }
}

/// The unsettled events of one member, counted against its [`MailboxLimits`]. Only events
/// that it [takes over](Self::take_over) exceed them.
pub struct Capacity {
    events: u64,
    bytes: u64,
    /// Events in the upper 24 bits, bytes in the lower 40.
    used: AtomicU64,
    /// The most events that there have been at once.
    most: AtomicU64,
}

/// A bound of a mailbox that an event would have exceeded, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Number of events.
    Messages(u64),
    /// Bytes of payload.
    Bytes(u64),
    /// Number of events that wait for the members of a group in all.
    Queue(u64),
}

/// The mark that a change has crossed. The high mark is at half of either bound, the low one at a quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossed {
    /// None that matters.
    Nothing,
    /// More than half is used now: emitters should pace themselves.
    IntoHigh,
    /// No more than half is used any more.
    OutOfHigh,
    /// No more than a quarter is used any more: emitters may go on.
    IntoLow,
}

/// For [`Capacity::uses`].
const HALF: u32 = 1;
const QUARTER: u32 = 2;

const BYTE_BITS: u32 = 40;
const MOST_BYTES: u64 = (1 << BYTE_BITS) - 1;
const MOST_EVENTS: u64 = u64::MAX >> BYTE_BITS;

impl Capacity {
    /// Returns a capacity of which nothing is used.
    pub fn new(limits: MailboxLimits) -> Self {
        Capacity {
            events: MOST_EVENTS.min(limits.max_messages as u64),
            bytes: MOST_BYTES.min(limits.max_bytes as u64),
            used: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }
    }

    /// Takes room for an event of `bytes`.
    ///
    /// # Errors
    ///
    /// The bound that leaves no room. Nothing is taken then.
    pub fn take(&self, bytes: usize) -> Result<Crossed, Bound> {
        self.take_within(bytes, self.events, self.bytes)
    }

    /// Takes room for an event that another mailbox had, which is gone. Beyond the own bounds there is room for as much
    /// as that one had room for: the event was accepted, and is not lost for want of room.
    ///
    /// # Errors
    ///
    /// The bound that leaves no room. Nothing is taken then.
    pub fn take_over(&self, bytes: usize, from: &Capacity) -> Result<Crossed, Bound> {
        let most_events = MOST_EVENTS.min(self.events + from.events);
        // One that was larger than its mailbox was alone there.
        let more_bytes = from.bytes.max(bytes as u64);
        self.take_within(bytes, most_events, MOST_BYTES.min(self.bytes.saturating_add(more_bytes)))
    }

    fn take_within(
        &self,
        bytes: usize,
        most_events: u64,
        most_bytes: u64,
    ) -> Result<Crossed, Bound> {
        let bytes = bytes as u64;
        let more = |used| {
            let (events, queued) = split(used);
            let fits = events < most_events
                && if events == 0 {
                    bytes <= MOST_BYTES
                } else {
                    queued.saturating_add(bytes) <= most_bytes
                };
            fits.then(|| used + join(1, bytes))
        };
        let before = self
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map_err(|used| self.exceeded(used))?;
        let events = split(before).0 + 1;
        // Read first, because writing is dear where many emit.
        if events > self.most.load(Ordering::Relaxed) {
            self.most.fetch_max(events, Ordering::Relaxed);
        }
        let became_high =
            !self.uses(HALF, before) && self.uses(HALF, before.wrapping_add(join(1, bytes)));
        Ok(if became_high { Crossed::IntoHigh } else { Crossed::Nothing })
    }

    /// Returns the bound that leaves no room.
    fn exceeded(&self, used: u64) -> Bound {
        if split(used).0 >= self.events {
            Bound::Messages(self.events)
        } else {
            Bound::Bytes(self.bytes)
        }
    }

    /// Gives back the room of so many events, of `bytes` in all.
    pub fn give_back(&self, events: usize, bytes: usize) -> Crossed {
        let share = join(events as u64, bytes as u64);
        let before = self.used.fetch_sub(share, Ordering::AcqRel);
        let after = before.wrapping_sub(share);
        if self.uses(QUARTER, before) && !self.uses(QUARTER, after) {
            Crossed::IntoLow
        } else if self.uses(HALF, before) && !self.uses(HALF, after) {
            Crossed::OutOfHigh
        } else {
            Crossed::Nothing
        }
    }

    /// Returns the most that may be unsettled.
    pub fn limits(&self) -> MailboxLimits {
        MailboxLimits { max_messages: self.events as usize, max_bytes: self.bytes as usize }
    }

    /// Returns the number of unsettled events.
    pub fn events(&self) -> usize {
        split(self.used.load(Ordering::Acquire)).0 as usize
    }

    /// Returns the number of bytes of unsettled events.
    pub fn bytes(&self) -> u64 {
        split(self.used.load(Ordering::Acquire)).1
    }

    /// Returns the most events that have been unsettled at once.
    pub fn most_events(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }

    /// Returns whether more than half of either bound is used.
    pub fn is_high(&self) -> bool {
        self.uses(HALF, self.used.load(Ordering::Acquire))
    }

    /// Returns whether [it would be high](Self::is_high) without so many of its events, of which each is taken
    /// to be as large as the average.
    pub fn is_high_without(&self, events: usize) -> bool {
        let (all, bytes) = split(self.used.load(Ordering::Acquire));
        let left = all.saturating_sub(events as u64);
        // The product of the two parts fits into the 64 bits that they share.
        self.uses(HALF, join(left, bytes * left / all.max(1)))
    }

    /// Returns whether more than a part of either bound is used. The part is how often it is halved: a division would
    /// cost as much as all the rest.
    fn uses(&self, part: u32, used: u64) -> bool {
        let (events, bytes) = split(used);
        events > self.events >> part || bytes > self.bytes >> part
    }
}

fn join(events: u64, bytes: u64) -> u64 {
    events << BYTE_BITS | bytes
}

fn split(used: u64) -> (u64, u64) {
    (used >> BYTE_BITS, used & MOST_BYTES)
}
