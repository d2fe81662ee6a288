//! The choice of one listener among several of a [table](super::table).

use std::sync::Arc;

use super::InLine;
use super::affinity::Name;
use super::member::Member;
use super::queue;
use super::route::{Own, Route};
use super::row::Row;
use super::table::Table;
use crate::engine::capacity::Bound;
use crate::engine::delivery::Former;
use crate::engine::delivery::recipient::{Choice, Recipient};
use crate::engine::ids::ListenerId;

/// The addressees of an event.
#[derive(Default)]
pub(super) struct Addressed {
    /// Listeners of the emitting member that it calls itself.
    pub(super) own: Vec<Own>,
    /// Holds of those of them that get an event with a key.
    pub(super) in_line: Vec<InLine>,
    pub(super) recipients: Vec<Recipient<Member>>,
}

/// A listener picked out of a table, with room for the event taken if it has.
pub(super) struct Chosen {
    row: usize,
    entry: usize,
    pub(super) member: Arc<Member>,
    /// The bound that leaves no room is the error.
    pub(super) room: Result<(), Bound>,
    /// True if it is the emitting member's own, which calls it itself.
    is_own: bool,
}

impl Table {
    /// Chooses the candidate with the least in flight; of equals, one of this process, and of these the one that was
    /// chosen longest ago. One whose thread is stalled comes after all others. One without room is chosen only when no
    /// other is left. Takes the room. The `own` member needs none if it calls its listener itself: if it has nothing in
    /// flight, or is alone. Else it gets a delivery as others do, which they may take over. Where the candidates'
    /// common [queue](super::queue) is full, there is no room; a delivery that moves between them does not count anew.
    /// An event `from` a member that is gone may exceed the bound of another, where all are full.
    pub(super) fn choose(
        &self,
        choice: &Choice,
        size: usize,
        own: Option<&Arc<Member>>,
        from: Option<Former<'_, Member>>,
    ) -> Option<Chosen> {
        let candidate = |(at, row): (usize, &Row)| {
            if from.is_some_and(|from| from.member.id() == row.member.id()) {
                return None;
            }
            let entry = row.entries.iter().position(|entry| choice.allows(&entry.group))?;
            let Row { member, entries, .. } = row;
            let (is_stalled, is_far) =
                (member.endpoint().is_stalled(), member.endpoint().is_ghost());
            let load = member.in_flight() + member.load_elsewhere();
            Some(((is_stalled, load, is_far, entries[entry].chosen), at, entry))
        };
        let mut candidates: Vec<_> = self.rows.iter().enumerate().filter_map(candidate).collect();
        candidates.sort_unstable();
        let chosen = |(_, row, entry): (_, usize, usize), room, is_own| Chosen {
            row,
            entry,
            member: self.rows[row].member.clone(),
            room,
            is_own,
        };
        let loads = candidates.iter().map(|(of, row, _)| (&*self.rows[*row].member, of.1));
        let queue = if from.is_none() { queue::exceeded(loads) } else { None };
        let (mut full, is_alone) = (None, candidates.len() == 1);
        for &candidate in &candidates {
            let member = &self.rows[candidate.1].member;
            let may_call = own.is_some_and(|own| Arc::ptr_eq(own, member));
            if may_call && (is_alone || candidate.0.1 == 0) {
                return Some(chosen(candidate, Ok(()), true));
            }
            match queue
                .filter(|_| member.queue.get().is_some())
                .map_or_else(|| member.take_room(size), Err)
            {
                Ok(()) => return Some(chosen(candidate, Ok(()), false)),
                Err(_) if may_call => return Some(chosen(candidate, Ok(()), true)),
                Err(bound) => full = full.or(Some((candidate, bound))),
            }
        }
        let gone = from.filter(|from| from.is_gone);
        let takes_over = |(_, row, _): &(_, usize, usize)| {
            gone.is_some_and(|from| {
                self.rows[*row].member.take_over_room(size, from.member).is_ok()
            })
        };
        if let Some(candidate) = candidates.into_iter().find(takes_over) {
            return Some(chosen(candidate, Ok(()), false));
        }
        full.map(|(candidate, bound)| chosen(candidate, Err(bound), false))
    }

    /// Chooses as [`choose`](Self::choose) for an event of a key that its member has let go of: the one that has those
    /// `before` it, if that listens and has room. None where nobody has room.
    pub(super) fn choose_behind(
        &self,
        before: Option<&Arc<Member>>,
        choice: &Choice,
        size: usize,
        from: Former<'_, Member>,
    ) -> Option<Chosen> {
        let same = before.and_then(|member| {
            let (row, entry) = self.place_of(member, choice)?;
            let room = member.take_room(size).or_else(|_| member.take_over_room(size, from.member));
            room.ok()?;
            Some(Chosen { row, entry, member: member.clone(), room: Ok(()), is_own: false })
        });
        let another = || self.choose(choice, size, None, Some(from));
        same.or_else(another).filter(|chosen| chosen.room.is_ok())
    }

    /// Returns row and entry of the listener of a member that this choice allows.
    pub(super) fn place_of(&self, member: &Member, choice: &Choice) -> Option<(usize, usize)> {
        let row = *self.places.get(&member.id())?;
        let entry = self.rows[row].entries.iter().position(|entry| choice.allows(&entry.group))?;
        Some((row, entry))
    }

    /// Chooses the listener at a place, as [`choose`](Self::choose).
    pub(super) fn choose_at(
        &self,
        (row, entry): (usize, usize),
        choice: &Choice,
        size: usize,
        own: Option<&Arc<Member>>,
    ) -> Chosen {
        let member = &self.rows[row].member;
        let may_call = own.is_some_and(|own| Arc::ptr_eq(own, member));
        let calls =
            may_call && (member.in_flight() == 0 || self.candidates(choice).nth(1).is_none());
        let room = match calls {
            true => Ok(()),
            false => self.full_queue(member, choice).map_or_else(|| member.take_room(size), Err),
        };
        let is_own = calls || (may_call && room.is_err());
        let room = if is_own { Ok(()) } else { room };
        Chosen { row, entry, member: member.clone(), room, is_own }
    }

    /// Returns the bound of a member's [queue](super::queue), if no more may wait for it and the members that it takes
    /// turns with.
    pub(super) fn full_queue(&self, member: &Member, choice: &Choice) -> Option<Bound> {
        member.queue.get()?;
        queue::exceeded(self.candidates(choice).map(|member| (&**member, member.in_flight())))
    }

    fn candidates(&self, choice: &Choice) -> impl Iterator<Item = &Arc<Member>> {
        let is_one = |row: &&Row| row.entries.iter().any(|entry| choice.allows(&entry.group));
        self.rows.iter().filter(is_one).map(|row| &row.member)
    }

    /// Notes a choice among the emitter's own listeners, or as a recipient of the dispatch. An event with a key belongs
    /// to a line.
    pub(super) fn assign(
        &mut self,
        (chosen, line): (Chosen, Option<Name>),
        choice: Choice,
        (route, emitter): (&Arc<Route>, &Arc<Member>),
        addressed: &mut Addressed,
    ) {
        // One that gets nothing, for want of room, is not used up by it.
        let (listener, has_claimed) =
            if chosen.room.is_ok() { self.take(&chosen) } else { (self.id(&chosen), false) };
        let Chosen { member, room, is_own, .. } = chosen;
        let line = line.filter(|_| room.is_ok());
        let in_line = line.clone().map(|line| self.lines.enter(route, line, &member));
        if is_own {
            emitter.take_own();
            addressed.own.push(Own { listener, chosen: true });
            return addressed.in_line.extend(in_line);
        }
        let recipients = &mut addressed.recipients;
        match line {
            Some(line) => self.lines.note(recipients.len(), line),
            // What was claimed for one member stays there.
            None if room.is_ok() && !has_claimed => {
                self.backlogs.note(recipients.len(), &choice, member.in_flight());
            }
            None => {}
        }
        let recipient = Recipient::new(member, [listener].into(), choice, room, has_claimed);
        recipients.push(recipient.with_place_in_line(in_line));
    }

    pub(super) fn group_of(&self, chosen: &Chosen) -> Option<Arc<str>> {
        self.rows[chosen.row].entries[chosen.entry].group.clone()
    }

    pub(super) fn id(&self, chosen: &Chosen) -> ListenerId {
        self.rows[chosen.row].entries[chosen.entry].id
    }

    pub(super) fn is_once(&self, chosen: &Chosen) -> bool {
        self.rows[chosen.row].entries[chosen.entry].once
    }

    /// Takes the chosen listener. Returns its id, and whether it is a `once` listener, which is claimed then.
    pub(super) fn take(&mut self, chosen: &Chosen) -> (ListenerId, bool) {
        self.choices += 1;
        let row = &mut self.rows[chosen.row];
        row.addressed += 1;
        let entry = &mut row.entries[chosen.entry];
        entry.chosen = self.choices;
        let (id, once) = (entry.id, entry.once);
        if once {
            self.take_entry(chosen.row, chosen.entry);
        }
        (id, once)
    }
}
