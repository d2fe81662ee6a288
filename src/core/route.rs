//! Who listens to one event of one channel, and who of them gets an emission.
//!
//! Emitting settles under one lock who is addressed: `once` listeners are claimed, one listener of
//! each group is chosen, and the deliveries are queued, so that events of one emitter reach each
//! endpoint in the order of their emission, and after a listener's removal nothing comes for it.
//! Wakes are sent when the lock is released.

use std::sync::Arc;

use super::dispatch::{Choice, Delivery, Dispatch, Emission, Part};
use super::endpoint::Letter;
use super::member::Member;
use super::outcome::{Cause, Lost};
use super::packet::Packet;
use super::sync::{Mutex, lock};

/// Names a listener within its endpoint.
pub type ListenerId = u32;

/// How a listener listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerOptions {
    /// For one event only.
    pub once: bool,
    /// Before the other listeners of its member.
    pub prepend: bool,
    /// Takes turns with the other listeners of this group: each event goes to one of them.
    pub group: Option<Arc<str>>,
    /// Its events come as [deliveries](Delivery), never in [packets](super::packet), so that each can
    /// be [limited](Delivery::limit).
    pub limited: bool,
}

/// Who listens to one event. See the [module](self).
pub struct Route {
    event: Arc<str>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// One for each member that listens, in the order in which they began to.
    rows: Vec<Row>,
    /// Grouped listeners in all rows.
    grouped: usize,
    /// Listeners in all rows that events do not come to in packets.
    special: usize,
    /// How often one of several was chosen.
    choices: u64,
}

struct Row {
    member: Arc<Member>,
    entries: Vec<Entry>,
    /// The ids of the entries without a group, as deliveries share them; `None` after a change.
    everyone: Option<Arc<[ListenerId]>>,
}

struct Entry {
    id: ListenerId,
    once: bool,
    group: Option<Arc<str>>,
    limited: bool,
    /// Which choice it was the last time it was chosen.
    chosen: u64,
}

impl Entry {
    fn is_special(&self) -> bool {
        self.once || self.limited || self.group.is_some()
    }
}

/// What an emission came to.
pub enum Sent {
    /// It has listeners elsewhere and came without a payload. Nothing has happened.
    NeedsPayload,
    /// It was addressed.
    To {
        /// How many listeners of other members.
        others: u32,
        /// Listeners of the emitting member itself that the emission claimed or was assigned: its
        /// own `once` listeners, its own members of groups, or the one that answers. They are not
        /// among the deliveries: the emitter calls them. For each that was chosen among several
        /// members it then calls [`Member::done`].
        own: Vec<Own>,
        /// What is on its way to others, if anything is.
        dispatch: Option<Arc<Dispatch>>,
    },
}

/// What a post came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// There are `once`, grouped or limited listeners, which need an [emission](Route::emit). Nothing
    /// has happened.
    NotPlain,
    /// It has listeners elsewhere and came without a payload. Nothing has happened.
    NeedsPayload,
    /// It was addressed to so many listeners of other members.
    To(u32),
}

/// One of the emitting member's own listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Which.
    pub listener: ListenerId,
    /// It was chosen among several, and counts as in flight until [`Member::done`].
    pub chosen: bool,
}

impl Route {
    pub(super) fn new(event: Arc<str>) -> Self {
        Route { event, table: Mutex::new(Table::default()) }
    }

    /// The name of the event.
    pub fn event(&self) -> &str {
        &self.event
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.event
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        lock(&self.table).rows.is_empty()
    }

    /// Whether anybody but this member listens.
    pub fn has_others(&self, member: &Arc<Member>) -> bool {
        lock(&self.table).has_others(member)
    }

    /// Emits an event to those who listen now.
    pub fn emit(self: &Arc<Self>, emitter: &Arc<Member>, emission: Emission<'_>) -> Sent {
        let mut table = lock(&self.table);
        if emission.payload.is_none() && table.has_others(emitter) {
            return Sent::NeedsPayload;
        }
        let size = emission.payload.map_or(0, <[u8]>::len);
        let mut own = Vec::new();
        let mut parts = Vec::new();
        if emission.to_one {
            let chosen = table.choose(&Choice::Any, size, Some(emitter), None);
            table.assign(chosen, Choice::Any, emitter, &mut own, &mut parts);
        } else {
            table.address_everyone(emitter, size, &mut own, &mut parts);
            for group in table.groups() {
                let choice = Choice::Group(group);
                let chosen = table.choose(&choice, size, Some(emitter), None);
                table.assign(chosen, choice, emitter, &mut own, &mut parts);
            }
        }
        table.rows.retain(|row| !row.entries.is_empty());
        if parts.is_empty() {
            return Sent::To { others: 0, own, dispatch: None };
        }
        let others = parts.iter().map(Part::listeners).sum();
        let dispatch = Dispatch::begin(self, emitter, emission, parts);
        let (rings, refused) = queue(dispatch.deliveries());
        drop(table);
        ring(&rings);
        drop(refused);
        dispatch.refuse_what_was_full();
        Sent::To { others, own, dispatch: Some(dispatch) }
    }

    /// Emits an event, of which the emitter wants to hear only if it did not reach somebody, to
    /// those who listen now. In [packets](super::packet), which is the cheapest way there is.
    pub fn post(self: &Arc<Self>, emitter: &Arc<Member>, payload: Option<&[u8]>) -> Posted {
        let mut table = lock(&self.table);
        if table.special > 0 {
            return Posted::NotPlain;
        }
        if !table.has_others(emitter) {
            return Posted::To(0);
        }
        let Some(payload) = payload else { return Posted::NeedsPayload };
        let mut sum = 0;
        let mut rings = Vec::new();
        let mut lost = Vec::new();
        for row in table.rows.iter_mut().filter(|row| !Arc::ptr_eq(&row.member, emitter)) {
            row.everyone();
            let (to, Some(listeners)) = (&row.member, &row.everyone) else { continue };
            let count = u32::try_from(listeners.len()).unwrap_or(u32::MAX);
            sum += count;
            match self.post_to(to, listeners, emitter, payload) {
                Ok(true) => rings.push(to.clone()),
                Ok(false) => {}
                Err(cause) => lost.push((to.clone(), count, cause)),
            }
        }
        drop(table);
        ring(&rings);
        for (to, listeners, cause) in lost {
            emitter.tell_of(Lost {
                event: self.event.clone(),
                payload: payload.into(),
                cause,
                listeners,
                thread: to.endpoint().thread(),
                started: false,
            });
            emitter.ended(1, listeners);
        }
        Posted::To(sum)
    }

    /// Returns whether the endpoint has to be woken.
    fn post_to(
        self: &Arc<Self>,
        to: &Arc<Member>,
        listeners: &[ListenerId],
        emitter: &Arc<Member>,
        payload: &[u8],
    ) -> Result<bool, Cause> {
        emitter.began();
        if !to.quota().take(payload.len()) {
            return Err(Cause::Full);
        }
        to.taken_on();
        let endpoint = to.endpoint();
        let written = endpoint.mailbox().write(|last| {
            if let Some(Letter::Packet(packet)) = last
                && packet.takes(emitter, to, payload.len())
            {
                packet.add(self, listeners, payload);
                return None;
            }
            let mut packet = Packet::new(emitter, to);
            packet.add(self, listeners, payload);
            Some(Letter::Packet(packet))
        });
        written.inspect(|_| endpoint.expect_a_look()).map_err(|_closed| {
            to.done(1);
            to.quota().give_back(1, payload.len());
            Cause::Gone
        })
    }

    /// Finds another listener for a delivery that a member let go of before it started. Returns false
    /// when no other member has one, and room.
    pub(super) fn choose_again(
        &self,
        dispatch: &Arc<Dispatch>,
        part: u32,
        choice: &Choice,
        except: &Arc<Member>,
    ) -> bool {
        let mut table = lock(&self.table);
        let size = dispatch.payload().len();
        let Some(chosen) = table.choose(choice, size, None, Some(except)) else { return false };
        if !chosen.has_room {
            return false;
        }
        let listener = table.id(&chosen);
        let Some(delivery) = dispatch.move_to(part, &chosen.member, listener) else {
            drop(table);
            // As what was collected is: this room too may have been more than little, meanwhile.
            chosen.member.collected(1, size);
            return true;
        };
        table.take(&chosen);
        table.rows.retain(|row| !row.entries.is_empty());
        let (rings, refused) = queue(vec![delivery]);
        drop(table);
        ring(&rings);
        drop(refused);
        true
    }

    pub(super) fn add(&self, member: &Arc<Member>, id: ListenerId, options: ListenerOptions) {
        let ListenerOptions { once, prepend, group, limited } = options;
        let mut table = lock(&self.table);
        table.grouped += usize::from(group.is_some());
        let entry = Entry { id, once, group, limited, chosen: 0 };
        table.special += usize::from(entry.is_special());
        let row = table.row(member);
        row.everyone = None;
        if prepend { row.entries.insert(0, entry) } else { row.entries.push(entry) }
    }

    pub(super) fn remove(&self, member: &Arc<Member>, id: ListenerId) {
        let mut table = lock(&self.table);
        let Some(at) = table.rows.iter().position(|row| Arc::ptr_eq(&row.member, member)) else {
            return;
        };
        if let Some(entry) = table.rows[at].entries.iter().position(|entry| entry.id == id) {
            table.take_entry(at, entry);
        }
        if table.rows[at].entries.is_empty() {
            table.rows.remove(at);
        }
    }
}

/// A listener picked out of a table, with room for the message taken if it has.
struct Chosen {
    row: usize,
    entry: usize,
    member: Arc<Member>,
    has_room: bool,
}

impl Table {
    fn row(&mut self, member: &Arc<Member>) -> &mut Row {
        let at = self.rows.iter().position(|row| Arc::ptr_eq(&row.member, member));
        let at = at.unwrap_or_else(|| {
            self.rows.push(Row { member: member.clone(), entries: Vec::new(), everyone: None });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    fn has_others(&self, member: &Arc<Member>) -> bool {
        self.rows.iter().any(|row| !Arc::ptr_eq(&row.member, member))
    }

    /// All listeners without a group. `once` ones are claimed, but not by an event that they do not
    /// get for want of room.
    fn address_everyone(
        &mut self,
        emitter: &Arc<Member>,
        size: usize,
        own: &mut Vec<Own>,
        parts: &mut Vec<Part>,
    ) {
        for row in &mut self.rows {
            let mut has_room = true;
            if Arc::ptr_eq(&row.member, emitter) {
                let once = row.entries.iter().filter(|entry| entry.group.is_none() && entry.once);
                own.extend(once.map(|entry| Own { listener: entry.id, chosen: false }));
            } else {
                let listeners = row.everyone();
                if !listeners.is_empty() {
                    has_room = row.member.quota().take(size);
                    parts.push(Part::new(
                        row.member.clone(),
                        listeners,
                        Choice::Everyone,
                        has_room,
                    ));
                }
            }
            if has_room {
                self.special -= row.claim_once();
            }
        }
    }

    /// The names of the groups, each once.
    fn groups(&self) -> Vec<Arc<str>> {
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

    /// The candidate whose member has the least in flight; of equals, the one that was chosen longest
    /// ago. One without room is chosen only when no other is left. Takes the room, which `own` has
    /// no need of.
    fn choose(
        &self,
        choice: &Choice,
        size: usize,
        own: Option<&Arc<Member>>,
        except: Option<&Arc<Member>>,
    ) -> Option<Chosen> {
        let candidate = |(at, row): (usize, &Row)| {
            if except.is_some_and(|except| Arc::ptr_eq(except, &row.member)) {
                return None;
            }
            let entry = row.entries.iter().position(|entry| choice.allows(&entry.group))?;
            Some((row.member.in_flight(), row.entries[entry].chosen, at, entry))
        };
        let mut candidates: Vec<_> = self.rows.iter().enumerate().filter_map(candidate).collect();
        candidates.sort_unstable();
        let chosen = |(_, _, row, entry): (usize, u64, usize, usize), has_room| Chosen {
            row,
            entry,
            member: self.rows[row].member.clone(),
            has_room,
        };
        for &candidate in &candidates {
            let member = &self.rows[candidate.2].member;
            if own.is_some_and(|own| Arc::ptr_eq(own, member)) || member.quota().take(size) {
                return Some(chosen(candidate, true));
            }
        }
        candidates.first().map(|&candidate| chosen(candidate, false))
    }

    /// Notes a choice among the emitter's own listeners, or as a part of the dispatch.
    fn assign(
        &mut self,
        chosen: Option<Chosen>,
        choice: Choice,
        emitter: &Arc<Member>,
        own: &mut Vec<Own>,
        parts: &mut Vec<Part>,
    ) {
        let Some(chosen) = chosen else { return };
        // One that gets nothing, for want of room, is not used up by it.
        let listener = if chosen.has_room { self.take(&chosen) } else { self.id(&chosen) };
        if Arc::ptr_eq(&chosen.member, emitter) {
            emitter.taken_on();
            own.push(Own { listener, chosen: true });
        } else {
            parts.push(Part::new(chosen.member, [listener].into(), choice, chosen.has_room));
        }
    }

    fn id(&self, chosen: &Chosen) -> ListenerId {
        self.rows[chosen.row].entries[chosen.entry].id
    }

    /// The id of the chosen listener, which is claimed if it is a `once` listener.
    fn take(&mut self, chosen: &Chosen) -> ListenerId {
        self.choices += 1;
        let entry = &mut self.rows[chosen.row].entries[chosen.entry];
        entry.chosen = self.choices;
        let (id, once) = (entry.id, entry.once);
        if once {
            self.take_entry(chosen.row, chosen.entry);
        }
        id
    }

    fn take_entry(&mut self, row: usize, entry: usize) {
        let row = &mut self.rows[row];
        let entry = row.entries.remove(entry);
        row.everyone = None;
        self.grouped -= usize::from(entry.group.is_some());
        self.special -= usize::from(entry.is_special());
    }
}

impl Row {
    fn everyone(&mut self) -> Arc<[ListenerId]> {
        let entries = &self.entries;
        self.everyone
            .get_or_insert_with(|| {
                entries.iter().filter(|entry| entry.group.is_none()).map(|entry| entry.id).collect()
            })
            .clone()
    }

    /// Returns how many there were.
    fn claim_once(&mut self) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.once || entry.group.is_some());
        let claimed = before - self.entries.len();
        if claimed > 0 {
            self.everyone = None;
        }
        claimed
    }
}

/// Queues deliveries. Returns who has to be woken, and what nobody takes any more; both are for
/// when no lock is held.
fn queue(deliveries: Vec<Delivery>) -> (Vec<Arc<Member>>, Vec<Letter>) {
    let mut rings = Vec::new();
    let mut refused = Vec::new();
    for delivery in deliveries {
        let to = delivery.member().clone();
        let put = to.endpoint().mailbox().put(Letter::Delivery(delivery));
        match put.inspect(|_| to.endpoint().expect_a_look()) {
            Ok(true) => rings.push(to),
            Ok(false) => {}
            Err(closed) => refused.push(closed.0),
        }
    }
    (rings, refused)
}

fn ring(members: &[Arc<Member>]) {
    members.iter().for_each(|member| member.endpoint().mailbox().ring());
}
