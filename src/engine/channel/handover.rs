//! What becomes of the [lines](super::affinity) of a member that ceases to listen.

use std::sync::Arc;

use super::Delivery;
use super::affinity::{InLine, Name};
use super::backlog::Unstarted;
use super::member::Member;
use super::route::Route;
use super::table::Table;
use crate::engine::delivery::recipient::{Choice, Freed};
use crate::engine::ids::ListenerId;
use crate::engine::sync::lock;

/// Work that is left until no lock is held.
#[derive(Default)]
pub(super) struct Left {
    freed: Vec<Freed<Member>>,
    /// Members with room that is not needed, for an event with so many bytes.
    room: Vec<(Arc<Member>, usize)>,
    /// To be dropped.
    met: Vec<Arc<super::Dispatch>>,
    over: Vec<Delivery>,
}

impl Left {
    pub(super) fn finish(self) {
        self.over.into_iter().for_each(drop);
        self.room.into_iter().for_each(|(member, size)| member.give_back(1, size));
        self.freed.into_iter().for_each(Freed::tell);
        drop(self.met);
    }
}

impl Route {
    /// Hands over the lines of a member that does not listen any more in their group: of each, all that has not started,
    /// in order, to one other member. Where that has no room for all, they stay.
    pub(super) fn hand_over(self: &Arc<Self>, table: &mut Table, member: &Member) -> Left {
        let mut left = Left::default();
        for name in table.lines.of(member) {
            let choice = Choice::Group(name.group.clone());
            if table.place_of(member, &choice).is_some() {
                continue;
            }
            let stretches = table.lines.line(&name).map_or(0, |line| line.len());
            // From the end, because each may get another one behind it.
            for at in (0..stretches).rev() {
                self.hand_over_at(table, &name, at, member, &mut left);
            }
        }
        left
    }

    /// Keeps a delivery that another process has not started, because its listener is gone. It is kept until that
    /// process is through with all deliveries before it and behind it.
    pub(super) fn keep_refused(self: &Arc<Self>, delivery: Delivery) {
        let mut table = lock(&self.table);
        let Some((name, id)) = delivery.place_in_line(InLine::place) else {
            drop(table);
            return drop(delivery);
        };
        let mut stretches = table.lines.line(&name).into_iter().flatten();
        match stretches.find(|stretch| stretch.id() == id) {
            Some(stretch) => stretch.refuse(delivery),
            None => {
                drop(table);
                return drop(delivery);
            }
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
        let Some(line) = table.lines.line(name) else { return left };
        let Some(at) = line.iter().position(|stretch| stretch.id() == id) else { return left };
        if line[at].is_refused(&mut left.over) {
            let member = line[at].member.clone();
            let refused = line[at].take_refused();
            self.hand_over_at(table, name, at, &member, &mut left);
            left.over.extend(refused);
        }
        left
    }

    fn hand_over_at(
        self: &Arc<Self>,
        table: &mut Table,
        name: &Name,
        at: usize,
        member: &Member,
        left: &mut Left,
    ) {
        let Some(stretch) = table.lines.line(name).map(|line| &mut line[at]) else { return };
        if stretch.member.id() != member.id() {
            return;
        }
        stretch.is_closed |= member.endpoint().is_ghost();
        let mut unstarted = stretch.backlog.unstarted(&mut left.met);
        // Some may have been handed over before.
        unstarted.retain(|each| each.victim.id() == member.id());
        if unstarted.is_empty() {
            return;
        }
        let sizes: Vec<_> = unstarted.iter().map(|each| each.dispatch.size()).collect();
        let Some((heir, listener)) =
            table.heir(&Choice::Group(name.group.clone()), &sizes, member, &mut left.room)
        else {
            return;
        };
        self.give(table, (name, at), unstarted, (&heir, listener), left);
    }

    fn give(
        self: &Arc<Self>,
        table: &mut Table,
        (name, at): (&Name, usize),
        unstarted: Vec<Unstarted>,
        (heir, listener): (&Arc<Member>, ListenerId),
        left: &mut Left,
    ) {
        let stretch = table.lines.begin_behind(name, at, heir);
        for Unstarted { dispatch, recipient, .. } in unstarted {
            let mut own = Some(InLine::new(self, name, stretch));
            let moved = Delivery::stolen(&dispatch, recipient, heir, listener, &mut own);
            let Some(line) = table.lines.line(name) else { return };
            match moved {
                Some((delivery, freed)) => {
                    let next = &mut line[at + 1];
                    next.in_flight += 1;
                    next.backlog.push(&dispatch, recipient);
                    next.keep_back(delivery, &mut left.over);
                    left.freed.extend(freed);
                }
                None => left.room.push((heir.clone(), dispatch.size())),
            }
            left.met.push(dispatch);
        }
        // Their deliveries are over: others were made in their place.
        if let Some(line) = table.lines.line(name) {
            left.over.extend(line[at].kept_back.drain(..));
        }
        table.lines.drop_if_empty(name, at + 1);
    }
}
