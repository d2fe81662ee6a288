//! News of a member's own events that were lost, which its endpoint has not read yet: bounded, whatever
//! is lost meanwhile.
//!
//! So many losses are told one by one, each with its payload. Beyond that they are only counted, by event,
//! cause and thread; and names of events being without end, beyond so many kinds of them only by cause.

use std::collections::HashMap;
use std::sync::Arc;

use super::outcome::{Cause, Lost};
use super::sync::{Mutex, lock};

/// Losses that are told one by one, and the bytes of their names and payloads.
const MOST_EVENTS: usize = 1_024;
const MOST_BYTES: usize = 1 << 20;

/// Kinds of losses that are counted apart, and the bytes of their names.
const MOST_KINDS: usize = 256;
const MOST_NAMES: usize = 1 << 18;

/// An event that did not get to the end of some listeners.
pub(super) struct Loss<'a> {
    pub(super) event: &'a Arc<str>,
    pub(super) cause: Cause,
    pub(super) listeners: u32,
    pub(super) thread: u32,
    pub(super) started: bool,
    /// Bytes of its payload.
    pub(super) bytes: usize,
}

/// How a loss is told.
pub(super) enum Note {
    /// By itself. The charge is [given back](Losses::was_read) when that was read.
    Single(Charge),
    /// It was counted, and is the first that was since counts were [taken](Losses::take) last.
    FirstCounted,
    /// It was counted.
    Counted,
}

/// What news takes of the budget until it was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Charge {
    events: usize,
    bytes: usize,
    kinds: usize,
    names: usize,
}

/// The unread news of one member. See the [module](self).
#[derive(Default)]
pub(super) struct Losses(Mutex<State>);

#[derive(Default)]
struct State {
    used: Charge,
    kinds: HashMap<Kind, Count>,
    /// For each cause, what is not in `kinds`.
    others: Vec<(Kind, Count)>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    /// The name, and the thread of the listeners; none where these are various.
    of: Option<(Arc<str>, u32)>,
    cause: Cause,
    started: bool,
}

#[derive(Clone, Copy, Default)]
struct Count {
    /// In the order of the first losses.
    number: usize,
    events: u32,
    listeners: u32,
}

impl Losses {
    /// Takes a loss in. `is_first` is called, with nothing else able to be counted meanwhile, if it is
    /// the [first](Note::FirstCounted).
    pub(super) fn note(&self, loss: &Loss<'_>, is_first: impl FnOnce()) -> Note {
        let state = &mut *lock(&self.0);
        let bytes = loss.bytes + loss.event.len();
        // One may be larger, if it is alone.
        let fits = state.used.events == 0 || state.used.bytes + bytes <= MOST_BYTES;
        if fits && state.used.events < MOST_EVENTS {
            let charge = Charge { events: 1, bytes, ..Charge::default() };
            state.used.add(charge);
            return Note::Single(charge);
        }
        let is_empty = state.kinds.is_empty() && state.others.is_empty();
        state.count(loss).add(loss.listeners);
        if is_empty {
            is_first();
            return Note::FirstCounted;
        }
        Note::Counted
    }

    /// Takes the counts, each as one loss that stands for many.
    pub(super) fn take(&self) -> Vec<(Lost, Charge)> {
        let (kinds, others) = {
            let mut state = lock(&self.0);
            (std::mem::take(&mut state.kinds), std::mem::take(&mut state.others))
        };
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_unstable_by_key(|(_, count)| count.number);
        let kinds = kinds.into_iter().map(|(kind, count)| (kind.charge(), kind, count));
        let others = others.into_iter().map(|(kind, count)| (Charge::default(), kind, count));
        kinds.chain(others).map(|(charge, kind, count)| (kind.lost(count), charge)).collect()
    }

    /// Gives back what was charged.
    pub(super) fn was_read(&self, charge: Charge) {
        lock(&self.0).used.subtract(charge);
    }
}

impl State {
    /// Where a loss is counted.
    fn count(&mut self, loss: &Loss<'_>) -> &mut Count {
        let (cause, started) = (loss.cause.clone(), loss.started);
        let kind = Kind { of: Some((loss.event.clone(), loss.thread)), cause, started };
        let charge = kind.charge();
        let fits = self.used.kinds < MOST_KINDS && self.used.names + charge.names <= MOST_NAMES;
        if !self.kinds.contains_key(&kind) {
            if !fits {
                return self.count_other(kind);
            }
            self.used.add(charge);
        }
        let number = self.kinds.len();
        self.kinds.entry(kind).or_insert(Count { number, ..Count::default() })
    }

    /// Times are without end, too: of several, the first stands for all.
    fn count_other(&mut self, kind: Kind) -> &mut Count {
        let is_like = |other: &Kind| {
            std::mem::discriminant(&other.cause) == std::mem::discriminant(&kind.cause)
                && other.started == kind.started
        };
        let at = self.others.iter().position(|(other, _)| is_like(other));
        let at = at.unwrap_or_else(|| {
            self.others.push((Kind { of: None, ..kind }, Count::default()));
            self.others.len() - 1
        });
        &mut self.others[at].1
    }
}

impl Kind {
    fn charge(&self) -> Charge {
        let names = self.of.as_ref().map_or(0, |(event, _)| event.len());
        Charge { kinds: 1, names, ..Charge::default() }
    }

    fn lost(self, count: Count) -> Lost {
        let (event, thread) = self.of.unzip();
        Lost {
            event,
            payload: None,
            cause: self.cause,
            count: count.events,
            listeners: count.listeners,
            thread,
            started: self.started,
        }
    }
}

impl Count {
    fn add(&mut self, listeners: u32) {
        self.events = self.events.saturating_add(1);
        self.listeners = self.listeners.saturating_add(listeners);
    }
}

impl Charge {
    fn add(&mut self, more: Charge) {
        self.events += more.events;
        self.bytes += more.bytes;
        self.kinds += more.kinds;
        self.names += more.names;
    }

    fn subtract(&mut self, less: Charge) {
        self.events -= less.events;
        self.bytes -= less.bytes;
        self.kinds -= less.kinds;
        self.names -= less.names;
    }
}
