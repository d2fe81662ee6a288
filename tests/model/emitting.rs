//! The recipients of an event, as the [rules](crate::rules) say.

use parallel_event_bus::engine::capacity::Bound;
use parallel_event_bus::engine::channel::route::Own;
use parallel_event_bus::engine::outcome::FailureKind;

use crate::rules::{Choice, Emission, Entry, Item, Member, Recipient, Rules};

/// Whose room was given back, and what came of it: see [`Rules::give_back`].
pub type Freed = (usize, (bool, bool));

/// Member, listeners, choice, whether one was claimed, whether there was room.
type Addressed = (usize, Vec<u32>, Choice, bool, bool);

impl Rules {
    /// Returns row and entry of the chosen listener, whether there is room, which is taken, and whether the emitter calls
    /// it itself, and needs none.
    pub fn choose(
        &mut self,
        event: usize,
        choice: Choice,
        size: usize,
        own: Option<usize>,
        except: Option<usize>,
    ) -> Option<(usize, usize, bool, bool)> {
        let mut candidates: Vec<_> = self.rows[event]
            .iter()
            .enumerate()
            .filter(|(_, row)| Some(row.member) != except)
            .filter_map(|(at, row)| {
                let entry = row.entries.iter().position(|entry| choice.allows(entry))?;
                let in_flight = self.members[row.member].in_flight;
                Some((in_flight, row.entries[entry].chosen, at, entry))
            })
            .collect();
        candidates.sort_unstable();
        for &(in_flight, _, row, entry) in &candidates {
            let member = self.rows[event][row].member;
            let may_call = own == Some(member);
            let calls = may_call && (in_flight == 0 || candidates.len() == 1);
            if calls || self.take(member, size) {
                return Some((row, entry, true, calls));
            }
            if may_call {
                return Some((row, entry, true, true));
            }
        }
        for &(_, _, row, entry) in &candidates {
            let member = self.rows[event][row].member;
            if except.is_some_and(|former| self.take_over(member, size, former)) {
                return Some((row, entry, true, false));
            }
        }
        candidates.first().map(|&(_, _, row, entry)| (row, entry, false, false))
    }

    /// The id of the chosen listener, which is used up if it is a `once` listener.
    pub fn claim(&mut self, event: usize, row: usize, entry: usize) -> (u32, bool) {
        self.choices += 1;
        self.address(event, row);
        let entries = &mut self.rows[event][row].entries;
        entries[entry].chosen = self.choices;
        let Entry { id, once, .. } = entries[entry];
        if once {
            entries.remove(entry);
        }
        (id, once)
    }

    pub fn has_others(&self, emitter: usize, event: usize) -> bool {
        self.rows[event].iter().any(|row| row.member != emitter)
    }

    pub fn is_plain(&self, event: usize) -> bool {
        let entries = self.rows[event].iter().flat_map(|row| &row.entries);
        entries.into_iter().all(|entry| !entry.once && !entry.tracked && entry.group.is_none())
    }

    /// Returns the emitter's own listeners that it has to call. `emission` has no recipients yet.
    pub fn emit(&mut self, mut emission: Emission) -> Vec<Own> {
        let Emission { emitter, event, size, request, .. } = emission;
        let mut own = Vec::new();
        let mut recipients = Vec::new();
        if !request {
            for row in 0..self.rows[event].len() {
                let member = self.rows[event][row].member;
                let entries = self.rows[event][row].entries.clone();
                let ids: Vec<_> =
                    entries.iter().filter(|e| e.group.is_none()).map(|e| e.id).collect();
                let mut has_room = true;
                if member == emitter {
                    let once = entries.iter().filter(|e| e.group.is_none() && e.once);
                    own.extend(once.map(|e| Own { listener: e.id, chosen: false }));
                } else if !ids.is_empty() {
                    has_room = self.take(member, size);
                    recipients.push((member, ids, Choice::Everyone, false, has_room));
                    if has_room {
                        self.address(event, row);
                    }
                }
                if has_room {
                    let row = &mut self.rows[event][row];
                    row.entries.retain(|entry| !entry.once || entry.group.is_some());
                }
            }
        }
        let mut choices = if request { vec![Choice::Any] } else { vec![] };
        if !request {
            for entry in self.rows[event].iter().flat_map(|row| &row.entries) {
                let choice = entry.group.map(Choice::Group);
                choices.extend(choice.filter(|choice| !choices.contains(choice)));
            }
        }
        for choice in choices {
            let chosen = self.choose(event, choice, size, Some(emitter), None);
            let Some((row, entry, has_room, calls)) = chosen else { continue };
            let member = self.rows[event][row].member;
            let (id, claimed) = if has_room {
                self.claim(event, row, entry)
            } else {
                (self.rows[event][row].entries[entry].id, false)
            };
            if calls {
                self.members[member].in_flight += 1;
                own.push(Own { listener: id, chosen: true });
            } else {
                recipients.push((member, vec![id], choice, claimed, has_room));
            }
        }
        self.tidy();
        if !recipients.is_empty() {
            self.members[emitter].pending += 1;
        }
        emission.must_start |=
            request || recipients.iter().any(|recipient| recipient.2 != Choice::Everyone);
        self.send(emission, recipients);
        own
    }

    /// Returns how many listeners elsewhere there are.
    pub fn publish(&mut self, emission: Emission) -> u32 {
        let Emission { emitter, event, size, .. } = emission;
        let mut recipients = Vec::new();
        for row in 0..self.rows[event].len() {
            let member = self.rows[event][row].member;
            if member != emitter {
                let ids = self.rows[event][row].entries.iter().map(|entry| entry.id).collect();
                self.members[emitter].pending += 1;
                let has_room = self.take(member, size);
                recipients.push((member, ids, Choice::Everyone, false, has_room));
                if has_room {
                    self.address(event, row);
                }
            }
        }
        let listeners =
            recipients.iter().map(|recipient: &Addressed| recipient.1.len() as u32).sum();
        self.send(emission, recipients);
        listeners
    }

    fn send(&mut self, mut emission: Emission, recipients: Vec<Addressed>) {
        let number = self.emissions.len();
        let mut refused = Vec::new();
        for (at, addressed) in recipients.into_iter().enumerate() {
            let (member, listeners, choice, claimed, has_room) = addressed;
            let settled = vec![false; listeners.len()];
            let in_flight = false;
            emission.recipients.push(Recipient {
                member,
                listeners,
                choice,
                moves: 0,
                claimed,
                was_claimed: claimed,
                in_flight,
                started: false,
                settled,
            });
            if !has_room {
                refused.push(at);
            }
        }
        let recipients = emission.recipients.len();
        self.emissions.push(emission);
        for recipient in (0..recipients).filter(|recipient| !refused.contains(recipient)) {
            self.queue(self.item(number, recipient));
        }
        for recipient in refused {
            let item = self.item(number, recipient);
            let Member { limits, events, .. } = self.members[self.recipient(item).member];
            let bound = if events >= limits.0 {
                Bound::Messages(limits.0 as u64)
            } else {
                Bound::Bytes(limits.1 as u64)
            };
            self.fail_rest(item, FailureKind::MailboxFull(bound));
        }
    }

    pub fn queue(&mut self, item: Item) {
        let member = self.take_on(item);
        let endpoint = self.members[member].endpoint;
        self.endpoints[endpoint].queue.push_back(item);
    }

    /// It is in flight for its member.
    fn take_on(&mut self, item: Item) -> usize {
        let recipient = self.recipient_mut(item);
        recipient.in_flight = true;
        let member = recipient.member;
        self.members[member].in_flight += 1;
        member
    }

    /// Those that a listener of a member may take over, in order.
    pub fn takeable(&self, member: usize, event: usize, entry: &Entry) -> Vec<Item> {
        let endpoint = self.members[member].endpoint;
        let all = self.emissions.iter().enumerate().flat_map(|(emission, of)| {
            (0..of.recipients.len()).map(move |recipient| (emission, recipient))
        });
        let may_take = |(emission, recipient): &(usize, usize)| {
            let of = &self.emissions[*emission].recipients[*recipient];
            self.emissions[*emission].event == event
                && of.is_movable()
                && of.choice.allows(entry)
                && self.members[of.member].endpoint != endpoint
        };
        all.filter(may_take).map(|(emission, recipient)| self.item(emission, recipient)).collect()
    }

    /// A listener takes it over. Returns the item that it has now.
    pub fn steal(&mut self, item: Item, member: usize, id: u32) -> (Item, Option<Freed>) {
        let Emission { event, size, .. } = self.emissions[item.emission];
        assert!(self.take(member, size), "there is room");
        let row = self.rows[event].iter().position(|row| row.member == member).unwrap();
        self.address(event, row);
        let freed = self.free(item);
        let moved = self.give_to(item, member, vec![id], false);
        self.take_on(moved);
        (moved, freed)
    }

    /// As [`steal`](Self::steal), but it is queued.
    pub fn level(&mut self, item: Item, member: usize, id: u32) -> Option<Freed> {
        let (item, freed) = self.steal(item, member, id);
        let endpoint = self.members[member].endpoint;
        self.endpoints[endpoint].queue.push_back(item);
        freed
    }

    pub fn entry(&self, event: usize, id: u32) -> Entry {
        let entries = self.rows[event].iter().flat_map(|row| &row.entries);
        entries.clone().into_iter().find(|entry| entry.id == id).expect("it listens").clone()
    }

    /// It is another listener's.
    pub fn give_to(
        &mut self,
        item: Item,
        member: usize,
        listeners: Vec<u32>,
        claimed: bool,
    ) -> Item {
        let recipient = self.recipient_mut(item);
        (recipient.member, recipient.listeners, recipient.claimed) = (member, listeners, claimed);
        recipient.was_claimed |= claimed;
        recipient.moves += 1;
        self.item(item.emission, item.recipient)
    }

    pub fn let_go(&mut self, item: Item) {
        if let Some((member, room)) = self.free(item) {
            self.tell_of_room(member, room);
        }
    }

    /// The first half of letting go: returns the member with the room that was given back, and the marks it
    /// crossed.
    pub fn free(&mut self, item: Item) -> Option<Freed> {
        let recipient = self.recipient_mut(item);
        let member = recipient.member;
        if !std::mem::replace(&mut recipient.in_flight, false) {
            return None;
        }
        self.members[member].in_flight -= 1;
        Some((member, self.give_back(member, self.emissions[item.emission].size)))
    }

    /// An event is on its way to a listener of this row.
    fn address(&mut self, event: usize, row: usize) {
        self.rows[event][row].entries.iter_mut().for_each(|entry| entry.addressed = true);
    }
}
