//! Who listens to one event, member by member, and who of them is chosen where one is. Kept, and
//! locked, by a [route](super::route).

use std::sync::Arc;

use super::member::Member;
use super::part::{Choice, Part};
use super::route::{ListenerId, ListenerOptions, Own};

/// Who listens to an event. See the [module](self).
#[derive(Default)]
pub(super) struct Table {
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

/// A listener picked out of a table, with room for the message taken if it has.
pub(super) struct Chosen {
    row: usize,
    entry: usize,
    pub(super) member: Arc<Member>,
    pub(super) has_room: bool,
}

impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether events come to all listeners in packets.
    pub(super) fn is_plain(&self) -> bool {
        self.special == 0
    }

    pub(super) fn has_others(&self, member: &Arc<Member>) -> bool {
        self.rows.iter().any(|row| !Arc::ptr_eq(&row.member, member))
    }

    pub(super) fn add(&mut self, member: &Arc<Member>, id: ListenerId, options: ListenerOptions) {
        let ListenerOptions { once, prepend, group, limited } = options;
        self.grouped += usize::from(group.is_some());
        let entry = Entry { id, once, group, limited, chosen: 0 };
        self.special += usize::from(entry.is_special());
        let row = self.row(member);
        row.everyone = None;
        if prepend { row.entries.insert(0, entry) } else { row.entries.push(entry) }
    }

    pub(super) fn remove(&mut self, member: &Arc<Member>, id: ListenerId) {
        let Some(at) = self.rows.iter().position(|row| Arc::ptr_eq(&row.member, member)) else {
            return;
        };
        if let Some(entry) = self.rows[at].entries.iter().position(|entry| entry.id == id) {
            self.take_entry(at, entry);
        }
        if self.rows[at].entries.is_empty() {
            self.rows.remove(at);
        }
    }

    /// Lets go of members whose last listener was claimed.
    pub(super) fn prune(&mut self) {
        self.rows.retain(|row| !row.entries.is_empty());
    }

    /// The other members, each with its listeners without a group.
    pub(super) fn others(
        &mut self,
        emitter: &Arc<Member>,
    ) -> impl Iterator<Item = (&Arc<Member>, &[ListenerId])> {
        let others = self.rows.iter_mut().filter(|row| !Arc::ptr_eq(&row.member, emitter));
        others.filter_map(|row| {
            row.everyone();
            Some((&row.member, row.everyone.as_deref()?))
        })
    }

    /// All listeners without a group. `once` ones are claimed, but not by an event that they do not
    /// get for want of room.
    pub(super) fn address_everyone(
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

    /// The candidate whose member has the least in flight; of equals, the one that was chosen longest
    /// ago. One without room is chosen only when no other is left. Takes the room, which `own` has
    /// no need of.
    pub(super) fn choose(
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
    pub(super) fn assign(
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
            emitter.taken_on(1);
            own.push(Own { listener, chosen: true });
        } else {
            parts.push(Part::new(chosen.member, [listener].into(), choice, chosen.has_room));
        }
    }

    pub(super) fn id(&self, chosen: &Chosen) -> ListenerId {
        self.rows[chosen.row].entries[chosen.entry].id
    }

    /// The id of the chosen listener, which is claimed if it is a `once` listener.
    pub(super) fn take(&mut self, chosen: &Chosen) -> ListenerId {
        self.choices += 1;
        let entry = &mut self.rows[chosen.row].entries[chosen.entry];
        entry.chosen = self.choices;
        let (id, once) = (entry.id, entry.once);
        if once {
            self.take_entry(chosen.row, chosen.entry);
        }
        id
    }

    fn row(&mut self, member: &Arc<Member>) -> &mut Row {
        let at = self.rows.iter().position(|row| Arc::ptr_eq(&row.member, member));
        let at = at.unwrap_or_else(|| {
            self.rows.push(Row { member: member.clone(), entries: Vec::new(), everyone: None });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    fn take_entry(&mut self, row: usize, entry: usize) {
        let row = &mut self.rows[row];
        let entry = row.entries.remove(entry);
        row.everyone = None;
        self.grouped -= usize::from(entry.group.is_some());
        self.special -= usize::from(entry.is_special());
    }
}

impl Entry {
    fn is_special(&self) -> bool {
        self.once || self.limited || self.group.is_some()
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
