//! Events that nobody waits for, many in one letter.
//!
//! A burst of `emit`s from one member to another is one packet: while it waits at the end of the
//! mailbox, further events are written into it, so that an event costs neither an allocation nor a
//! letter of its own. Events that somebody waits for, that may be taken back, that have a limit, or
//! that one of several members gets, are [dispatches](super::dispatch) instead.
//!
//! Every event of a packet settles once: acknowledged by its receiver, or gone with it. A packet that
//! is dropped settles what nobody acknowledged, and tells the emitter of each.

use std::sync::Arc;

use super::member::Member;
use super::outcome::{Cause, Lost};
use super::route::{ListenerId, Route};

/// A packet takes no more events beyond this many.
const MOST_EVENTS: usize = 512;

/// Nor beyond this many words of them, other than one event alone.
const MOST_WORDS: usize = 8_192;

/// Room for a short burst, so that a packet seldom grows.
const FIRST_EVENTS: usize = 32;

/// Events of one member for another. See the [module](self).
///
/// # Words
///
/// For each event, in 32-bit words: the number of its listeners, their ids, the number of bytes of
/// its payload, and these, padded to whole words.
pub struct Packet {
    emitter: Arc<Member>,
    member: Arc<Member>,
    words: Vec<u32>,
    events: Vec<Event>,
    /// Of which route the events are, from which one on.
    routes: Vec<(usize, Arc<Route>)>,
    /// Bytes of payload, in all events.
    bytes: usize,
    unsettled: usize,
    /// It takes room in its member's mailbox.
    waits: bool,
}

struct Event {
    /// Where its words begin.
    at: usize,
    settled: bool,
}

impl Packet {
    /// A packet without events.
    pub(super) fn new(emitter: &Arc<Member>, member: &Arc<Member>) -> Self {
        Packet {
            emitter: emitter.clone(),
            member: member.clone(),
            words: pool::take(),
            events: Vec::with_capacity(FIRST_EVENTS),
            routes: Vec::new(),
            bytes: 0,
            unsettled: 0,
            waits: true,
        }
    }

    /// Whether an event with a payload of so many bytes may be added.
    pub(super) fn takes(&self, emitter: &Arc<Member>, member: &Arc<Member>, bytes: usize) -> bool {
        Arc::ptr_eq(&self.emitter, emitter)
            && Arc::ptr_eq(&self.member, member)
            && self.events.len() < MOST_EVENTS
            && self.words.len() + bytes / 4 < MOST_WORDS
    }

    /// Adds an event. The caller has taken the room for it.
    pub(super) fn add(&mut self, route: &Arc<Route>, listeners: &[ListenerId], payload: &[u8]) {
        if !self.routes.last().is_some_and(|(_, last)| Arc::ptr_eq(last, route)) {
            self.routes.push((self.events.len(), route.clone()));
        }
        self.events.push(Event { at: self.words.len(), settled: false });
        self.bytes += payload.len();
        self.unsettled += 1;
        self.words.push(word(listeners.len()));
        self.words.extend_from_slice(listeners);
        self.words.push(word(payload.len()));
        self.words.extend(words_of(payload));
    }

    /// Whose events they are.
    pub fn emitter(&self) -> &Arc<Member> {
        &self.emitter
    }

    /// For whom they are.
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// All events, in [words](Self#words).
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The ids of an event's listeners.
    pub fn listeners(&self, index: usize) -> &[ListenerId] {
        let words = self.events.get(index).map_or(&[][..], |event| &self.words[event.at..]);
        words.split_first().map_or(&[], |(count, rest)| &rest[..*count as usize])
    }

    /// The name of an event, the ids of its listeners, and its payload.
    pub fn event(&self, index: usize) -> Option<(&str, &[ListenerId], Vec<u8>)> {
        let words = &self.words[self.events.get(index)?.at..];
        let (count, rest) = words.split_first()?;
        let (listeners, rest) = rest.split_at(*count as usize);
        let (bytes, rest) = rest.split_first()?;
        let mut payload: Vec<u8> = Vec::with_capacity(*bytes as usize + 3);
        payload.extend(rest.iter().take(bytes.div_ceil(4) as usize).flat_map(|w| w.to_ne_bytes()));
        payload.truncate(*bytes as usize);
        let after = self.routes.partition_point(|(first, _)| *first <= index);
        Some((self.routes[after - 1].1.event(), listeners, payload))
    }

    /// So many events, from one on, are dealt with, and `failed` of their listeners failed. One that
    /// was settled before does not count again.
    pub fn settle(&mut self, first: usize, count: usize, failed: u32) {
        let mut settled = 0;
        for event in self.events.iter_mut().skip(first).take(count) {
            settled += usize::from(!std::mem::replace(&mut event.settled, true));
        }
        self.settled(settled, failed);
    }

    /// Whether every event has settled.
    pub fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    fn settled(&mut self, count: usize, failed: u32) {
        if count == 0 {
            return;
        }
        self.unsettled -= count;
        self.member.done(count);
        self.emitter.ended(count, failed);
    }

    /// It was taken out of the mailbox.
    pub(super) fn collected(&mut self) {
        if std::mem::replace(&mut self.waits, false) {
            self.member.collected(self.events.len(), self.bytes);
        }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        self.collected();
        if self.unsettled > 0 {
            self.lose_the_rest();
        }
        pool::give_back(std::mem::take(&mut self.words));
    }
}

impl Packet {
    fn lose_the_rest(&mut self) {
        let mut failed = 0;
        for index in (0..self.events.len()).filter(|index| !self.events[*index].settled) {
            let Some((event, listeners, payload)) = self.event(index) else { continue };
            let listeners = word(listeners.len());
            failed += listeners;
            self.emitter.tell_of(Lost {
                event: event.into(),
                payload: payload.into(),
                cause: Cause::Gone,
                listeners,
                thread: self.member.endpoint().thread(),
                started: false,
            });
        }
        self.settled(self.unsettled, failed);
    }
}

/// Bytes as words, the last of them padded with zeros.
pub fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (whole, rest) = bytes.as_chunks::<4>();
    // Put together from single bytes: to read a word where bytes were just written would wait until
    // the processor has made all its writes, among them those to memory that another core has.
    let byte = |index| rest.get(index).copied().unwrap_or(0);
    let last = (!rest.is_empty()).then(|| u32::from_ne_bytes([byte(0), byte(1), byte(2), 0]));
    whole.iter().map(|bytes| u32::from_ne_bytes(*bytes)).chain(last)
}

fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Memory of packets that are gone, for those to come: what one thread allocates and another frees,
/// over and over, the allocator gives back to the system and gets again, page by page.
mod pool {
    use std::sync::{Mutex, PoisonError};

    /// Of a new one, in words.
    const FIRST: usize = 1_024;
    /// What is larger is not kept, nor are more than so many.
    const LARGEST: usize = 1 << 15;
    const MOST: usize = 64;

    static FREE: Mutex<Vec<Vec<u32>>> = Mutex::new(Vec::new());

    pub fn take() -> Vec<u32> {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| Vec::with_capacity(FIRST))
    }

    pub fn give_back(mut words: Vec<u32>) {
        words.clear();
        if words.capacity() <= LARGEST {
            let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
            if free.len() < MOST {
                free.push(words);
            }
        }
    }
}
