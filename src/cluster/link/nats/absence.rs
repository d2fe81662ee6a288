//! Peers that have ended, as far as the server knows.
//!
//! A server tells the sender of a message with an address for answers if its subject has no subscriber. A peer whose
//! own connection is new has none for a moment either. So a peer is gone when the server has said so for a while, and
//! the peer has said nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::cluster::peer::PeerId;

/// Time between two questions to the server.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Time in which a peer may come back over another connection.
const GRACE: Duration = Duration::from_millis(800);

/// Time after which a peer that says nothing is forgotten. Processes say something each second.
const FORGET: Duration = Duration::from_secs(60);

/// Least number of peers that makes a search for silent ones worth it.
const FEW: usize = 64;

/// The peers that were heard over one connection. See the [module](self).
#[derive(Default)]
pub struct Absence {
    watches: HashMap<PeerId, Watch>,
    /// Number of them that were left when some were forgotten.
    left: usize,
}

struct Watch {
    /// A channel that the peer has, by its index.
    channel: usize,
    heard: Instant,
    asked: Option<Instant>,
    missing_since: Option<Instant>,
}

impl Absence {
    /// Notes that a peer was heard on a channel. Returns true if that is the first time.
    pub fn heard(&mut self, peer: PeerId, channel: usize, now: Instant) -> bool {
        if let Some(watch) = self.watches.get_mut(&peer) {
            (watch.heard, watch.missing_since) = (now, None);
            return false;
        }
        self.forget(now);
        self.watches.insert(peer, Watch { channel, heard: now, asked: None, missing_since: None });
        true
    }

    /// Forgets silent peers, now and then: one that has left is asked for nothing, and so is never found missing.
    fn forget(&mut self, now: Instant) {
        if self.watches.len() >= FEW.max(2 * self.left) {
            self.watches.retain(|_, watch| now < watch.heard + FORGET);
            self.left = self.watches.len();
        }
    }

    /// Returns a channel that a peer has, if it was heard.
    pub fn channel(&self, peer: PeerId) -> Option<usize> {
        Some(self.watches.get(&peer)?.channel)
    }

    /// Returns the number of peers that are known.
    pub fn known(&self) -> usize {
        self.watches.len()
    }

    /// Returns whether a message for a peer is to ask whether it is there.
    pub fn must_ask(&mut self, peer: PeerId, now: Instant) -> bool {
        let Some(watch) = self.watches.get_mut(&peer) else { return false };
        let must = watch.asked.is_none_or(|at| now >= at + ASK_EVERY);
        if must {
            watch.asked = Some(now);
        }
        must
    }

    /// Notes that the server knows nobody of this name. Returns true if the peer is gone.
    pub fn missing(&mut self, peer: PeerId, now: Instant) -> bool {
        let Some(watch) = self.watches.get_mut(&peer) else { return false };
        let since = *watch.missing_since.get_or_insert(now);
        let is_gone = now >= since + GRACE;
        if is_gone {
            self.watches.remove(&peer);
        }
        is_gone
    }

    /// Returns the missing peers that are to be asked for now.
    pub fn questions(&mut self, now: Instant) -> Vec<PeerId> {
        let missing = self.watches.iter().filter(|(_, watch)| watch.missing_since.is_some());
        let missing: Vec<_> = missing.map(|(peer, _)| *peer).collect();
        missing.into_iter().filter(|peer| self.must_ask(*peer, now)).collect()
    }

    /// Returns when there are questions, at the latest.
    pub fn asks_at(&self) -> Option<Instant> {
        let missing = self.watches.values().filter(|watch| watch.missing_since.is_some());
        missing.filter_map(|watch| Some(watch.asked? + ASK_EVERY)).min()
    }
}
