//! The state of one peer: its ghosts, and the events under way in both directions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use slab::Slab;

use super::notes::{GhostWake, Ready};
use crate::cluster::frame::{Added, Joined};
use crate::cluster::names::{self, Name};
use crate::cluster::owed::{Owed, Sent};
use crate::cluster::peer::PeerId;
use crate::engine::capacity::MailboxLimits;
use crate::engine::channel::endpoint::Endpoint;
use crate::engine::channel::member::Member;
use crate::engine::channel::route::ListenerOptions;
use crate::engine::channel::{Batch, Channel, Delivery, Dispatch};
use crate::engine::outcome::{FailureKind, Started};

/// One peer. See the [module](self).
pub(super) struct Remote {
    id: PeerId,
    name: Arc<str>,
    number: u32,
    pub(super) is_synced: bool,
    /// By the numbers that the peer has for its endpoints and members.
    pub(super) ghosts: BTreeMap<u32, Ghost>,
    pub(super) members: HashMap<u32, Arc<Member>>,
    /// Members of listeners, and listeners of members.
    listeners: HashMap<u32, u32>,
    by_member: BTreeSet<(u32, u32)>,
    /// Events that the peer has.
    pub(super) owed: Owed<Work>,
    pub(super) batches: Slab<Batch>,
    /// The numbers of events that the peer has, by the addresses of their dispatches.
    pub(super) sent: HashMap<usize, Vec<u64>>,
    /// Those of them that listeners there follow, by the token that they are followed by here.
    pub(super) followed: HashMap<u32, u64>,
    /// Events of the peer that have not settled, by token.
    pub(super) received: HashMap<u32, Received>,
    /// Tokens of those of them that the peer may have more to say about.
    pub(super) tokens: HashMap<u64, u32>,
    pub(super) last_token: u32,
    /// The codebooks that the peer was told, by endpoint here.
    pub(super) books: HashMap<u32, Arc<[u8]>>,
    /// How many events of others members here have, as the peer was told.
    pub(super) loads: HashMap<u32, u32>,
    /// Number of times that members here wait for room, as the peer was told.
    pub(super) waits: HashMap<u32, u32>,
}

/// Stands for an endpoint of a peer.
pub(super) struct Ghost {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) thread: u32,
    pub(super) book: Vec<u8>,
    /// Members that are the emitters of its thread's events here, by channel.
    emitters: HashMap<Arc<str>, Arc<Member>>,
}

/// An event that a peer has.
pub(super) enum Work {
    /// One that is tracked.
    Tracked(Delivery),
    /// One of a batch, of which listeners have failed so far; or the reason why it did not get to them.
    Untracked { batch: usize, index: usize, failed: u32, lost: Option<FailureKind> },
}

/// An event of a peer.
pub(super) struct Received {
    pub(super) id: u64,
    pub(super) dispatch: Weak<Dispatch>,
    /// The peer's index of each listener, if that is not the place here.
    pub(super) places: Option<Vec<u32>>,
    pub(super) left: usize,
    /// It is for one listener.
    pub(super) is_of_one: bool,
    /// The member that has it.
    pub(super) member: u32,
}

impl Remote {
    pub(super) fn new(id: PeerId, name: Arc<str>) -> Self {
        Remote {
            number: names::number(Name { peer: id, name: name.clone(), thread: None }),
            id,
            name,
            is_synced: false,
            ghosts: BTreeMap::new(),
            members: HashMap::new(),
            listeners: HashMap::new(),
            by_member: BTreeSet::new(),
            owed: Owed::default(),
            batches: Slab::new(),
            sent: HashMap::new(),
            followed: HashMap::new(),
            received: HashMap::new(),
            tokens: HashMap::new(),
            last_token: 0,
            books: HashMap::new(),
            loads: HashMap::new(),
            waits: HashMap::new(),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn unsettled(&self) -> usize {
        self.owed.len() + self.received.len()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.received.is_empty()
            || self.loads.values().any(|load| *load > 0)
            || !self.waits.is_empty()
    }

    // Ghosts

    /// Takes in a member, and its endpoint if that is not known.
    pub(super) fn join(&mut self, joined: &Joined, channel: &Arc<Channel>, ready: &Arc<Ready>) {
        self.leave(joined.member);
        let Remote { id, name, ghosts, .. } = self;
        let ghost = ghosts.entry(joined.endpoint).or_insert_with(|| {
            let (ready, peer, endpoint) = (ready.clone(), *id, joined.endpoint);
            let wake = Arc::new(GhostWake { ready, peer, endpoint });
            let name = Name { peer, name: name.clone(), thread: Some(joined.thread) };
            Ghost {
                endpoint: Endpoint::ghost(names::number(name), wake),
                thread: joined.thread,
                book: Vec::new(),
                emitters: HashMap::new(),
            }
        });
        let limits = MailboxLimits {
            max_messages: usize::try_from(joined.max_messages).unwrap_or(usize::MAX),
            max_bytes: usize::try_from(joined.max_bytes).unwrap_or(usize::MAX),
        };
        let member = ghost.endpoint.join(channel.name(), limits);
        self.members.insert(joined.member, member);
    }

    pub(super) fn leave(&mut self, member: u32) {
        if let Some(left) = self.members.remove(&member) {
            left.leave();
        }
        let listeners = self.by_member.range((member, 0)..=(member, u32::MAX)).copied();
        for (member, listener) in listeners.collect::<Vec<_>>() {
            self.by_member.remove(&(member, listener));
            self.listeners.remove(&listener);
        }
    }

    /// Has all members leave: nothing more is addressed to them.
    pub(super) fn leave_all(&mut self) {
        self.listeners.clear();
        self.by_member.clear();
        self.members.drain().for_each(|(_, member)| member.leave());
    }

    /// Forgets an endpoint, with its members. All that it has emitted has settled.
    pub(super) fn forget_endpoint(&mut self, endpoint: u32, has_ended: bool) {
        let Some(ghost) = self.ghosts.remove(&endpoint) else { return };
        let members = self.members.iter();
        let of = members.filter(|(_, member)| Arc::ptr_eq(member.endpoint(), &ghost.endpoint));
        let of: Vec<_> = of.map(|(number, member)| (*number, member.channel().clone())).collect();
        let mut told: Vec<Arc<Channel>> = Vec::new();
        for (number, channel) in of {
            self.leave(number);
            if has_ended && !told.iter().any(|known| Arc::ptr_eq(known, &channel)) {
                told.push(channel);
            }
        }
        ghost.endpoint.vanish();
        told.iter().for_each(|channel| channel.tell_of_exit(&ghost.endpoint));
    }

    pub(super) fn add(&mut self, added: &Added) {
        let Some(member) = self.members.get(&added.member) else { return };
        let Added { listener, ref event, once, prepend, tracked, ref group, .. } = *added;
        let options = ListenerOptions { once, prepend, group: group.clone(), tracked };
        member.listen(event, listener, options);
        self.listeners.insert(listener, added.member);
        self.by_member.insert((added.member, listener));
    }

    pub(super) fn remove(&mut self, listener: u32) {
        let Some(of) = self.listeners.remove(&listener) else { return };
        self.by_member.remove(&(of, listener));
        if let Some(member) = self.members.get(&of) {
            let _ = member.unlisten(listener);
        }
    }

    /// Returns the member that events of an endpoint of the peer are delivered for.
    pub(super) fn emitter(&mut self, endpoint: u32, channel: &str) -> Option<Arc<Member>> {
        let ghost = self.ghosts.get_mut(&endpoint)?;
        if let Some(member) = ghost.emitters.get(channel) {
            return Some(member.clone());
        }
        let member = ghost.endpoint.join(channel, MailboxLimits::default());
        ghost.emitters.insert(channel.into(), member.clone());
        Some(member)
    }

    // Ends

    /// Ends all that is under way: the peer is gone.
    pub(super) fn end(mut self) {
        // First, so that none of it goes to another ghost of the same peer.
        self.ghosts.values().for_each(|ghost| ghost.endpoint.shun());
        self.leave_all();
        for ghost in self.ghosts.values() {
            ghost.endpoint.vanish();
        }
        let all: Vec<_> = self.owed.take_all().collect();
        for Sent { what, started, .. } in all {
            let started = if started { Started::Yes } else { Started::Unknown };
            self.lose(what, FailureKind::PeerGone(started));
        }
        for received in self.received.values() {
            received.dispatch.upgrade().iter().for_each(Dispatch::cancel);
        }
        self.ghosts.values().for_each(|ghost| ghost.endpoint.leave_followers());
    }

    /// Fails all that is left of an event.
    pub(super) fn lose(&mut self, work: Work, kind: FailureKind) {
        match work {
            Work::Tracked(delivery) => delivery.fail_rest(kind),
            Work::Untracked { batch, index, .. } => {
                self.settle_untracked(batch, |events| events.lose(index, kind));
            }
        }
    }

    /// Settles events of a batch. With the last one it is forgotten.
    pub(super) fn settle_untracked(&mut self, batch: usize, settle: impl FnOnce(&mut Batch)) {
        let Some(events) = self.batches.get_mut(batch) else { return };
        settle(events);
        if events.is_settled() {
            self.batches.remove(batch);
        }
    }
}
