//! The fates of all events of a simulation.

use parallel_event_bus::cluster::peer::PeerId;

#[derive(Debug)]
pub struct Entry {
    pub from: PeerId,
    pub to: PeerId,
    pub listeners: u32,
    /// Number of its listeners that have settled, for its emitter.
    pub settled: u32,
    /// Number of times that it came to a process.
    pub received: u32,
    /// Its emitter is gone, and hears of nothing.
    pub is_orphan: bool,
}

#[derive(Default)]
pub struct Ledger {
    pub entries: Vec<Entry>,
    /// Which of its events each process has received last, of each other.
    last: std::collections::HashMap<(PeerId, PeerId), u64>,
}

impl Ledger {
    pub fn emitted(&mut self, from: PeerId, to: PeerId, listeners: u32) -> u64 {
        let entry = Entry { from, to, listeners, settled: 0, received: 0, is_orphan: false };
        self.entries.push(entry);
        self.entries.len() as u64 - 1
    }

    pub fn received(&mut self, by: PeerId, number: u64) {
        let entry = &mut self.entries[number as usize];
        assert_eq!(entry.to, by, "an event comes to the process that it was sent to");
        entry.received += 1;
        assert_eq!(entry.received, 1, "event {number} has come twice");
        let last = self.last.insert((entry.from, by), number);
        assert!(last < Some(number), "event {number} has come after event {last:?}");
    }

    pub fn settled(&mut self, number: u64, listeners: u32) {
        let entry = &mut self.entries[number as usize];
        entry.settled += listeners;
        assert!(entry.settled <= entry.listeners, "event {number} has settled twice: {entry:?}");
    }

    pub fn emitter_ended(&mut self, id: PeerId) {
        self.entries.iter_mut().filter(|e| e.from == id).for_each(|e| e.is_orphan = true);
    }

    pub fn check_all_settled(&self) {
        for (number, entry) in self.entries.iter().enumerate().filter(|(_, e)| !e.is_orphan) {
            assert_eq!(entry.settled, entry.listeners, "of event {number}: {entry:?}");
        }
    }
}
