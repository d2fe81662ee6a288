//! Events that nobody waits for, many in one message.
//!
//! A burst of `emit`s from one member to another is one batch: while it waits at the end of the
//! mailbox, further events are written into it, so that an event costs neither an allocation nor a
//! message of its own. Events that somebody waits for, that may be taken back, that have a limit, or
//! that one of several members gets, are [dispatches](super::dispatch) instead.
//!
//! Every event of a batch settles once, which gives back its room: acknowledged by its receiver, or gone with
//! it. A batch that is dropped settles the events that were not acknowledged, and tells the emitter of each.
//! One with little left keeps no more than that.

use std::sync::Arc;

use super::{Party, pool};
use crate::engine::blocks::Block;
use crate::engine::fates::Fate;
use crate::engine::ids::ListenerId;
use crate::engine::outcome::{FailureKind, Loss};
use crate::engine::payload::{Content, Payload};

/// A batch takes no more events beyond this many.
const MOST_EVENTS: usize = 512;

/// Nor beyond this many words of them, other than one event alone.
const MOST_WORDS: usize = 8_192;

/// In the place of a number of bytes: the payload is not among the words.
pub const APART: u32 = i32::MAX as u32;

/// Room for a short burst, so that a batch seldom grows. A batch with fewer events is not shrunk.
const FIRST_EVENTS: usize = 32;

/// Events of one member for another. See the [module](self).
///
/// # Words
///
/// For each event, in 32-bit words: the number of its listeners, their ids, the number of bytes of
/// its payload, and these, padded to whole words. Of a payload that is kept for all receivers there is [`APART`] alone.
pub struct Batch<P: Party> {
    emitter: Arc<P>,
    member: Arc<P>,
    words: Vec<u32>,
    /// Number of events that were added, of which some that have settled may be left out below.
    added: usize,
    events: Vec<Event>,
    /// Payloads that are not among the words, by the indexes of their events.
    apart: Vec<(u32, Option<Payload>)>,
    /// Routes of the events, each with the first event that is of it.
    routes: Vec<(usize, Arc<P::Route>)>,
    unsettled: usize,
}

struct Event {
    /// Which of all that were added.
    index: u32,
    /// Where its words begin.
    at: u32,
    listeners: u32,
    /// Bytes of its payload, which may be more than a word can count.
    bytes: usize,
    settled: bool,
}

impl<P: Party> Batch<P> {
    /// Returns a batch without events.
    pub(in crate::engine) fn new(emitter: &Arc<P>, member: &Arc<P>) -> Self {
        Batch {
            emitter: emitter.clone(),
            member: member.clone(),
            words: pool::take(),
            added: 0,
            events: Vec::with_capacity(FIRST_EVENTS),
            apart: Vec::new(),
            routes: Vec::new(),
            unsettled: 0,
        }
    }

    /// Returns whether an event with a payload of so many bytes may be added.
    pub(in crate::engine) fn takes(&self, emitter: &Arc<P>, member: &Arc<P>, bytes: usize) -> bool {
        Arc::ptr_eq(&self.emitter, emitter)
            && Arc::ptr_eq(&self.member, member)
            && self.added < MOST_EVENTS
            && self.words.len() + bytes / 4 < MOST_WORDS
    }

    /// Adds an event. The caller has taken the room for it. Returns false, and adds nothing, if there is no
    /// memory for it.
    #[must_use]
    pub(in crate::engine) fn add(
        &mut self,
        route: &Arc<P::Route>,
        listeners: &[ListenerId],
        content: Content<'_>,
    ) -> bool {
        let size = content.size();
        let among = if let Content::Lent(bytes) = content { bytes } else { &[] };
        let words = 2 + listeners.len() + among.len().div_ceil(4);
        if self.words.try_reserve(words).is_err() {
            return false;
        }
        if !self.routes.last().is_some_and(|(_, last)| Arc::ptr_eq(last, route)) {
            self.routes.push((self.added, route.clone()));
        }
        let (index, at) = (word(self.added), word(self.words.len()));
        self.events.push(Event {
            index,
            at,
            listeners: word(listeners.len()),
            bytes: size,
            settled: false,
        });
        self.added += 1;
        self.unsettled += 1;
        self.words.push(word(listeners.len()));
        self.words.extend_from_slice(listeners);
        match content {
            Content::Lent(bytes) => {
                self.words.push(word(bytes.len()));
                self.words.extend(words_of(bytes));
            }
            Content::Kept(payload) => {
                self.words.push(APART);
                self.apart.push((index, Some(payload)));
            }
        }
        true
    }

    /// Returns the emitter of the events.
    pub fn emitter(&self) -> &Arc<P> {
        &self.emitter
    }

    /// Returns the recipient of the events.
    pub fn member(&self) -> &Arc<P> {
        &self.member
    }

    /// Returns the number of events, those that have settled included.
    pub fn len(&self) -> usize {
        self.added
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.added == 0
    }

    /// Returns all events, in [words](Self#words); before the first has settled.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Returns the ids of an event's listeners; before the first has settled.
    pub fn listeners(&self, index: usize) -> &[ListenerId] {
        let words = self.events.get(index).and_then(|event| self.words.get(event.at as usize..));
        let listeners = words.and_then(|words| words.split_first());
        listeners.map_or(&[], |(count, rest)| &rest[..*count as usize])
    }

    /// Returns the name of an event, the ids of its listeners, and its payload. None once it has settled and its
    /// memory was needed no more, or if there is no memory for a copy.
    pub fn event(&self, index: usize) -> Option<(&str, &[ListenerId], Payload)> {
        let event = self.events.get(self.place(index))?;
        if event.index as usize != index {
            return None;
        }
        let (listeners, payload) = self.read(event)?;
        Some((P::event(self.route(index)?), listeners, payload))
    }

    /// Settles an event that did not get to its listeners, and notifies the emitter.
    pub fn lose(&mut self, index: usize, kind: FailureKind) {
        let place = self.place(index);
        let is_it = |event: &&Event| event.index as usize == index && !event.settled;
        let Some(event) = self.events.get(place).filter(is_it) else { return };
        let (listeners, bytes) = (event.listeners, event.bytes);
        let Some(route) = self.route(index) else { return };
        self.emitter.became(route, Fate::from(&kind), listeners);
        let (event, thread) = (P::event(route), self.member.thread());
        let loss = Loss { event, kind, listeners, thread, started: false, bytes };
        self.emitter.lost(loss, || Some(self.event(index)?.2));
        self.events[place].settled = true;
        self.settled(1, bytes, listeners);
    }

    /// Takes the payload of an event that is not among the words, when its listeners are about to be called. It is
    /// theirs then: if they are lost, the emitter is told so without it.
    pub fn take_payload(&mut self, index: usize) -> Option<Payload> {
        let at = self.place_apart(word(index))?;
        self.apart[at].1.take()
    }

    /// Returns whether the payload of an event is not among the words; before the first has settled.
    pub fn lies_apart(&self, index: usize) -> bool {
        let event = self.events.get(index);
        event.is_some_and(|event| self.words[self.bytes_at(event)] == APART)
    }

    fn place_apart(&self, index: u32) -> Option<usize> {
        self.apart.binary_search_by_key(&index, |(of, _)| *of).ok()
    }

    /// Where the number of bytes of an event is.
    fn bytes_at(&self, event: &Event) -> usize {
        event.at as usize + 1 + self.words[event.at as usize] as usize
    }

    fn read(&self, event: &Event) -> Option<(&[ListenerId], Payload)> {
        let (count, rest) = self.words.get(event.at as usize..)?.split_first()?;
        let (listeners, rest) = rest.split_at(*count as usize);
        let (bytes, rest) = rest.split_first()?;
        if *bytes == APART {
            let payload = self.apart[self.place_apart(event.index)?].1.clone();
            return Some((listeners, payload?));
        }
        let mut payload = Block::with_capacity(*bytes as usize + 3)?;
        payload.extend(rest.iter().take(bytes.div_ceil(4) as usize).flat_map(|w| w.to_ne_bytes()));
        payload.truncate(*bytes as usize);
        Some((listeners, payload.into()))
    }

    fn route(&self, index: usize) -> Option<&Arc<P::Route>> {
        Some(&self.routes.get(after(&self.routes, index).checked_sub(1)?)?.1)
    }

    /// Returns the place of the event of this index, or else of the next one.
    fn place(&self, index: usize) -> usize {
        // Most often none is left out.
        let is_at =
            |place: usize| self.events.get(place).is_some_and(|e| e.index as usize == index);
        if is_at(index) {
            return index;
        }
        self.events.partition_point(|event| (event.index as usize) < index)
    }

    /// Settles so many events, from one on: they are dealt with, and `failed` of their listeners failed. One that
    /// was settled before does not count again.
    pub fn settle(&mut self, first: usize, count: usize, failed: u32) {
        let (place, end) = (self.place(first), first.saturating_add(count));
        let (mut settled, mut bytes, mut listeners) = (0, 0, 0);
        let mut next_route = after(&self.routes, first);
        let mut failed_left = failed;
        let events = self.events.iter_mut().skip(place);
        for event in events.take_while(|event| (event.index as usize) < end) {
            if std::mem::replace(&mut event.settled, true) {
                continue;
            }
            if self.routes.get(next_route).is_some_and(|(from, _)| *from <= event.index as usize) {
                became(&self.emitter, &self.routes, next_route, listeners, &mut failed_left);
                listeners = 0;
                next_route = after(&self.routes, event.index as usize);
            }
            settled += 1;
            bytes += event.bytes;
            listeners += event.listeners;
        }
        became(&self.emitter, &self.routes, next_route, listeners, &mut failed_left);
        self.settled(settled, bytes, failed);
        let is_little = (1..=self.events.len() / 4).contains(&self.unsettled);
        if is_little && self.events.len() >= FIRST_EVENTS {
            self.keep_the_rest();
        }
    }

    /// Returns whether every event has settled.
    pub fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    fn settled(&mut self, count: usize, bytes: usize, failed: u32) {
        if count == 0 {
            return;
        }
        self.unsettled -= count;
        self.member.has_room(self.member.let_go(count, bytes));
        self.emitter.ended(count, failed);
    }

    /// Drops the events that have settled. The others alone take room, so however long they take, they must
    /// not keep the memory of the whole batch.
    fn keep_the_rest(&mut self) {
        self.events.retain(|event| !event.settled);
        let is_left =
            |index: &u32| self.events.binary_search_by_key(index, |event| event.index).is_ok();
        self.apart.retain(|(index, _)| is_left(index));
        let (mut words, mut routes) = (Vec::new(), Vec::new());
        for event in &mut self.events {
            let start = event.at as usize;
            let payload = start + 1 + self.words[start] as usize;
            let among = if self.words[payload] == APART { 0 } else { event.bytes };
            let end = payload + 1 + among.div_ceil(4);
            event.at = word(words.len());
            words.extend_from_slice(&self.words[start..end]);
            let index = event.index as usize;
            let of = self.routes.partition_point(|(first, _)| *first <= index) - 1;
            if routes.last() != Some(&of) {
                routes.push(of);
            }
        }
        self.events.shrink_to_fit();
        self.routes = routes.into_iter().map(|of| self.routes[of].clone()).collect();
        self.words = words;
    }
}

impl<P: Party> Drop for Batch<P> {
    fn drop(&mut self) {
        if self.unsettled > 0 {
            self.lose_the_rest();
        }
        pool::give_back(std::mem::take(&mut self.words));
    }
}

impl<P: Party> Batch<P> {
    fn lose_the_rest(&mut self) {
        let (mut failed, mut all) = (0, 0);
        for event in self.events.iter().filter(|event| !event.settled) {
            let Some(route) = self.route(event.index as usize) else { continue };
            let (listeners, bytes) = (event.listeners, event.bytes);
            failed += listeners;
            all += bytes;
            let (kind, thread) = (self.member.reason_of_loss(), self.member.thread());
            self.emitter.became(route, Fate::from(&kind), listeners);
            let loss =
                Loss { event: P::event(route), kind, listeners, thread, started: false, bytes };
            self.emitter.lost(loss, || Some(self.read(event)?.1));
        }
        self.settled(self.unsettled, all, failed);
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

/// Returns the place of the route behind the one of the event of this index.
fn after<R>(routes: &[(usize, Arc<R>)], index: usize) -> usize {
    routes.partition_point(|(first, _)| *first <= index)
}

/// Counts the listeners of settled events of one route, the one before `next`.
fn became<P: Party>(
    emitter: &Arc<P>,
    routes: &[(usize, Arc<P::Route>)],
    next: usize,
    listeners: u32,
    failed_left: &mut u32,
) {
    let Some((_, route)) = next.checked_sub(1).and_then(|at| routes.get(at)) else { return };
    let failed = listeners.min(*failed_left);
    *failed_left -= failed;
    emitter.became(route, Fate::Failed, failed);
    emitter.became(route, Fate::Delivered, listeners - failed);
}

fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
