//! A link in memory, with faults.

use std::collections::{BTreeMap, BTreeSet};

use parallel_event_bus::cluster::Millis;

/// How badly the link behaves, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: u64,
    pub repeats: u64,
    /// Most milliseconds that a message takes longer than the quickest.
    pub disorder: Millis,
}

/// Messages under way between nodes.
pub struct Net {
    pub faults: Faults,
    /// By time of arrival, and order of sending.
    under_way: BTreeMap<(Millis, u64), (usize, Vec<u8>)>,
    sent: u64,
    /// Directions in which nothing comes through.
    cut: BTreeSet<(usize, usize)>,
    random: u64,
    pub bytes: usize,
}

const LATENCY: Millis = 1;

impl Net {
    pub fn new(seed: u64) -> Self {
        let faults = Faults::default();
        let random = seed | 1;
        let (under_way, cut) = (BTreeMap::new(), BTreeSet::new());
        Net { faults, under_way, sent: 0, cut, random, bytes: 0 }
    }

    pub fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % below.max(1)
    }

    pub fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    pub fn heal(&mut self) {
        self.cut.clear();
        self.faults = Faults::default();
    }

    pub fn send(&mut self, now: Millis, from: usize, to: usize, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.cut.contains(&(from, to)) || self.random(100) < self.faults.loss {
            return;
        }
        let copies = if self.random(100) < self.faults.repeats { 2 } else { 1 };
        for _ in 0..copies {
            let at = now + LATENCY + self.random(self.faults.disorder + 1);
            self.sent += 1;
            self.under_way.insert((at, self.sent), (to, bytes.to_vec()));
        }
    }

    /// Drops the messages under way to a node: its process ends.
    pub fn forget(&mut self, node: usize) {
        self.under_way.retain(|_, (to, _)| *to != node);
    }

    pub fn next_at(&self) -> Option<Millis> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the messages that have arrived.
    pub fn arrived(&mut self, now: Millis) -> Vec<(usize, Vec<u8>)> {
        let later = self.under_way.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.under_way, later).into_values().collect()
    }
}
