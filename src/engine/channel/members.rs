//! The members of a channel, endpoint by endpoint: those with scarce room, and those that wait for that to
//! change.
//!
//! An emitter is held up by the members of other endpoints of which more than half of the room is used. There
//! is one exception. A listener may itself wait for room, and its event takes room as long as it does. Two
//! endpoints with listeners that wait for each other would wait for ever. So an endpoint is *blocked* if its
//! room is scarce only because of those of its own that wait. Blocked endpoints do not hold up blocked ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::endpoint::{Endpoint, Flush};
use super::member::Member;
use crate::engine::ids::MemberId;
use crate::engine::metrics;

/// The members of a channel. See the [module](self). Members that have room and do not wait cost nothing.
#[derive(Default)]
pub(super) struct Members {
    seats: BTreeMap<u32, Seat>,
    /// The endpoints of members with scarce room, and of those that wait for room.
    high: BTreeSet<u32>,
    waiting: BTreeSet<u32>,
}

/// The members of one endpoint.
struct Seat {
    endpoint: Arc<Endpoint>,
    members: BTreeMap<MemberId, Arc<Member>>,
    /// Members with more than half of the room used.
    high: BTreeSet<MemberId>,
    /// Number of times that each of those that wait for room has asked for it, and of all.
    waiting: BTreeMap<MemberId, usize>,
    asked: usize,
    /// As `waiting`, in the process that an endpoint is a ghost of.
    waiting_elsewhere: BTreeMap<MemberId, usize>,
}

impl Members {
    pub(super) fn enter(&mut self, member: Arc<Member>) {
        let seat = self.seats.entry(member.endpoint().id()).or_insert_with(|| Seat {
            endpoint: member.endpoint().clone(),
            members: BTreeMap::new(),
            high: BTreeSet::new(),
            waiting: BTreeMap::new(),
            asked: 0,
            waiting_elsewhere: BTreeMap::new(),
        });
        seat.members.insert(member.id(), member);
    }

    pub(super) fn exit(&mut self, member: &Member) {
        let (at, id) = (member.endpoint().id(), member.id());
        let Some(seat) = self.seats.get_mut(&at) else { return };
        seat.members.remove(&id);
        seat.high.remove(&id);
        seat.asked -= seat.waiting.remove(&id).unwrap_or_default();
        seat.waiting_elsewhere.remove(&id);
        let is_empty = seat.members.is_empty();
        self.index(at);
        if is_empty {
            self.seats.remove(&at);
        }
    }

    /// Returns the member with this number.
    pub(super) fn find(&self, number: u32) -> Option<&Arc<Member>> {
        metrics::VISITS.add(self.seats.len());
        let mut members = self.seats.values().flat_map(|seat| seat.members.values());
        members.find(|member| member.id().as_u32() == number)
    }

    /// Returns all members of other endpoints.
    pub(super) fn others(&self, except: &Endpoint) -> Vec<Arc<Member>> {
        let others = self.seats.iter().filter(|(at, _)| **at != except.id());
        let others: Vec<_> = others.flat_map(|(_, seat)| seat.members.values().cloned()).collect();
        metrics::VISITS.add(others.len());
        others
    }

    /// Returns all members.
    pub(super) fn all(&self) -> Vec<Arc<Member>> {
        self.seats.values().flat_map(|seat| seat.members.values().cloned()).collect()
    }

    /// Returns the number of other endpoints.
    pub(super) fn endpoints(&self, except: &Endpoint) -> usize {
        self.seats.len() - usize::from(self.seats.contains_key(&except.id()))
    }

    /// Returns the bursts of all endpoints.
    pub(super) fn bursts(&self) -> Vec<Arc<dyn Flush>> {
        metrics::VISITS.add(self.seats.len());
        self.seats.values().filter_map(|seat| seat.endpoint.burst().cloned()).collect()
    }

    /// Looks whether the room of a member is scarce now. Returns whether somebody of its endpoint
    /// waits for room.
    pub(super) fn look_at(&mut self, member: &Member) -> bool {
        let (at, id) = (member.endpoint().id(), member.id());
        let Some(seat) = self.seats.get_mut(&at) else { return false };
        // By now, not at the time of the change that made the caller look: of several, the last one to look is right.
        if member.capacity().is_high() && seat.members.contains_key(&id) {
            seat.high.insert(id);
        } else {
            seat.high.remove(&id);
        }
        let waits = !seat.waiting.is_empty();
        self.index(at);
        waits
    }

    /// Returns whether emitters of this endpoint are held up.
    pub(super) fn is_congested(&self, endpoint: u32) -> bool {
        let is_blocked = |at: &u32| self.seats.get(at).is_some_and(Seat::is_blocked);
        let mut others = self.high.iter().filter(|at| **at != endpoint);
        others.any(|at| !is_blocked(at) || !is_blocked(&endpoint))
    }

    /// Notes that a member asks to be told when it is held up no longer.
    pub(super) fn wait(&mut self, member: &Member) {
        let (at, id) = (member.endpoint().id(), member.id());
        if let Some(seat) = self.seats.get_mut(&at)
            && seat.members.contains_key(&id)
        {
            *seat.waiting.entry(id).or_default() += 1;
            seat.asked += 1;
            self.index(at);
        }
    }

    /// Returns the number of times that a member has asked, and still waits.
    pub(super) fn asked(&self, member: &Member) -> usize {
        let seat = self.seats.get(&member.endpoint().id());
        seat.and_then(|seat| seat.waiting.get(&member.id())).copied().unwrap_or_default()
    }

    /// Notes how often a member has asked in the process that it is of.
    pub(super) fn wait_elsewhere(&mut self, member: &Member, asked: usize) {
        let Some(seat) = self.seats.get_mut(&member.endpoint().id()) else { return };
        if asked > 0 && seat.members.contains_key(&member.id()) {
            seat.waiting_elsewhere.insert(member.id(), asked);
        } else {
            seat.waiting_elsewhere.remove(&member.id());
        }
    }

    /// Takes those that have asked, and are held up no longer. They wait no more.
    pub(super) fn served(&mut self) -> Vec<Arc<Member>> {
        metrics::VISITS.add(self.waiting.len());
        let free: Vec<u32> =
            self.waiting.iter().copied().filter(|at| !self.is_congested(*at)).collect();
        let mut served = Vec::new();
        for at in free {
            let Some(seat) = self.seats.get_mut(&at) else { continue };
            let waiting = std::mem::take(&mut seat.waiting);
            seat.asked = 0;
            served.extend(waiting.keys().filter_map(|id| seat.members.get(id).cloned()));
            self.index(at);
        }
        served
    }

    fn index(&mut self, at: u32) {
        let (high, waits) = self
            .seats
            .get(&at)
            .map_or((false, false), |s| (!s.high.is_empty(), !s.waiting.is_empty()));
        set(&mut self.high, at, high);
        set(&mut self.waiting, at, waits);
    }
}

impl Seat {
    fn is_blocked(&self) -> bool {
        let elsewhere: usize = self.waiting_elsewhere.values().sum();
        let asked = self.asked.saturating_add(elsewhere);
        let is_high = |id| {
            let member: Option<&Arc<Member>> = self.members.get(id);
            member.is_some_and(|member| member.capacity().is_high_without(asked))
        };
        !self.high.is_empty() && !self.high.iter().any(is_high)
    }
}

fn set(among: &mut BTreeSet<u32>, at: u32, is_in: bool) {
    if is_in {
        among.insert(at);
    } else {
        among.remove(&at);
    }
}
