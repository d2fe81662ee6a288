//! The events that a peer has, and has not settled.

use std::collections::BTreeMap;

/// An event that was sent.
pub struct Sent<T> {
    /// The event, as its owner keeps it.
    pub what: T,
    /// Number of listeners that have not settled.
    pub left: u32,
    /// The peer has said that they were called.
    pub started: bool,
}

/// The unsettled events of one peer. Each leaves once: settled, or [gone](Self::take_all) with the peer.
pub struct Owed<T> {
    last: u64,
    sent: BTreeMap<u64, Sent<T>>,
}

impl<T> Default for Owed<T> {
    fn default() -> Self {
        Owed { last: 0, sent: BTreeMap::new() }
    }
}

impl<T> Owed<T> {
    /// Adds an event that is sent now, for so many listeners. Returns its number.
    pub fn add(&mut self, what: T, listeners: u32) -> u64 {
        self.last += 1;
        self.sent.insert(self.last, Sent { what, left: listeners, started: false });
        self.last
    }

    /// Returns an unsettled event.
    pub fn get(&mut self, id: u64) -> Option<&mut Sent<T>> {
        self.sent.get_mut(&id)
    }

    /// Settles one listener of an event, as `settle` does. With the last one the event is taken.
    pub fn settle(&mut self, id: u64, settle: impl FnOnce(&mut T)) {
        let Some(sent) = self.sent.get_mut(&id) else { return };
        settle(&mut sent.what);
        sent.left = sent.left.saturating_sub(1);
        if sent.left == 0 {
            self.sent.remove(&id);
        }
    }

    /// Takes an event: all that is left of it settles now.
    pub fn take(&mut self, id: u64) -> Option<Sent<T>> {
        self.sent.remove(&id)
    }

    /// Takes so many events, from this one on.
    pub fn take_range(&mut self, first: u64, count: u64) -> Vec<(u64, Sent<T>)> {
        let ids = self.sent.range(first..first.saturating_add(count)).map(|(id, _)| *id);
        let ids: Vec<_> = ids.collect();
        ids.into_iter().filter_map(|id| Some((id, self.sent.remove(&id)?))).collect()
    }

    /// Takes all events, in the order in which they were sent.
    pub fn take_all(&mut self) -> impl Iterator<Item = Sent<T>> {
        std::mem::take(&mut self.sent).into_values()
    }

    /// Returns the number of unsettled events.
    pub fn len(&self) -> usize {
        self.sent.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }
}
