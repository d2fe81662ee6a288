//! The exchange with one peer, from the moment when both know of each other until one of them gives the other up.
//!
//! Each side numbers its sessions, and puts both numbers into all its messages. So a message of an earlier session is
//! known as such. A process that has given its peer up can show that: it has a new number.

use super::Millis;
use super::incoming::Incoming;
use super::message::{Body, Receipt};
use super::outgoing::{Outgoing, Window};

/// The exchange with one peer. See the [module](self).
pub struct Session {
    /// The number of this side. Later sessions have higher ones.
    pub mine: u64,
    /// The number of the other side, once it is known.
    pub theirs: Option<u64>,
    /// The other side knows the number of this one, too.
    pub is_up: bool,
    /// Messages for the peer.
    pub outgoing: Outgoing,
    /// Messages of the peer.
    pub incoming: Incoming,
    /// The link is new: messages that were sent over the old one may be lost.
    must_rewind: bool,
    /// When everything unacknowledged was last sent again because the peer asked.
    rewound: Option<Millis>,
}

/// Least time between two such requests of a peer. An honest peer asks less often.
const REWIND_AGAIN: Millis = 100;

impl Session {
    /// Returns a session without messages.
    pub fn new(
        mine: u64,
        theirs: Option<u64>,
        window: Window,
        most: usize,
        longest: usize,
    ) -> Self {
        Session {
            mine,
            theirs,
            is_up: false,
            outgoing: Outgoing::new(window, most),
            incoming: Incoming::new(longest),
            must_rewind: false,
            rewound: None,
        }
    }

    /// Returns whether a message with these numbers, of its sender and of this side, belongs to the session.
    pub fn has(&self, (theirs, mine): (u64, u64)) -> bool {
        self.mine == mine && self.theirs.is_none_or(|known| known == theirs)
    }

    /// Has everything sent again once the peer is heard, because the link is new.
    pub fn relink(&mut self) {
        self.must_rewind = true;
    }

    /// Takes an acknowledgement of the peer. Messages are sent again after a gap, or where the link is new.
    pub fn receipt(&mut self, now: Millis, receipt: Receipt) {
        self.outgoing.acknowledge(receipt.ack);
        let may_ask = || self.rewound.is_none_or(|at| now >= at + REWIND_AGAIN);
        let is_asked = receipt.has_gap && may_ask();
        if is_asked {
            self.rewound = Some(now);
        }
        if std::mem::take(&mut self.must_rewind) || is_asked {
            self.outgoing.rewind();
        }
    }

    /// Calls `say` with each message that is to be sent now, in order. Asks for the digest only for a beat.
    pub fn say(
        &mut self,
        now: Millis,
        is_beat: bool,
        digest: impl FnOnce() -> u64,
        mut say: impl FnMut(Body<'_>),
    ) {
        self.outgoing.seal();
        let mut has_told = false;
        while let Some((number, frames)) = self.outgoing.send() {
            let receipt = self.incoming.receipt(now);
            say(Body::Data { number, receipt, frames });
            has_told = true;
        }
        if is_beat || (!has_told && self.incoming.must_tell(now)) {
            let digest = self.outgoing.is_sent().then(digest);
            let (last, receipt) = (self.outgoing.last_sent(), self.incoming.receipt(now));
            say(Body::Beat { last, receipt, digest });
        }
    }
}
