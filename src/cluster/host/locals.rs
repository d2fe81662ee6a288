//! The members and listeners of this process, as peers are told of them.
//!
//! The engine uses the id of a listener again. An event that is under way to an earlier listener must not come to the
//! new one. So for peers each has a number of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::notes::Note;
use crate::cluster::frame::{Added, Change, Joined};
use crate::engine::channel::endpoint::Endpoint;
use crate::engine::channel::member::Member;
use crate::engine::channel::route::{ListenerOptions, Route};
use crate::engine::ids::ListenerId;

/// The members and listeners of this process. See the [module](self).
pub(super) struct Locals {
    /// Names of channels for peers, by their names here.
    channels: HashMap<Arc<str>, Arc<str>>,
    members: HashMap<u32, Local>,
    listeners: HashMap<u32, Target>,
    /// Number of members of each endpoint that has some, by its id.
    endpoints: BTreeMap<u32, usize>,
    /// Endpoints without members, of which peers were not told yet.
    ending: Vec<Arc<Endpoint>>,
    last: u32,
}

struct Local {
    member: Arc<Member>,
    numbers: HashMap<ListenerId, u32>,
}

/// A listener of this process.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) member: Arc<Member>,
    pub(super) route: Arc<Route>,
    pub(super) id: ListenerId,
}

impl Locals {
    pub(super) fn new(channels: HashMap<Arc<str>, Arc<str>>) -> Self {
        Locals {
            channels,
            members: HashMap::new(),
            listeners: HashMap::new(),
            endpoints: BTreeMap::new(),
            ending: Vec::new(),
            last: 0,
        }
    }

    /// Returns the listener of a number, if it is there.
    pub(super) fn target(&self, number: u32) -> Option<&Target> {
        self.listeners.get(&number)
    }

    pub(super) fn has(&self, member: u32) -> bool {
        self.members.contains_key(&member)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values().map(|local| &local.member)
    }

    /// Applies notes. Returns the changes to tell peers of.
    pub(super) fn apply(&mut self, notes: Vec<Note>) -> Vec<Change> {
        let mut changes = Vec::new();
        for note in notes {
            match note {
                Note::Joined(member) => self.join(&member, &mut changes),
                Note::Left(member, has_ended) => self.leave(member, has_ended, &mut changes),
                Note::Added(member, event, id, options) => {
                    self.join(&member, &mut changes);
                    changes.extend(self.add(&member, event, id, options));
                }
                Note::Removed(member, id) => changes.extend(self.remove(member, id)),
            }
        }
        // Peers are told of all events of an endpoint before its end.
        let is_over = |endpoint: &mut Arc<Endpoint>| !endpoint.is_pending();
        let ended = self.ending.extract_if(.., is_over);
        changes.extend(ended.map(|endpoint| match endpoint.has_ended() {
            true => Change::Ended(endpoint.id()),
            false => Change::Emptied(endpoint.id()),
        }));
        changes
    }

    /// Returns the changes after which nobody listens here.
    pub(super) fn retire(&mut self) -> Vec<Change> {
        self.channels.clear();
        self.listeners.clear();
        self.members.drain().map(|(member, _)| Change::Left(member)).collect()
    }

    fn join(&mut self, member: &Arc<Member>, changes: &mut Vec<Change>) {
        let number = member.id().as_u32();
        if self.members.contains_key(&number) || member.has_left() {
            return;
        }
        let endpoint = member.endpoint();
        *self.endpoints.entry(endpoint.id()).or_default() += 1;
        self.ending.retain(|ending| !Arc::ptr_eq(ending, endpoint));
        self.members.insert(number, Local { member: member.clone(), numbers: HashMap::new() });
        let Some(channel) = self.channels.get(member.channel().name()) else { return };
        let limits = member.capacity().limits();
        changes.push(Change::Joined(Joined {
            member: number,
            endpoint: endpoint.id(),
            thread: endpoint.thread(),
            channel: channel.clone(),
            max_messages: limits.max_messages as u64,
            max_bytes: limits.max_bytes as u64,
        }));
    }

    fn leave(&mut self, member: u32, has_ended: bool, changes: &mut Vec<Change>) {
        let Some(local) = self.members.remove(&member) else { return };
        let targets = local.numbers.values().filter_map(|number| self.listeners.remove(number));
        let routes = targets.map(|target| target.route).collect();
        local.member.channel().let_go(routes);
        let endpoint = local.member.endpoint();
        if has_ended {
            // They leave with their thread. The news of its end says to peers where it was.
            changes.extend(local.numbers.values().map(|number| Change::Removed(*number)));
        } else {
            changes.push(Change::Left(member));
        }
        let members = self.endpoints.entry(endpoint.id()).or_default();
        *members = members.saturating_sub(1);
        if *members == 0 {
            self.endpoints.remove(&endpoint.id());
            self.ending.push(endpoint.clone());
        }
    }

    fn add(
        &mut self,
        member: &Arc<Member>,
        event: Arc<str>,
        id: ListenerId,
        options: ListenerOptions,
    ) -> Option<Change> {
        let local = self.members.get_mut(&member.id().as_u32())?;
        if let Some(known) = local.numbers.get(&id).and_then(|number| self.listeners.get(number))
            && *known.route.event() == *event
        {
            return None;
        }
        self.last += 1;
        let listener = self.last;
        local.numbers.insert(id, listener);
        let route = member.channel().route(&event);
        self.listeners.insert(listener, Target { member: member.clone(), route, id });
        let ListenerOptions { once, prepend, group, tracked } = options;
        let member = member.id().as_u32();
        Some(Change::Added(Added { listener, member, event, once, prepend, tracked, group }))
    }

    fn remove(&mut self, member: u32, id: ListenerId) -> Option<Change> {
        let number = self.members.get_mut(&member)?.numbers.remove(&id)?;
        let target = self.listeners.remove(&number)?;
        target.member.channel().let_go(vec![target.route]);
        Some(Change::Removed(number))
    }
}
