//! A process of a simulation: a bridge, and a model of the engine behind it.

use std::collections::{BTreeMap, VecDeque};

use parallel_event_bus::cluster::Millis;
use parallel_event_bus::cluster::bridge::{Action, Bridge, Config, Input, Skew, To, Why};
use parallel_event_bus::cluster::frame::{Added, Change, Event, Frame, Joined};
use parallel_event_bus::cluster::outgoing::Window;
use parallel_event_bus::cluster::owed::{Owed, Sent};
use parallel_event_bus::cluster::peer::PeerId;
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::payload::Payload;

use crate::ledger::Ledger;

pub const CHANNEL: &str = "orders";
pub const WINDOW: Window = Window { messages: 16, bytes: 4_096 };
/// Events that are taken in one turn, at most.
pub const MOST_INPUTS: usize = 40;
/// Of each process of a simulation.
const MEMBER: u32 = 7;

pub fn id(number: u64) -> PeerId {
    let mut bytes = [0; PeerId::BYTES];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PeerId::new(bytes)
}

pub fn config(number: u64) -> Config {
    Config {
        id: id(number),
        space: "test".into(),
        name: format!("node {number}").into(),
        channels: [CHANNEL.into()].into(),
        window: WINDOW,
        most: 1_024,
        longest: 1 << 20,
        beat: 1_000,
        peer_timeout: 5_000,
        link_timeout: 30_000,
    }
}

/// An event that has come and was not settled.
pub struct Received {
    pub from: PeerId,
    pub id: u64,
    pub listeners: u32,
}

pub struct Node {
    pub id: PeerId,
    pub bridge: Bridge,
    pub owed: BTreeMap<PeerId, Owed<u64>>,
    pub received: VecDeque<Received>,
    pub inputs: Vec<Input>,
    pub gone: Vec<(PeerId, Why)>,
    pub joined: Vec<PeerId>,
    pub skewed: Vec<(PeerId, Skew)>,
    pub is_stopped: bool,
    last_listener: u32,
}

impl Node {
    pub fn new(config: Config, now: Millis) -> Self {
        let id = config.id;
        let joined = Joined {
            member: MEMBER,
            endpoint: 3,
            thread: 0,
            channel: CHANNEL.into(),
            max_messages: 100,
            max_bytes: 1 << 20,
        };
        Node {
            id,
            bridge: Bridge::new(config, now),
            owed: BTreeMap::new(),
            received: VecDeque::new(),
            inputs: vec![Input::Local(Change::Joined(joined)), Input::Up],
            gone: Vec::new(),
            joined: Vec::new(),
            skewed: Vec::new(),
            is_stopped: false,
            last_listener: 0,
        }
    }

    pub fn listen(&mut self, event: &str) -> u32 {
        self.last_listener += 1;
        let added = Added {
            listener: self.last_listener,
            member: MEMBER,
            event: event.into(),
            once: false,
            prepend: false,
            tracked: false,
            group: None,
        };
        self.inputs.push(Input::Local(Change::Added(added)));
        self.last_listener
    }

    pub fn unlisten(&mut self, listener: u32) {
        self.inputs.push(Input::Local(Change::Removed(listener)));
    }

    /// Sends an event for so many listeners to a peer, if there is room.
    pub fn emit(&mut self, to: PeerId, listeners: u32, size: usize, ledger: &mut Ledger) -> bool {
        // Inputs for the next turn are not in the bridge yet.
        if !self.bridge.has_room(to) || self.inputs.len() >= MOST_INPUTS {
            return false;
        }
        let number = ledger.emitted(self.id, to, listeners);
        let id = self.owed.entry(to).or_default().add(number, listeners);
        let payload = [&number.to_be_bytes()[..], &vec![7; size]].concat();
        let event = Event {
            id,
            endpoint: 3,
            listeners: (1..=listeners).collect(),
            request: false,
            awaited: true,
            must_start: false,
            timeout: None,
            payload: Payload::copy(&payload).unwrap(),
        };
        self.inputs.push(Input::Send(to, Frame::Event(event)));
        true
    }

    /// Settles an event that has come, in one of several ways.
    pub fn settle(&mut self, at: usize, how: usize) {
        let count = self.received.len();
        let Some(received) = self.received.remove(at % count.max(1)) else { return };
        let Received { from, id, listeners } = received;
        let kind = || FailureKind::Threw(b"no".to_vec());
        let frames = match how % 3 {
            0 => vec![Frame::Done { first: id, count: 1 }],
            1 => vec![Frame::Refused { id, kind: kind() }],
            _ => (0..listeners)
                .map(|index| Frame::Failed { id, index, kind: kind(), started: true })
                .collect(),
        };
        self.inputs.extend(frames.into_iter().map(|frame| Input::Send(from, frame)));
    }

    /// Runs the bridge. Returns the messages that it transmits.
    pub fn poll(&mut self, now: Millis, ledger: &mut Ledger) -> Vec<(To, Vec<u8>)> {
        let inputs = std::mem::take(&mut self.inputs);
        let mut sent = Vec::new();
        for action in self.bridge.poll(now, inputs) {
            match action {
                Action::Transmit(to, bytes) => sent.push((to, bytes)),
                Action::Joined(peer) => self.joined.push(peer),
                Action::Gone(peer, why) => self.lose(peer, why, ledger),
                Action::Received(peer, frame) => self.hear(peer, frame, ledger),
                Action::Skewed(peer, skew) => self.skewed.push((peer, skew)),
            }
        }
        sent
    }

    fn lose(&mut self, peer: PeerId, why: Why, ledger: &mut Ledger) {
        self.gone.push((peer, why));
        for Sent { what, left, .. } in self.owed.entry(peer).or_default().take_all() {
            ledger.settled(what, left);
        }
        // Its settlements would be of a session that is over.
        self.owed.remove(&peer);
        self.received.retain(|received| received.from != peer);
    }

    fn hear(&mut self, from: PeerId, frame: Frame, ledger: &mut Ledger) {
        let owed = self.owed.entry(from).or_default();
        match frame {
            Frame::Event(event) => {
                let number = u64::from_be_bytes(event.payload[..8].try_into().unwrap());
                ledger.received(self.id, number);
                let listeners = event.listeners.len() as u32;
                self.received.push_back(Received { from, id: event.id, listeners });
            }
            Frame::Done { first, count } => {
                let done = owed.take_range(first, count);
                done.iter().for_each(|(_, sent)| ledger.settled(sent.what, sent.left));
            }
            Frame::Refused { id, .. } => {
                owed.take(id).iter().for_each(|sent| ledger.settled(sent.what, sent.left));
            }
            Frame::Failed { id, .. } => owed.settle(id, |number| ledger.settled(*number, 1)),
            _ => {}
        }
    }
}
