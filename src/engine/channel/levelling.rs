//! Moving deliveries that wait behind a long run to a member where they will start sooner.
//!
//! A member with nothing to do takes over deliveries of others: see [`sharing`](super::sharing). While all have
//! something to do, nobody does. Then deliveries behind a long run would be overtaken by all that others are given
//! meanwhile. So at a tick they go to the member where they clearly have less to [wait](super::service) for.

use std::sync::Arc;

use super::backlog::Unstarted;
use super::member::Member;
use super::service::TICK;
use super::sharing::MOST;
use super::table::Table;
use super::{Delivery, Dispatch};
use crate::engine::capacity::Crossed;
use crate::engine::delivery::recipient::{Choice, Freed};
use crate::engine::ids::ListenerId;

/// A queue that is longer is left as it is. To look through it at each tick is dear, and a delivery that moves goes to
/// the end of another queue.
const LONGEST: usize = 64;

/// A delivery that was moved.
pub struct Moved {
    /// The listener that it is for now.
    pub listener: ListenerId,
    /// Its event.
    pub dispatch: Arc<Dispatch>,
}

/// The deliveries that were moved, and the calls to be made for them when no lock is held.
#[derive(Default)]
pub(super) struct Levelled {
    pub(super) deliveries: Vec<Delivery>,
    moved: Vec<Moved>,
    freed: Vec<Freed<Member>>,
    /// Members that gave back the room for deliveries that had started or settled meanwhile.
    given_back: Vec<(Arc<Member>, Crossed)>,
}

impl Levelled {
    /// Tells those that wait for room. Returns the deliveries that were moved. With no lock held.
    pub(super) fn finish(self) -> Vec<Moved> {
        self.given_back
            .into_iter()
            .for_each(|(member, crossed)| member.channel().gave_back(&member, crossed));
        self.freed.into_iter().for_each(Freed::tell);
        self.moved
    }
}

impl Table {
    /// Moves ripe deliveries of a backlog to members where they start sooner. `met` gets dispatches that are to be
    /// dropped when no lock is held.
    pub(super) fn level(
        &mut self,
        backlog: usize,
        met: &mut Vec<Arc<Dispatch>>,
        levelled: &mut Levelled,
    ) {
        let backlog = &self.backlogs.by_choice[backlog];
        let choice = backlog.choice().clone();
        if !self.may_level(&choice) || backlog.len() > LONGEST {
            return;
        }
        let waiting = backlog.unstarted(met);
        let place = |unstarted: Unstarted| {
            let row = *self.places.get(&unstarted.victim.id())?;
            Some((row, backlog.is_ripe(&unstarted), unstarted))
        };
        let waiting: Vec<_> = waiting.into_iter().filter_map(place).collect();
        let mut queued = vec![0; self.rows.len()];
        waiting.iter().for_each(|(row, ..)| queued[*row] += 1);
        let mut before = vec![0; self.rows.len()];
        let mut soonest = self.soonest(&choice, &queued);
        for (row, is_ripe, unstarted) in waiting {
            let wait = self.rows[row].service.wait(before[row]);
            before[row] += 1;
            let Some((better, sooner)) = soonest else { return };
            // It is to be clearly better, as it is a guess: else events would go to and fro.
            if !is_ripe || self.shares(row, better) || wait < sooner + sooner.max(2 * TICK) {
                continue;
            }
            if !unstarted.is_current() {
                continue;
            }
            self.move_to(better, &choice, unstarted, levelled);
            if levelled.deliveries.len() >= MOST {
                return;
            }
            queued[better] += 1;
            soonest = self.soonest(&choice, &queued);
        }
    }

    /// Whether there is a member that has been at something for longer than a few ticks, and another one.
    fn may_level(&self, choice: &Choice) -> bool {
        let takers = || self.rows.iter().filter(|row| row.taker(choice, &[]).is_some());
        takers().nth(1).is_some() && takers().any(|row| row.service.wait(0) > 4 * TICK)
    }

    /// Whether two rows are of one thread.
    fn shares(&self, one: usize, other: usize) -> bool {
        let endpoint = |row: usize| self.rows[row].member.endpoint();
        Arc::ptr_eq(endpoint(one), endpoint(other))
    }

    /// Returns the row where one more starts soonest, and when.
    fn soonest(&self, choice: &Choice, queued: &[usize]) -> Option<(usize, u64)> {
        let rows = self.rows.iter().enumerate();
        let takers = rows.filter(|(_, row)| {
            row.taker(choice, &[]).is_some() && !row.member.endpoint().is_stalled()
        });
        let waits = takers.map(|(at, row)| (row.service.wait(queued[at]), at));
        waits.min().map(|(wait, at)| (at, wait))
    }

    fn move_to(
        &mut self,
        row: usize,
        choice: &Choice,
        Unstarted { dispatch, recipient, .. }: Unstarted,
        levelled: &mut Levelled,
    ) {
        let size = dispatch.size();
        let row = &mut self.rows[row];
        let Some(listener) = row.taker(choice, &[]) else { return };
        if row.member.take_room(size).is_err() {
            return;
        }
        row.addressed += 1;
        match Delivery::stolen(&dispatch, recipient, &row.member, (listener, false), &mut None) {
            Some((delivery, freed)) => {
                levelled.deliveries.push(delivery);
                levelled.freed.extend(freed);
                levelled.moved.push(Moved { listener, dispatch });
            }
            None => levelled
                .given_back
                .push((row.member.clone(), row.member.capacity().give_back(1, size))),
        }
    }
}
