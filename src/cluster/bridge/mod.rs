//! The state machine that joins one process to others: it takes inputs, and returns actions.
//!
//! # Meeting
//!
//! Two processes greet each other until each knows that the other has its number. Then each tells of its listeners. A
//! process that has forgotten its peer, because it was not heard for too long, comes with a new number. So the other
//! one knows that its messages are lost.
//!
//! # Ends
//!
//! A peer is gone when its connection ends, where the link knows that, or when it was not heard for `peer_timeout`. It
//! is also gone when it says goodbye, has forgotten this process, does not send missing messages again, or makes no
//! sense. A link that is away proves nothing about peers, so they are gone only after `link_timeout`. A process that
//! did not run for a while has heard nobody, and kills nobody for it.

mod doing;
mod greeting;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Millis;
use super::frame::{Change, Frame};
use super::message::{Body, Message, Unread};
use super::outgoing::Window;
use super::peer::PeerId;
use super::table::Table;
pub use doing::{Action, Input, Skew, To, Why};
pub use peer::Peer;

/// Settings of a bridge.
#[derive(Clone, Debug)]
pub struct Config {
    /// This process.
    pub id: PeerId,
    /// Keeps deployments apart that share a link.
    pub space: Arc<str>,
    /// Name of this process, for people.
    pub name: Arc<str>,
    /// Channels that leave the process.
    pub channels: BTreeSet<Arc<str>>,
    /// The most that each peer may leave unacknowledged.
    pub window: Window,
    /// Bytes of frames that the link takes in one message.
    pub most: usize,
    /// Bytes of the longest frame.
    pub longest: usize,
    /// Time between two signs of life.
    pub beat: Millis,
    /// Time without one after which a peer is gone.
    pub peer_timeout: Millis,
    /// Time without a link after which all peers are gone.
    pub link_timeout: Millis,
}

/// The state machine. See the [module](self).
pub struct Bridge {
    config: Config,
    table: Table,
    peers: BTreeMap<PeerId, Peer>,
    last_session: u64,
    /// None while the link is up, else since when it is not.
    down_since: Option<Millis>,
    polled: Millis,
    beat_at: Millis,
    announced: Millis,
    skewed: BTreeSet<PeerId>,
    strangers: BTreeMap<PeerId, Millis>,
    actions: Vec<Action>,
}

impl Bridge {
    /// Returns a bridge whose link is not up yet.
    pub fn new(config: Config, now: Millis) -> Self {
        Bridge {
            config,
            table: Table::default(),
            peers: BTreeMap::new(),
            last_session: 0,
            down_since: Some(now),
            polled: now,
            beat_at: now,
            announced: now,
            skewed: BTreeSet::new(),
            strangers: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    /// Takes inputs, and returns actions.
    pub fn poll(&mut self, now: Millis, inputs: impl IntoIterator<Item = Input>) -> Vec<Action> {
        self.forgive(now);
        for input in inputs {
            self.take(now, input);
        }
        self.bury(now);
        let is_beat = now >= self.beat_at;
        if is_beat {
            self.beat_at = now + self.config.beat;
        }
        self.speak(now, is_beat);
        std::mem::take(&mut self.actions)
    }

    /// Returns when to poll again, at the latest.
    pub fn wakes_at(&self) -> Millis {
        self.beat_at
    }

    /// Returns the peers that are there.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        let up = self.peers.iter().filter(|(_, peer)| peer.session.is_up);
        up.map(|(id, peer)| (*id, peer))
    }

    /// Returns a peer that is there.
    pub fn peer(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(&id).filter(|peer| peer.session.is_up)
    }

    /// Returns the table of the listeners here.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns whether a peer is there, and may be sent events: few enough are unacknowledged.
    pub fn has_room(&self, id: PeerId) -> bool {
        self.peer(id).is_some_and(|peer| peer.session.outgoing.has_room())
    }

    /// Returns, for each peer, the number of the message with all that it was to be told so far.
    pub fn told(&self) -> Vec<(PeerId, u64)> {
        self.peers.iter().map(|(id, peer)| (*id, peer.session.outgoing.last())).collect()
    }

    /// Returns whether those of [`told`](Self::told) that are still there know it, and have told of their listeners.
    pub fn is_known(&self, told: &[(PeerId, u64)]) -> bool {
        let knows = |peer: &Peer, number| {
            let session = &peer.session;
            let number = peer.first_told.max(number);
            session.is_up && peer.is_synced && session.outgoing.acknowledged() >= number
        };
        told.iter().all(|(id, number)| self.peers.get(id).is_none_or(|peer| knows(peer, *number)))
    }

    /// Returns whether every peer has acknowledged all that it was told.
    pub fn is_acknowledged(&self) -> bool {
        self.peers.values().all(|peer| peer.session.outgoing.is_empty())
    }

    fn take(&mut self, now: Millis, input: Input) {
        match input {
            Input::Up => self.link_up(now),
            Input::Down => self.down_since = self.down_since.or(Some(now)),
            // A process that is met now would be buried again at once, and so on without end.
            Input::Heard(_) if self.is_away(now) => {}
            Input::Heard(bytes) => self.hear(now, &bytes),
            Input::Lost(id) => self.lose(id, Why::Lost),
            Input::Local(change) => self.change(&change),
            Input::Send(id, frame) => {
                if let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.session.is_up) {
                    peer.session.outgoing.push(&frame);
                }
            }
            Input::Bye => self.say_goodbye(),
        }
    }

    fn link_up(&mut self, now: Millis) {
        self.down_since = None;
        for peer in self.peers.values_mut() {
            peer.forgive(now);
            peer.session.relink();
        }
        self.announce(now);
    }

    fn transmit(&mut self, to: To, (mine, yours): (u64, u64), body: Body<'_>) {
        let message = Message { from: self.config.id, mine, yours, body };
        self.actions.push(Action::Transmit(to, message.write()));
    }

    // Messages of others

    fn hear(&mut self, now: Millis, bytes: &[u8]) {
        let message = match Message::read(bytes) {
            Ok(message) => message,
            Err(Unread::Major { from, major }) => return self.skew(from, Skew::Major(major)),
            Err(Unread::Nonsense) => return,
        };
        let (from, numbers) = (message.from, (message.mine, message.yours));
        if from == self.config.id {
            return;
        }
        match message.body {
            Body::Hello(hello) => self.hear_hello(now, from, numbers, &hello),
            Body::Bye => {
                if self.peers.get(&from).is_some_and(|peer| peer.session.has(numbers)) {
                    self.lose(from, Why::Left);
                }
            }
            body => {
                if self.belongs(from, numbers) {
                    self.hear_session(now, from, body);
                } else {
                    self.greet_stranger(now, from);
                }
            }
        }
    }

    fn hear_session(&mut self, now: Millis, from: PeerId, body: Body<'_>) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        peer.heard = now;
        let makes_sense = match body {
            Body::Data { number, receipt, frames } => {
                peer.session.receipt(now, receipt);
                let frames = peer.session.incoming.take(now, number, frames);
                frames.is_some_and(|frames| peer.receive(from, frames, &mut self.actions))
            }
            Body::Beat { last, receipt, digest } => {
                peer.session.receipt(now, receipt);
                peer.session.incoming.sent(now, last);
                peer.agrees(last, digest)
            }
            Body::Hello(_) | Body::Bye => true,
        };
        if !makes_sense {
            self.lose(from, Why::Nonsense);
        }
    }

    // Messages to others

    fn change(&mut self, change: &Change) {
        let channel = self.table.channel_of(change).cloned();
        if !self.table.apply(change) {
            return;
        }
        let hears = |peer: &&mut Peer| {
            peer.session.is_up && channel.as_ref().is_none_or(|name| peer.channels.contains(name))
        };
        for peer in self.peers.values_mut().filter(hears) {
            peer.session.outgoing.push(&Frame::Change(change.clone()));
        }
    }

    fn speak(&mut self, now: Millis, is_beat: bool) {
        if self.down_since.is_some() {
            return;
        }
        if now >= self.announced + self.config.peer_timeout {
            self.announce(now);
        }
        let from = self.config.id;
        let mut unanswered = Vec::new();
        for (id, peer) in &mut self.peers {
            let (mine, yours) = peer.numbers();
            if !peer.session.is_up {
                if peer.greeted.is_none_or(|at| now >= at + self.config.beat) {
                    unanswered.push(*id);
                }
                continue;
            }
            let digest = || self.table.digest(&peer.channels);
            peer.session.say(now, is_beat, digest, |body| {
                let message = Message { from, mine, yours, body };
                self.actions.push(Action::Transmit(To::Peer(*id), message.write()));
            });
        }
        for id in unanswered {
            self.greet(now, id);
        }
    }

    fn say_goodbye(&mut self) {
        for (id, peer) in std::mem::take(&mut self.peers) {
            self.transmit(To::Peer(id), peer.numbers(), Body::Bye);
        }
    }

    // Ends

    fn lose(&mut self, id: PeerId, why: Why) {
        if self.peers.remove(&id).is_some_and(|peer| peer.session.is_up) {
            self.actions.push(Action::Gone(id, why));
        }
    }

    /// Gives peers the time that this process has not run for: it could not have heard them.
    fn forgive(&mut self, now: Millis) {
        let slept = now.saturating_sub(self.polled);
        self.polled = now;
        if slept > 2 * self.config.beat {
            self.peers.values_mut().for_each(|peer| peer.forgive(now));
            self.down_since = self.down_since.map(|since| since + slept);
        }
    }

    /// Returns whether the link has been away for so long that all peers are gone.
    fn is_away(&self, now: Millis) -> bool {
        self.down_since.is_some_and(|since| now >= since + self.config.link_timeout)
    }

    fn bury(&mut self, now: Millis) {
        let is_down = self.down_since.is_some();
        if is_down && !self.is_away(now) {
            return;
        }
        let Config { peer_timeout, link_timeout, .. } = self.config;
        let end = |peer: &Peer| match peer.session.incoming.missing_since() {
            _ if is_down => Some(Why::Away),
            _ if now >= peer.heard + peer_timeout => Some(Why::Silent),
            // A link that is slow may take longer than a peer may be silent, as that is heard meanwhile.
            Some(since) if now >= since + peer_timeout.max(link_timeout) => Some(Why::Nonsense),
            _ => None,
        };
        let gone: Vec<_> =
            self.peers.iter().filter_map(|(id, peer)| Some((*id, end(peer)?))).collect();
        gone.into_iter().for_each(|(id, why)| self.lose(id, why));
    }
}
