//! The members of a table that may take over what others have not started: see [`sharing`](super::sharing).

use std::sync::Arc;

use super::endpoint::Endpoint;
use super::member::Member;
use super::row::{Entry, Row};
use super::table::Table;
use crate::engine::capacity::Crossed;
use crate::engine::delivery::recipient::Choice;
use crate::engine::ids::ListenerId;

impl Table {
    /// Whether several members listen.
    pub(super) fn is_shared(&self) -> bool {
        self.places.len() > 1
    }

    /// Notes a look, which may be a tick. Returns whether deliveries may wait for long at some member. They do not at
    /// one that starts so many that it is through with them before others could take them over.
    pub(super) fn has_slow(&mut self, is_tick: bool) -> bool {
        let mut has_slow = false;
        for row in &mut self.rows {
            let started = row.member.endpoint().started();
            has_slow |= row.service.tick(started, row.member.in_flight(), is_tick);
        }
        has_slow
    }

    /// Returns the endpoints that can take over deliveries of this choice, and whether each has no offer yet. It is
    /// noted to have one from now on. Those that had one are left out, unless `all` are wanted.
    pub(super) fn takers(&mut self, choice: &Choice, all: bool) -> Vec<(Arc<Endpoint>, bool)> {
        let can_take = |row: &&mut Row| (all || !row.has_offer) && row.taker(choice, &[]).is_some();
        let takers = self.rows.iter_mut().filter(can_take).map(|row| {
            let has_none = !std::mem::replace(&mut row.has_offer, true);
            (row.member.endpoint().clone(), has_none)
        });
        takers.collect()
    }

    /// Notes that an endpoint has no offer any more.
    pub(super) fn forget_offer(&mut self, endpoint: &Arc<Endpoint>) {
        let of_it = |row: &&mut Row| Arc::ptr_eq(row.member.endpoint(), endpoint);
        self.rows.iter_mut().filter(of_it).for_each(|row| row.has_offer = false);
    }

    /// Returns the least number of deliveries that a member of an endpoint has in flight. Only members count with a
    /// listener that could take over deliveries of this choice.
    pub(super) fn least_in_flight(
        &self,
        endpoint: &Arc<Endpoint>,
        choice: &Choice,
    ) -> Option<usize> {
        let of_it = self.rows.iter().filter(|row| Arc::ptr_eq(row.member.endpoint(), endpoint));
        let takers = of_it.filter(|row| row.taker(choice, &[]).is_some());
        takers.map(|row| row.member.in_flight()).min()
    }

    /// Returns the listener of another member that takes over deliveries of these sizes, all of them: that of the
    /// member with the least in flight. Takes the room. `given_back` gets members that gave back room
    /// which was taken in vain, to be told of when no lock is held.
    pub(super) fn heir(
        &mut self,
        choice: &Choice,
        sizes: &[usize],
        except: &Member,
        given_back: &mut Vec<(Arc<Member>, Crossed)>,
    ) -> Option<(Arc<Member>, ListenerId)> {
        let mut rows: Vec<_> = self.rows.iter_mut().collect();
        rows.sort_by_key(|row| (row.member.endpoint().is_stalled(), row.member.in_flight()));
        rows.into_iter().find_map(|row| {
            let listener = row.candidate(choice, &[]).filter(|_| row.member.id() != except.id())?;
            let taken =
                sizes.iter().take_while(|size| row.member.take_room(**size).is_ok()).count();
            if taken < sizes.len() {
                // At once: they may go there one by one.
                let crossed = row.member.capacity().give_back(taken, sizes[..taken].iter().sum());
                given_back.push((row.member.clone(), crossed));
                return None;
            }
            row.addressed += taken as u64;
            Some((row.member.clone(), listener))
        })
    }

    /// The listener of an endpoint that takes over a delivery: that of the member with the least in flight. Takes the
    /// room.
    pub(super) fn take_for(
        &mut self,
        endpoint: &Arc<Endpoint>,
        choice: &Choice,
        full: &[ListenerId],
        size: usize,
    ) -> Option<(Arc<Member>, ListenerId)> {
        let of_it = |row: &&mut Row| Arc::ptr_eq(row.member.endpoint(), endpoint);
        let mut rows: Vec<_> = self.rows.iter_mut().filter(of_it).collect();
        rows.sort_by_key(|row| row.member.in_flight());
        rows.into_iter().find_map(|row| {
            let listener = row.taker(choice, full)?;
            row.member.take_room(size).ok()?;
            row.addressed += 1;
            Some((row.member.clone(), listener))
        })
    }
}

impl Row {
    /// Returns a listener that takes over deliveries of this choice. It is no `once` listener, which is claimed at
    /// `emit`. Nor is it one of another process: nobody here knows when that has nothing to do.
    pub(super) fn taker(&self, choice: &Choice, full: &[ListenerId]) -> Option<ListenerId> {
        if self.member.endpoint().is_ghost() { None } else { self.candidate(choice, full) }
    }

    fn candidate(&self, choice: &Choice, full: &[ListenerId]) -> Option<ListenerId> {
        let may_take = |e: &&Entry| !e.once && choice.allows(&e.group) && !full.contains(&e.id);
        self.entries.iter().find(may_take).map(|entry| entry.id)
    }
}
