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

/// The peers that were heard over one connection. See the [module](self).
#[derive(Default)]
pub struct Absence(HashMap<PeerId, Watch>);

struct Watch {
    asked: Option<Instant>,
    missing_since: Option<Instant>,
}

impl Absence {
    /// Notes that a peer was heard. Returns true if that is the first time.
    pub fn heard(&mut self, peer: PeerId) -> bool {
        let is_new = !self.0.contains_key(&peer);
        let watch = self.0.entry(peer).or_insert(Watch { asked: None, missing_since: None });
        watch.missing_since = None;
        is_new
    }

    /// Returns whether a message for a peer is to ask whether it is there.
    pub fn must_ask(&mut self, peer: PeerId, now: Instant) -> bool {
        let Some(watch) = self.0.get_mut(&peer) else { return false };
        let must = watch.asked.is_none_or(|at| now >= at + ASK_EVERY);
        if must {
            watch.asked = Some(now);
        }
        must
    }

    /// Notes that the server knows nobody of this name. Returns true if the peer is gone.
    pub fn missing(&mut self, peer: PeerId, now: Instant) -> bool {
        let Some(watch) = self.0.get_mut(&peer) else { return false };
        let since = *watch.missing_since.get_or_insert(now);
        let is_gone = now >= since + GRACE;
        if is_gone {
            self.0.remove(&peer);
        }
        is_gone
    }

    /// Returns the missing peers that are to be asked for now.
    pub fn questions(&mut self, now: Instant) -> Vec<PeerId> {
        let missing = self.0.iter().filter(|(_, watch)| watch.missing_since.is_some());
        let missing: Vec<_> = missing.map(|(peer, _)| *peer).collect();
        missing.into_iter().filter(|peer| self.must_ask(*peer, now)).collect()
    }

    /// Returns when there are questions, at the latest.
    pub fn asks_at(&self) -> Option<Instant> {
        let missing = self.0.values().filter(|watch| watch.missing_since.is_some());
        missing.filter_map(|watch| Some(watch.asked? + ASK_EVERY)).min()
    }
}
