//! The listeners to one event, member by member. Kept, and locked, by a [route](super::route).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::affinity::Lines;
use super::choosing::Addressed;
use super::member::Member;
use super::observer::Observed;
use super::route::{ListenerOptions, Own};
use super::row::{Entry, Row};
use super::service::Service;
use super::sharing::Backlogs;
use crate::engine::delivery::recipient::{Choice, Recipient};
use crate::engine::ids::{ListenerId, MemberId};
use crate::engine::metrics;

/// The listeners to an event. See the [module](self).
pub(super) struct Table {
    /// One for each member that listens, in the order in which they began to; and, for a while, those of
    /// members that no longer do, without entries.
    pub(super) rows: Vec<Row>,
    /// What was given to one of several and has not started.
    pub(super) backlogs: Backlogs,
    /// What has a key and is in flight.
    pub(super) lines: Lines,
    /// Where the row of each member that listens is.
    pub(super) places: HashMap<MemberId, usize>,
    /// Grouped listeners in all rows.
    grouped: usize,
    /// Listeners in all rows that events do not come to in batches.
    pub(super) special: usize,
    /// Number of times that one of several was chosen.
    pub(super) choices: u64,
    pub(super) event: Arc<str>,
    observed: Arc<Observed>,
}

/// A member that is to get events, with its listeners without a group.
pub(super) struct Audience<'a> {
    pub(super) member: &'a Arc<Member>,
    pub(super) listeners: &'a [ListenerId],
    addressed: &'a mut u64,
}

impl Audience<'_> {
    /// Counts events that are on their way to them.
    pub(super) fn are_addressed(self, events: usize) {
        *self.addressed += events as u64;
    }
}

impl Table {
    pub(super) fn of(event: Arc<str>, observed: Arc<Observed>) -> Self {
        Table {
            rows: Vec::new(),
            backlogs: Backlogs::default(),
            lines: Lines::default(),
            places: HashMap::new(),
            grouped: 0,
            special: 0,
            choices: 0,
            event,
            observed,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns whether events come to all listeners in batches.
    pub(super) fn is_plain(&self) -> bool {
        self.special == 0
    }

    pub(super) fn has_others(&self, member: &Arc<Member>) -> bool {
        let is_other = |row: &Row| !row.is_empty() && !Arc::ptr_eq(&row.member, member);
        self.rows.iter().any(is_other)
    }

    /// Returns the number of endpoints with a listener.
    pub(super) fn breadth(&self) -> usize {
        let listening = self.rows.iter().filter(|row| !row.is_empty());
        listening.map(|row| row.member.endpoint().id()).collect::<HashSet<_>>().len()
    }

    /// Returns whether another member of the same endpoint listens.
    pub(super) fn has_siblings(&self, member: &Arc<Member>) -> bool {
        let is_other = |row: &Row| !Arc::ptr_eq(&row.member, member);
        let mut siblings = self.rows.iter().filter(|row| is_other(row));
        siblings.any(|row| Arc::ptr_eq(row.member.endpoint(), member.endpoint()))
    }

    pub(super) fn add(&mut self, member: &Arc<Member>, id: ListenerId, options: ListenerOptions) {
        let (event, observed) = (self.event.clone(), self.observed.clone());
        observed.note(member, |observer| observer.added(member, &event, id, &options));
        let ListenerOptions { once, prepend, group, tracked } = options;
        self.grouped += usize::from(group.is_some());
        let row = self.row(member);
        let entry = Entry { id, once, group, tracked, chosen: 0, since: row.addressed };
        let is_special = entry.is_special();
        row.everyone = None;
        if prepend {
            row.entries.insert(0, entry)
        } else {
            row.entries.push(entry)
        }
        self.special += usize::from(is_special);
    }

    /// Returns whether an event may have been addressed to the listener.
    #[must_use]
    pub(super) fn remove(&mut self, member: &Arc<Member>, id: ListenerId) -> bool {
        let Some(&at) = self.places.get(&member.id()) else { return true };
        let row = &self.rows[at];
        // One that is not there was claimed.
        let Some(entry) = row.entries.iter().position(|entry| entry.id == id) else { return true };
        let was_addressed = row.entries[entry].since != row.addressed;
        self.take_entry(at, entry);
        self.tidy();
        was_addressed
    }

    /// Removes all listeners of a member.
    pub(super) fn remove_all(&mut self, member: &Arc<Member>) {
        let Some(&at) = self.places.get(&member.id()) else { return };
        while let Some(last) = self.rows[at].entries.len().checked_sub(1) {
            self.take_entry(at, last);
        }
        self.tidy();
    }

    /// Lets go of members without listeners, when they are many: so that it costs each of them the same,
    /// however many there are.
    fn tidy(&mut self) {
        if 2 * self.places.len() < self.rows.len() {
            self.prune();
        }
    }

    /// Lets go of members without listeners.
    pub(super) fn prune(&mut self) {
        if self.places.len() == self.rows.len() {
            return;
        }
        metrics::VISITS.add(self.rows.len());
        self.rows.retain(|row| !row.is_empty());
        for (at, row) in self.rows.iter().enumerate() {
            self.places.insert(row.member.id(), at);
        }
    }

    /// Returns whether no two of the other members are of one endpoint.
    pub(super) fn have_endpoints_of_their_own(&self, emitter: &Arc<Member>) -> bool {
        let is_other = |row: &&Row| !row.is_empty() && !Arc::ptr_eq(&row.member, emitter);
        let mut others = self.rows.iter().filter(is_other).map(|row| row.member.endpoint().id());
        let first = others.next();
        let mut seen = HashSet::new();
        others.all(|endpoint| Some(endpoint) != first && seen.insert(endpoint))
    }

    /// Returns the endpoints of the other members, each once.
    pub(super) fn endpoints(&self, emitter: &Arc<Member>) -> Vec<u32> {
        let is_other = |row: &&Row| !row.is_empty() && !Arc::ptr_eq(&row.member, emitter);
        let mut seen = HashSet::new();
        let ids = self.rows.iter().filter(is_other).map(|row| row.member.endpoint().id());
        ids.filter(|id| seen.insert(*id)).collect()
    }

    /// Returns the number of listeners that an event would be for: of each group one.
    pub(super) fn audience(&self) -> usize {
        let is_alone = |entry: &&Entry| entry.group.is_none();
        let alone = self.rows.iter().flat_map(|row| &row.entries).filter(is_alone).count();
        alone + self.groups().len()
    }

    /// Returns the other members.
    pub(super) fn others(&mut self, emitter: &Arc<Member>) -> impl Iterator<Item = Audience<'_>> {
        let is_other = |row: &&mut Row| !row.is_empty() && !Arc::ptr_eq(&row.member, emitter);
        self.rows.iter_mut().filter(is_other).filter_map(|row| {
            row.everyone();
            let Row { member, everyone, addressed, .. } = row;
            Some(Audience { member, listeners: everyone.as_deref()?, addressed })
        })
    }

    /// Addresses all listeners without a group. `once` ones are claimed, but not by an event that they do not
    /// get for want of room.
    pub(super) fn address_everyone(
        &mut self,
        emitter: &Arc<Member>,
        size: usize,
        addressed: &mut Addressed,
    ) {
        for row in self.rows.iter_mut().filter(|row| !row.is_empty()) {
            if Arc::ptr_eq(&row.member, emitter) {
                let once = row.entries.iter().filter(|entry| entry.group.is_none() && entry.once);
                let once = once.map(|entry| Own { listener: entry.id, chosen: false });
                addressed.own.extend(once);
                self.special -= row.claim_once(&self.observed);
            } else {
                let listeners = row.everyone();
                if listeners.is_empty() {
                    continue;
                }
                let room = row.member.take_room(size);
                row.addressed += u64::from(room.is_ok());
                let claimed = if room.is_ok() { row.claim_once(&self.observed) } else { 0 };
                self.special -= claimed;
                let member = row.member.clone();
                addressed.recipients.push(Recipient::new(
                    member,
                    listeners,
                    Choice::Everyone,
                    room,
                    claimed > 0,
                ));
            }
            if row.is_empty() {
                self.places.remove(&row.member.id());
            }
        }
    }

    /// Returns the names of the groups, each once.
    pub(super) fn groups(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        if self.grouped == 0 {
            return names;
        }
        for group in self.rows.iter().flat_map(|row| &row.entries).filter_map(|e| e.group.as_ref())
        {
            if !names.contains(group) {
                names.push(group.clone());
            }
        }
        names
    }

    /// Adds the groups of listeners, by member.
    pub(super) fn add_groups(&self, groups: &mut HashMap<MemberId, BTreeSet<Arc<str>>>) {
        for row in &self.rows {
            for group in row.entries.iter().filter_map(|entry| entry.group.as_ref()) {
                groups.entry(row.member.id()).or_default().insert(group.clone());
            }
        }
    }

    fn row(&mut self, member: &Arc<Member>) -> &mut Row {
        let rows = &mut self.rows;
        let at = *self.places.entry(member.id()).or_insert_with(|| {
            rows.push(Row {
                member: member.clone(),
                entries: Vec::new(),
                everyone: None,
                addressed: 0,
                service: Service::default(),
                has_offer: false,
            });
            rows.len() - 1
        });
        &mut self.rows[at]
    }

    pub(super) fn take_entry(&mut self, row: usize, entry: usize) {
        let entry = self.rows[row].entries.remove(entry);
        self.took_entry(row, &entry);
    }

    /// Notes that an entry was taken out of a row.
    pub(super) fn took_entry(&mut self, row: usize, entry: &Entry) {
        let row = &mut self.rows[row];
        self.observed.note(&row.member, |observer| observer.removed(&row.member, entry.id));
        row.everyone = None;
        if row.is_empty() {
            self.places.remove(&row.member.id());
        }
        self.backlogs.outlive();
        self.grouped -= usize::from(entry.group.is_some());
        self.special -= usize::from(entry.is_special());
    }
}
