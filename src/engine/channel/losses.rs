//! News of a member's own events that were lost, which its endpoint has not read yet. They are bounded,
//! although losses are not.
//!
//! So many losses are told one by one, each with its payload. Beyond that they are only counted, by event,
//! kind and thread; and names of events being without end, beyond so many tallies only by kind.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::outcome::{FailureKind, Loss, Lost};
use crate::engine::sync::{Mutex, lock};

/// Losses that are told one by one, and the bytes of their names and payloads.
const MOST_EVENTS: usize = 1_024;
const MOST_BYTES: usize = 1 << 20;

/// Tallies that are kept apart, and the bytes of their names.
const MOST_TALLIES: usize = 256;
const MOST_NAMES: usize = 1 << 18;

/// The way in which a loss is told.
pub(super) enum Note {
    /// By itself. The charge is [given back](Losses::was_read) when that was read.
    Single(Charge),
    /// It was counted, and is the first that was since counts were [taken](Losses::take) last.
    FirstCounted,
    /// It was counted.
    Counted,
}

/// The share of the budget that news take until they are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charge {
    Nothing,
    /// Of losses that are told one by one: one, and the bytes of its name and payload.
    Single(usize),
    /// Of tallies: one, and the bytes of its name.
    Tally(usize),
}

/// The unread news of one member. See the [module](self).
#[derive(Default)]
pub(super) struct Losses(Mutex<State>);

#[derive(Default)]
struct State {
    singles: Used,
    names: Used,
    tallies: HashMap<Key, Count>,
    /// For each kind, the losses that are not in `tallies`.
    others: Vec<(Key, Count)>,
}

/// A part of the budget that is used.
#[derive(Default)]
struct Used {
    number: usize,
    bytes: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    /// The name, and the thread of the listeners; none where these are various.
    of: Option<(Arc<str>, u32)>,
    kind: FailureKind,
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
        let fits = state.singles.number == 0 || state.singles.bytes + bytes <= MOST_BYTES;
        if fits && state.singles.number < MOST_EVENTS {
            state.singles.add(bytes);
            return Note::Single(Charge::Single(bytes));
        }
        let is_empty = state.tallies.is_empty() && state.others.is_empty();
        state.count(loss).add(loss.listeners);
        if is_empty {
            is_first();
            return Note::FirstCounted;
        }
        Note::Counted
    }

    /// Takes the counts, each as one loss that stands for many.
    pub(super) fn take(&self) -> Vec<(Lost, Charge)> {
        let (tallies, others) = {
            let mut state = lock(&self.0);
            (std::mem::take(&mut state.tallies), std::mem::take(&mut state.others))
        };
        let mut tallies: Vec<_> = tallies.into_iter().collect();
        tallies.sort_unstable_by_key(|(_, count)| count.number);
        let tallies =
            tallies.into_iter().map(|(key, count)| (Charge::Tally(key.bytes()), key, count));
        let others = others.into_iter().map(|(key, count)| (Charge::Nothing, key, count));
        tallies.chain(others).map(|(charge, key, count)| (key.lost(count), charge)).collect()
    }

    /// Gives back a charge.
    pub(super) fn was_read(&self, charge: Charge) {
        let mut state = lock(&self.0);
        match charge {
            Charge::Nothing => {}
            Charge::Single(bytes) => state.singles.subtract(bytes),
            Charge::Tally(bytes) => state.names.subtract(bytes),
        }
    }
}

impl State {
    /// Returns the count of a loss.
    fn count(&mut self, loss: &Loss<'_>) -> &mut Count {
        let (kind, started) = (loss.kind.clone(), loss.started);
        let key = Key { of: Some((loss.event.clone(), loss.thread)), kind, started };
        let bytes = key.bytes();
        let fits = self.names.number < MOST_TALLIES && self.names.bytes + bytes <= MOST_NAMES;
        if !self.tallies.contains_key(&key) {
            if !fits {
                return self.count_other(key);
            }
            self.names.add(bytes);
        }
        let number = self.tallies.len();
        self.tallies.entry(key).or_insert(Count { number, ..Count::default() })
    }

    /// Times are without end, too: of several, the first stands for all.
    fn count_other(&mut self, key: Key) -> &mut Count {
        let is_like = |other: &Key| {
            std::mem::discriminant(&other.kind) == std::mem::discriminant(&key.kind)
                && other.started == key.started
        };
        let at = self.others.iter().position(|(other, _)| is_like(other));
        let at = at.unwrap_or_else(|| {
            self.others.push((Key { of: None, ..key }, Count::default()));
            self.others.len() - 1
        });
        &mut self.others[at].1
    }
}

impl Key {
    /// Returns the bytes of its name.
    fn bytes(&self) -> usize {
        self.of.as_ref().map_or(0, |(event, _)| event.len())
    }

    fn lost(self, count: Count) -> Lost {
        let (event, thread) = self.of.unzip();
        Lost {
            event,
            payload: None,
            kind: self.kind,
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

impl Used {
    fn add(&mut self, bytes: usize) {
        self.number += 1;
        self.bytes += bytes;
    }

    fn subtract(&mut self, bytes: usize) {
        self.number -= 1;
        self.bytes -= bytes;
    }
}
