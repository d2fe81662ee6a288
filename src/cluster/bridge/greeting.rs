//! The meeting of processes: greetings, until both know each other.

use super::super::Millis;
use super::super::frame::Frame;
use super::super::message::{Body, CODEC, Hello, MINOR, Message};
use super::super::peer::PeerId;
use super::super::session::Session;
use super::super::table::Table;
use super::{Action, Bridge, Config, Peer, Skew, To, Why};

/// Names of processes that are remembered so as not to tell of them, or greet them, too often.
const MOST_STRANGERS: usize = 1_024;

/// Time between two greetings of a process that speaks of a session that is not known.
const GREET_AGAIN: Millis = 100;

impl Bridge {
    /// Greets everybody. Those that know this process need not answer.
    pub(super) fn announce(&mut self, now: Millis) {
        self.announced = now;
        let hello = Body::Hello(self.hello(false));
        self.transmit(To::All, (0, 0), hello);
    }

    /// Returns a greeting for the other end of a new connection.
    pub fn greeting(&self) -> Vec<u8> {
        let body = Body::Hello(self.hello(true));
        Message { from: self.config.id, mine: 0, yours: 0, body }.write()
    }

    pub(super) fn hello(&self, wants_answer: bool) -> Hello {
        Hello {
            wants_answer,
            minor: MINOR,
            codec: CODEC,
            space: self.config.space.clone(),
            name: self.config.name.clone(),
            channels: self.config.channels.iter().cloned().collect(),
            window: self.config.window,
            longest: self.config.longest,
        }
    }

    pub(super) fn hear_hello(
        &mut self,
        now: Millis,
        from: PeerId,
        (s, y): (u64, u64),
        hello: &Hello,
    ) {
        if hello.space != self.config.space {
            return;
        }
        if hello.codec != CODEC {
            return self.skew(from, Skew::Codec(hello.codec));
        }
        // Nobody changes while it lives: one of the two greetings is made up, or was changed on its way. Where it is this one,
        // the next real one says so.
        if self.peers.get(&from).is_some_and(|peer| !peer.is_as(hello)) {
            self.lose(from, Why::Nonsense);
        }
        let Some(peer) = self.peers.get_mut(&from) else {
            let theirs = (y == 0 && s != 0).then_some(s);
            self.meet(now, from, theirs, hello);
            return self.greet(now, from);
        };
        let session = &mut peer.session;
        match session.theirs {
            // An answer that is late.
            Some(theirs) if s != 0 && s < theirs => return,
            Some(theirs) if s > theirs && session.is_up => {
                self.lose(from, Why::Forgot);
                self.meet(now, from, Some(s), hello);
                return self.greet(now, from);
            }
            _ if s == 0 => {}
            None if y != 0 && y != session.mine => {}
            _ => session.theirs = Some(s),
        }
        // One that is made up, and is newer than the real one, is not kept alive by that.
        if session.theirs == Some(s) {
            peer.heard = now;
        }
        let session = &peer.session;
        let knows = session.mine == y && session.theirs == Some(s);
        let is_new = knows && !session.is_up;
        // One that greets everybody need not be answered by those that it knows.
        let must_answer = hello.wants_answer || (!knows && (s != 0 || !session.is_up));
        if is_new {
            self.raise(from);
        }
        if must_answer {
            self.greet(now, from);
        }
    }

    pub(super) fn meet(&mut self, now: Millis, id: PeerId, theirs: Option<u64>, hello: &Hello) {
        self.last_session += 1;
        let Config { window, most, longest, .. } = self.config;
        let mut session = Session::new(self.last_session, theirs, window, most, longest);
        session.outgoing.narrow(hello.window);
        let channels = hello.channels.iter().filter(|name| self.config.channels.contains(*name));
        let peer = Peer {
            hello: hello.clone(),
            channels: channels.cloned().collect(),
            session,
            heard: now,
            greeted: None,
            table: Table::default(),
            first_told: 0,
            is_synced: false,
        };
        self.peers.insert(id, peer);
    }

    pub(super) fn greet(&mut self, now: Millis, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.greeted = Some(now);
        let (numbers, is_up) = (peer.numbers(), peer.session.is_up);
        let hello = Body::Hello(self.hello(!is_up));
        self.transmit(To::Peer(id), numbers, hello);
    }

    /// Greets a process that speaks of a session that is not known, but not each time.
    pub(super) fn greet_stranger(&mut self, now: Millis, id: PeerId) {
        if self.strangers.len() >= MOST_STRANGERS {
            self.strangers.clear();
        }
        if self.strangers.get(&id).is_some_and(|at| now < at + GREET_AGAIN) {
            return;
        }
        self.strangers.insert(id, now);
        if self.peers.contains_key(&id) {
            return self.greet(now, id);
        }
        let hello = Body::Hello(self.hello(true));
        self.transmit(To::Peer(id), (0, 0), hello);
    }

    /// Returns whether a message is of the session with its sender. It proves that the sender knows of that, too.
    pub(super) fn belongs(&mut self, from: PeerId, numbers: (u64, u64)) -> bool {
        let Some(peer) = self.peers.get_mut(&from) else { return false };
        let session = &mut peer.session;
        if !session.has(numbers) {
            return false;
        }
        session.theirs = Some(numbers.0);
        if !session.is_up {
            self.raise(from);
        }
        true
    }

    /// Both sides know each other: tells the peer of the listeners here.
    pub(super) fn raise(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.session.is_up = true;
        for change in self.table.all(&peer.channels) {
            peer.session.outgoing.push(&Frame::Change(change));
        }
        peer.session.outgoing.push(&Frame::Synced);
        peer.first_told = peer.session.outgoing.last();
        self.strangers.remove(&id);
        self.actions.push(Action::Joined(id));
    }

    pub(super) fn skew(&mut self, from: PeerId, skew: Skew) {
        if self.skewed.len() < MOST_STRANGERS && self.skewed.insert(from) {
            self.actions.push(Action::Skewed(from, skew));
        }
    }
}
