//! Joins a bridge to the engine of this process.
//!
//! For each member of a peer there is a *ghost* here: a member of an endpoint that stands for the peer's thread. Events
//! for it lie in the mailbox of that endpoint, bounded as for any other member, until the peer may be sent some. The
//! peer delivers them to the listeners that were chosen here, and tells the outcome of each.
//!
//! * [`notes`] has the engine's notes of listeners here, [`locals`] makes changes for peers of them.
//! * [`remote`] has the state of one peer: its ghosts, and the events under way in both directions.
//! * [`sending`] takes events out of ghosts' mailboxes, [`receiving`] delivers those of peers.
//! * [`settling`] carries outcomes, both ways.
//!
//! Nothing in here does I/O. The owner calls [`Host::turn`] with the link's inputs, whenever it was woken.

mod locals;
mod notes;
mod receiving;
mod remote;
mod sending;
mod settling;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Millis;
use super::bridge::{Action, Bridge, Config, Input, Skew, To, Why};
use super::peer::PeerId;
use crate::engine::channel::{self, Channel};
use crate::engine::mailbox::Wake;
use locals::Locals;
use notes::{Notes, Ready};
use remote::Remote;

/// A peer has joined; its [number](super::names).
pub const PEER_JOIN: u32 = 1;
/// A peer is gone; its number.
pub const PEER_EXIT: u32 = 2;
/// The state of the link has changed.
pub const LINK_STATE: u32 = 3;

/// Time between two reports of how much members have to do.
const LOAD_EVERY: Millis = 100;

/// Number of rounds of one turn: more may come in the meantime, and others want to be heard.
const MOST_ROUNDS: usize = 4;

/// Bytes that a frame has beside the payload of an event, at most, but for the numbers of very many listeners.
pub const FRAME_OVERHEAD: usize = 1 << 16;

/// News for the owner of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A peer is there, and has told of its listeners.
    Joined(PeerId),
    /// A peer is gone.
    Gone(PeerId, Why),
    /// A process of another version is there.
    Skewed(PeerId, Skew),
}

/// A peer, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its id.
    pub id: PeerId,
    /// Its name.
    pub name: Arc<str>,
    /// Number of its listeners that this process knows of.
    pub listeners: usize,
    /// Its version within the major one.
    pub minor: u8,
    /// It has told of all that listened there when it was met.
    pub has_joined: bool,
}

/// A bridge with the engine behind it. See the [module](self).
pub struct Host {
    bridge: Bridge,
    /// The channels, by the names that peers know them by.
    channels: BTreeMap<Arc<str>, Arc<Channel>>,
    notes: Arc<Notes>,
    locals: Locals,
    ready: Arc<Ready>,
    /// Endpoints with messages for a peer that has no room: peer, and endpoint there.
    waiting: Vec<(PeerId, u32)>,
    remotes: BTreeMap<PeerId, Remote>,
    /// For the bridge, in the next round.
    inputs: Vec<Input>,
    happened: Vec<Happened>,
    /// Bytes of the largest event.
    max_event: usize,
    load_at: Millis,
    /// Number of changes of peers and their listeners.
    changes: u64,
}

impl Host {
    /// Returns a host for these channels: the name that peers know, and the one here. `wake` is called when there is
    /// something to do.
    pub fn new(
        config: Config,
        channels: impl IntoIterator<Item = (Arc<str>, Arc<str>)>,
        max_event: usize,
        wake: Arc<dyn Wake>,
        now: Millis,
    ) -> Self {
        let open = |(there, here): (Arc<str>, Arc<str>)| (there, channel::open(&here));
        let channels: BTreeMap<_, _> = channels.into_iter().map(open).collect();
        let notes = Arc::new(Notes::new(wake.clone()));
        channels.values().for_each(|channel| channel.observe(Some(notes.clone())));
        let names = channels.iter().map(|(there, channel)| (channel.name().into(), there.clone()));
        Host {
            bridge: Bridge::new(config, now),
            locals: Locals::new(names.collect()),
            channels,
            notes,
            ready: Arc::new(Ready::new(wake)),
            waiting: Vec::new(),
            remotes: BTreeMap::new(),
            inputs: Vec::new(),
            happened: Vec::new(),
            max_event,
            load_at: now,
            changes: 0,
        }
    }

    /// Takes the link's inputs, changes of listeners here, and events under way. Returns the messages to be sent.
    pub fn turn(
        &mut self,
        now: Millis,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Vec<(To, Vec<u8>)> {
        self.inputs.extend(inputs);
        // A peer that knows its message to have come takes it that it was told of all that had changed here by then.
        self.apply_notes();
        let mut messages = Vec::new();
        for _ in 0..MOST_ROUNDS {
            // First the link's inputs: nothing is to be sent to a peer that is gone.
            let inputs = std::mem::take(&mut self.inputs);
            for action in self.bridge.poll(now, inputs) {
                self.act(action, &mut messages);
            }
            self.collect();
            self.tell_loads(now);
            if self.inputs.is_empty() {
                break;
            }
        }
        if self.has_more() {
            self.notes.wake();
        }
        messages
    }

    /// Returns the messages with all events that wait, as far as peers have room for them, and the goodbye.
    pub fn last_words(&mut self, now: Millis) -> Vec<(To, Vec<u8>)> {
        let mut messages = self.turn(now, []);
        // Each message takes room, which nobody gives back meanwhile.
        while self.has_more() {
            messages.extend(self.turn(now, []));
        }
        messages.extend(self.turn(now, [Input::Bye]));
        messages
    }

    /// Returns whether another turn would send more: not all was taken, and peers have room for it.
    fn has_more(&self) -> bool {
        let has_room = |(peer, _): &(PeerId, u32)| self.bridge.has_room(*peer);
        !self.inputs.is_empty() || self.waiting.iter().any(has_room)
    }

    /// Returns when to call [`turn`](Self::turn) again, at the latest.
    pub fn wakes_at(&self) -> Millis {
        let is_busy = self.remotes.values().any(Remote::is_busy);
        let beat = self.bridge.wakes_at();
        if is_busy { beat.min(self.load_at) } else { beat }
    }

    /// Takes the news.
    pub fn happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    /// Returns the peers that are there.
    pub fn peers(&self) -> Vec<PeerInfo> {
        let info = |(id, peer): (PeerId, &super::bridge::Peer)| PeerInfo {
            id,
            name: peer.name().clone(),
            listeners: peer.table().listeners(),
            minor: peer.minor(),
            has_joined: self.remotes.get(&id).is_some_and(|remote| remote.is_synced),
        };
        self.bridge.peers().map(info).collect()
    }

    /// Returns a number that is another one whenever [`peers`](Self::peers) has changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns the bridge.
    pub fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    /// Tells all members of this process's channels a piece of news: its kind, and its number.
    pub fn announce(&self, what: u32, number: u32) {
        self.channels.values().for_each(|channel| channel.announce(what, number));
    }

    /// Tells peers that nobody listens here any more. Events under way go on.
    pub fn retire(&mut self) {
        self.channels.values().for_each(|channel| channel.observe(None));
        self.inputs.extend(self.locals.retire().into_iter().map(Input::Local));
        // Nothing more is addressed to peers either.
        self.remotes.values_mut().for_each(Remote::leave_all);
    }

    /// Returns the number of events that have not settled: of this process, and of peers.
    pub fn unsettled(&self) -> usize {
        self.remotes.values().map(Remote::unsettled).sum()
    }

    fn act(&mut self, action: Action, messages: &mut Vec<(To, Vec<u8>)>) {
        match action {
            Action::Transmit(to, bytes) => messages.push((to, bytes)),
            Action::Joined(id) => {
                let name = self.bridge.peer(id).map(|peer| peer.name().clone());
                self.remotes.insert(id, Remote::new(id, name.unwrap_or_default()));
                self.changes += 1;
            }
            Action::Gone(id, why) => self.lose(id, why),
            Action::Received(id, frame) => self.receive(id, frame),
            Action::Skewed(id, skew) => self.happened.push(Happened::Skewed(id, skew)),
        }
    }

    fn lose(&mut self, id: PeerId, why: Why) {
        let Some(remote) = self.remotes.remove(&id) else { return };
        self.changes += 1;
        self.waiting.retain(|(of, _)| *of != id);
        let (number, was_told) = (remote.number(), remote.is_synced);
        remote.end();
        self.happened.push(Happened::Gone(id, why));
        if was_told {
            self.announce(PEER_EXIT, number);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.channels.values().for_each(|channel| channel.observe(None));
        for (_, remote) in std::mem::take(&mut self.remotes) {
            remote.end();
        }
    }
}
