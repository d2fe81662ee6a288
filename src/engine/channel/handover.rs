//! What becomes of the [lines](super::affinity) of a member that ceases to listen.

use std::collections::VecDeque;
use std::sync::Arc;

use super::affinity::{InLine, Name};
use super::backlog::Unstarted;
use super::member::Member;
use super::route::Route;
use super::table::Table;
use super::{Delivery, Dispatch};
use crate::engine::capacity::Crossed;
use crate::engine::delivery::Former;
use crate::engine::delivery::recipient::{Choice, Freed};
use crate::engine::ids::ListenerId;
use crate::engine::outcome::FailureKind;
use crate::engine::sync::lock;

/// Work that is left until no lock is held.
#[derive(Default)]
pub(super) struct Left {
    freed: Vec<Freed<Member>>,
    /// Members that gave back room which was not needed.
    given_back: Vec<(Arc<Member>, Crossed)>,
    /// Recipients that nobody takes, and why they fail.
    lost: Vec<(Arc<Dispatch>, u32, FailureKind)>,
    /// To be dropped.
    met: Vec<Arc<Dispatch>>,
    over: Vec<Delivery>,
}

impl Left {
    pub(super) fn finish(self) {
        self.over.into_iter().for_each(drop);
        self.given_back
            .into_iter()
            .for_each(|(member, crossed)| member.channel().gave_back(&member, crossed));
        self.freed.into_iter().for_each(Freed::tell);
        self.lost.into_iter().for_each(|(dispatch, recipient, kind)| {
            dispatch.fail_rest(recipient, kind);
        });
        drop(self.met);
    }

    fn lose(&mut self, unstarted: Vec<Unstarted>, member: &Member) {
        let kind = member.endpoint().reason_of_loss();
        let lost = unstarted.into_iter().map(|each| (each.dispatch, each.recipient, kind.clone()));
        self.lost.extend(lost);
    }
}

/// Where a stretch is: in the line with this name, at this place.
type Place<'a> = (&'a Name, usize);

impl Route {
    /// Hands over the lines of a member that does not listen any more in their group: of each, all that has not started,
    /// in order, to one other member. Where that has no room for all, they stay, unless the member is gone.
    pub(super) fn hand_over(self: &Arc<Self>, table: &mut Table, member: &Member) -> Left {
        let mut left = Left::default();
        let has_ceased =
            |group: &Arc<str>| table.place_of(member, &Choice::Group(group.clone())).is_none();
        for name in table.lines.of(member, has_ceased) {
            let stretches = table.lines.line(&name).map_or(0, |line| line.len());
            // From the end, because each may get others behind it.
            for at in (0..stretches).rev() {
                let is_gone = member.endpoint().has_ended();
                let from = Former { member, is_gone };
                let kept = self.hand_over_at(table, (&name, at), from, &mut left);
                if is_gone {
                    left.lose(kept, member);
                }
            }
        }
        left
    }

    /// Hands over the rest of a stretch, of which a member that is gone lets go.
    pub(super) fn leave_behind(self: &Arc<Self>, delivery: &Delivery) {
        let Some((name, id)) = delivery.place_in_line(InLine::place) else { return };
        let (mut left, member) = (Left::default(), delivery.member());
        let mut table = lock(&self.table);
        if let Some(at) = table.lines.place_of(&name, id) {
            let from = Former { member: &**member, is_gone: true };
            let kept = self.hand_over_at(&mut table, (&name, at), from, &mut left);
            left.lose(kept, member);
        }
        drop(table);
        left.finish();
    }

    /// Keeps a delivery that another process has not started, because its listener is gone. It is kept until that
    /// process is through with all deliveries before it and behind it.
    pub(super) fn keep_refused(self: &Arc<Self>, delivery: Delivery) {
        let mut table = lock(&self.table);
        let place = delivery.place_in_line(InLine::place);
        let at = place.as_ref().and_then(|(name, id)| table.lines.place_of(name, *id));
        let (Some((name, id)), Some(at)) = (place, at) else {
            drop(table);
            return drop(delivery);
        };
        if let Some(line) = table.lines.line(&name) {
            line[at].refuse(delivery);
        }
        let left = self.pass_on(&mut table, &name, id);
        drop(table);
        left.finish();
    }

    /// Hands over a stretch if another process has started none of its deliveries that are left. Those that nobody
    /// takes fail.
    #[must_use = "the rest is for when no lock is held"]
    pub(super) fn pass_on(self: &Arc<Self>, table: &mut Table, name: &Name, id: u32) -> Left {
        let mut left = Left::default();
        let Some(at) = table.lines.place_of(name, id) else { return left };
        let Some(line) = table.lines.line(name) else { return left };
        if line[at].is_refused(&mut left.over) {
            let member = line[at].member.clone();
            let refused = line[at].take_refused();
            let from = Former { member: &*member, is_gone: true };
            let _ = self.hand_over_at(table, (name, at), from, &mut left);
            left.over.extend(refused);
        }
        left
    }

    /// Returns those that nobody takes.
    fn hand_over_at(
        self: &Arc<Self>,
        table: &mut Table,
        (name, at): Place<'_>,
        from: Former<'_, Member>,
        left: &mut Left,
    ) -> Vec<Unstarted> {
        let Some(stretch) = table.lines.line(name).map(|line| &mut line[at]) else {
            return Vec::new();
        };
        let id = from.member.id();
        if stretch.member.id() != id {
            return Vec::new();
        }
        stretch.is_closed |= from.member.endpoint().is_ghost();
        let mut unstarted = stretch.backlog.unstarted(&mut left.met);
        // Some may have been handed over before.
        unstarted.retain(|each| each.victim.id() == id);
        if unstarted.is_empty() {
            return unstarted;
        }
        let choice = Choice::Group(name.group.clone());
        let sizes: Vec<_> = unstarted.iter().map(|each| each.dispatch.size()).collect();
        let kept = match table.heir(&choice, &sizes, from.member, &mut left.given_back) {
            Some((heir, listener)) => {
                table.lines.begin_behind(name, at, &heir);
                for each in unstarted {
                    self.give(table, (name, at + 1), each, (listener, false), left);
                }
                table.lines.drop_if_empty(name, at + 1);
                Vec::new()
            }
            None if from.is_gone => self.hand_over_each(table, (name, at), unstarted, from, left),
            None => return unstarted,
        };
        if let Some(line) = table.lines.line(name) {
            line[at].drop_over(&mut left.over);
        }
        kept
    }

    /// Hands over these of a stretch one by one, as if they were emitted again: where nobody has room for all, or they
    /// are for listeners of one event each. Returns those that nobody takes.
    fn hand_over_each(
        self: &Arc<Self>,
        table: &mut Table,
        (name, at): Place<'_>,
        unstarted: Vec<Unstarted>,
        from: Former<'_, Member>,
        left: &mut Left,
    ) -> Vec<Unstarted> {
        let choice = Choice::Group(name.group.clone());
        let (mut before, mut last): (Option<Arc<Member>>, _) = (None, at);
        let mut rest = VecDeque::from(unstarted);
        while let Some(next) = rest.front() {
            let size = next.dispatch.size();
            let Some(chosen) = table.choose_behind(before.as_ref(), &choice, size, from) else {
                break;
            };
            if before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, &chosen.member)) {
                table.lines.begin_behind(name, last, &chosen.member);
                last += 1;
                before = Some(chosen.member.clone());
            }
            let listener = (table.id(&chosen), table.is_once(&chosen));
            let Some(next) = rest.pop_front() else { break };
            if self.give(table, (name, last), next, listener, left) {
                let _ = table.take(&chosen);
            }
        }
        (at + 1..=last).rev().for_each(|at| table.lines.drop_if_empty(name, at));
        table.prune();
        rest.into()
    }

    /// Gives one to the member of a stretch. Returns false if it has started or settled meanwhile.
    fn give(
        self: &Arc<Self>,
        table: &mut Table,
        (name, at): Place<'_>,
        Unstarted { dispatch, recipient, .. }: Unstarted,
        listener: (ListenerId, bool),
        left: &mut Left,
    ) -> bool {
        let Some(to) = table.lines.line(name).map(|line| &mut line[at]) else { return false };
        let heir = to.member.clone();
        let mut own = Some(InLine::new(self, name, to.id()));
        let moved = Delivery::stolen(&dispatch, recipient, &heir, listener, &mut own);
        let is_moved = moved.is_some();
        match moved {
            Some((delivery, freed)) => {
                to.in_flight += 1;
                to.backlog.push(&dispatch, recipient);
                to.keep_back(delivery, &mut left.over);
                left.freed.extend(freed);
            }
            None => {
                let crossed = heir.capacity().give_back(1, dispatch.size());
                left.given_back.push((heir, crossed));
            }
        }
        left.met.push(dispatch);
        is_moved
    }
}
