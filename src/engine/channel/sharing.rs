//! How the members of a group share what there is to do.
//!
//! At `emit` the member with the least in flight is chosen, which is a guess: nobody knows how long a listener takes.
//! So a member that has nothing to do takes over what others were given and have not started, the oldest first.
//!
//! Nobody asks for that where all is well. A thread looks once a millisecond, while there are deliveries that have not
//! started, for those that had not a millisecond before. It *offers* them to the endpoints with a listener for them, and
//! wakes these. It looks more seldom where all members start so many that they are soon through, or the chosen one had
//! nothing else to do. An endpoint with offers that has nothing to do [takes over](Endpoint::steal) some of them: half
//! of what it finds, so that those that hold them keep some, and never very many. An offer stays until nothing is left
//! to take, also for one that cannot take more: it asks again when it can. While all have something to do, deliveries
//! that wait behind a long run are [moved](super::levelling).

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::backlog::{Backlog, Unstarted};
use super::endpoint::Endpoint;
use super::levelling::{Levelled, Moved};
use super::message::Message;
use super::route::{Route, queue, wake_all};
use super::table::Table;
use super::watched::Watch;
use super::{Delivery, Dispatch};
use crate::engine::delivery::recipient::Choice;
use crate::engine::ids::ListenerId;
use crate::engine::sync::lock;

/// Number of deliveries that are taken over at once, at most.
pub(super) const MOST: usize = 16;

/// What a table knows of deliveries that have not started.
#[derive(Default)]
pub(super) struct Backlogs {
    pub(super) by_choice: Vec<Backlog>,
    /// Recipients of the event that is being addressed, and the backlogs that they belong to.
    noted: Vec<(u32, usize)>,
    /// By [`Watch`].
    is_watched: [bool; Watch::KINDS],
    /// True if all members were quick when something waited.
    are_quick: bool,
    /// Something was added behind something else since the last look was scheduled.
    is_behind: bool,
    /// Something was added since the last [unlikely](Watch::Unlikely) look.
    is_used: bool,
    /// A listener was removed since there is a backlog: that may be held by a member that listens no more.
    is_outlived: bool,
}

impl Backlogs {
    /// Notes a recipient of the event that is being addressed, whose member has so many in flight.
    pub(super) fn note(&mut self, recipient: usize, choice: &Choice, in_flight: usize) {
        self.is_behind |= in_flight > 1;
        self.is_used = true;
        let known = self.by_choice.iter().position(|backlog| backlog.choice() == choice);
        let at = known.unwrap_or_else(|| {
            self.by_choice.push(Backlog::new(choice.clone()));
            self.by_choice.len() - 1
        });
        self.noted.push((u32::try_from(recipient).unwrap_or(u32::MAX), at));
    }

    /// Adds the recipients that were noted.
    pub(super) fn add(&mut self, dispatch: &Arc<Dispatch>) {
        for (recipient, at) in self.noted.drain(..) {
            self.by_choice[at].push(dispatch, recipient);
        }
    }

    /// Notes that something may wait behind something else.
    pub(super) fn fall_behind(&mut self) {
        self.is_behind = true;
    }

    /// Notes that a listener was removed.
    pub(super) fn outlive(&mut self) {
        self.is_outlived = !self.are_empty();
    }

    fn are_empty(&self) -> bool {
        self.by_choice.iter().all(Backlog::is_empty)
    }

    /// Has the route looked at. Returns when, if that is news. What is here then is ripe.
    fn watch(&mut self, is_soon: bool) -> Option<Watch> {
        let watch = match (is_soon, self.is_behind, self.are_quick) {
            (false, ..) => Watch::Later,
            (true, false, _) => Watch::Unlikely,
            (true, true, true) => Watch::Seldom,
            (true, true, false) => Watch::Soon,
        };
        if self.is_expected() || self.are_empty() || self.is_watched[watch as usize] {
            return None;
        }
        self.is_behind = false;
        Some(self.expect(watch))
    }

    fn expect(&mut self, watch: Watch) -> Watch {
        // Deliveries that are looked at sooner are ripe as of then.
        if !self.is_expected() {
            self.by_choice.iter_mut().for_each(Backlog::mark);
        }
        self.is_watched[watch as usize] = true;
        watch
    }

    /// Has the route looked at again if this look was an unlikely one, and something was added since the one before.
    fn watch_on(&mut self, watch: Watch) -> Option<Watch> {
        let is_used = watch == Watch::Unlikely && std::mem::take(&mut self.is_used);
        is_used.then(|| self.expect(watch))
    }

    /// Whether the route is looked at in a few milliseconds.
    fn is_expected(&self) -> bool {
        self.is_watched[Watch::Soon as usize] || self.is_watched[Watch::Seldom as usize]
    }
}

impl Route {
    /// Sees to it that what was just added to the backlog is looked at. Returns when, if that is news.
    pub(super) fn expect_a_tick(table: &mut Table) -> Option<Watch> {
        let is_shared = table.is_shared() || table.backlogs.is_outlived;
        table.backlogs.watch(is_shared)
    }

    /// Offers the deliveries that have waited since the last tick. Returns when to look again, the endpoints to be
    /// woken, and the deliveries that were moved.
    pub(super) fn tick(
        self: &Arc<Self>,
        watch: Watch,
    ) -> (Option<Watch>, Vec<Arc<Endpoint>>, Vec<Moved>) {
        let (mut met, mut to_wake, mut levelled) = (Vec::new(), Vec::new(), Levelled::default());
        let mut table = lock(&self.table);
        table.backlogs.is_watched[watch as usize] = false;
        if table.backlogs.is_expected() {
            return (table.backlogs.watch_on(watch), to_wake, Vec::new());
        }
        let is_tick = matches!(watch, Watch::Soon | Watch::Seldom);
        let (are_quick, mut is_expected) = (!table.has_slow(is_tick), false);
        for at in 0..table.backlogs.by_choice.len() {
            let (has_ripe, has_young) = table.backlogs.by_choice[at].ripen(&mut met);
            is_expected |= has_young || (has_ripe && are_quick);
            if has_ripe {
                table.backlogs.are_quick = are_quick;
            }
            if !has_ripe || are_quick {
                continue;
            }
            // Also to those that hold some: they may be done before the others are.
            let choice = table.backlogs.by_choice[at].choice().clone();
            // Later also to those that have an offer, and had no room, say.
            for (thief, has_none) in table.takers(&choice, watch == Watch::Later) {
                if has_none {
                    thief.offer(Arc::downgrade(self));
                }
                to_wake.push(thief);
            }
            table.level(at, &mut met, &mut levelled);
        }
        let (receivers, refused) = queue(std::mem::take(&mut levelled.deliveries));
        table.backlogs.by_choice.retain(|backlog| !backlog.is_empty());
        let is_soon = is_expected && (table.is_shared() || table.backlogs.is_outlived);
        table.backlogs.is_behind |= is_soon;
        table.backlogs.is_outlived &= !table.backlogs.are_empty();
        let next = table.backlogs.watch(is_soon).or_else(|| table.backlogs.watch_on(watch));
        drop(table);
        drop(refused);
        wake_all(&receivers);
        (next, to_wake, levelled.finish())
    }

    /// Takes over deliveries for an endpoint, but not for listeners that are `full`. Returns whether some are left.
    fn steal(
        self: &Arc<Self>,
        thief: &Arc<Endpoint>,
        full: &[ListenerId],
        into: &mut Vec<Message>,
    ) -> bool {
        let (mut met, mut freed, mut too_late) = (Vec::new(), Vec::new(), Vec::new());
        let mut table = lock(&self.table);
        let (mut is_left, mut channel) = (false, None);
        for at in 0..table.backlogs.by_choice.len() {
            let choice = table.backlogs.by_choice[at].choice().clone();
            let Some(least) = table.least_in_flight(thief, &choice) else { continue };
            let may_take = |waiting: &Unstarted, is_overdue: bool| {
                // What waits for a full listener may go to another member of the same endpoint.
                let is_other = !Arc::ptr_eq(waiting.victim.endpoint(), thief)
                    || full.contains(&waiting.listener);
                // A member with nothing else is probably only about to wake, and has less to do.
                is_other && (is_overdue || least == 0 || waiting.victim.in_flight() > 1)
            };
            let found = table.backlogs.by_choice[at].ripe(2 * MOST, may_take, &mut met);
            let most = found.len().div_ceil(2);
            is_left |= found.len() > 1;
            for unstarted in found.into_iter().take(most) {
                if !unstarted.is_current() {
                    continue;
                }
                let size = unstarted.dispatch.size();
                let Some((member, listener)) = table.take_for(thief, &choice, full, size) else {
                    is_left = true;
                    break;
                };
                let (dispatch, recipient) = (&unstarted.dispatch, unstarted.recipient);
                match Delivery::stolen(dispatch, recipient, &member, (listener, false), &mut None) {
                    Some((delivery, room)) => {
                        freed.extend(room);
                        channel = Some(member.channel().clone());
                        into.push(Message::Delivery(delivery));
                    }
                    None => too_late.push((member, size)),
                }
            }
        }
        if !is_left {
            table.forget_offer(thief);
        }
        // It may not get to all that it took before others have nothing to do.
        if !into.is_empty() {
            table.backlogs.fall_behind();
        }
        let watch = channel.as_ref().and_then(|_| Self::expect_a_tick(&mut table));
        drop(table);
        channel.iter().for_each(|channel| channel.watch(self, watch));
        too_late.into_iter().for_each(|(member, size)| member.give_back(1, size));
        freed.into_iter().for_each(|freed| freed.tell());
        is_left
    }
}

impl Endpoint {
    /// Returns whether there may be something to [take over](Self::steal). An owner that has nothing to do tries before
    /// it sleeps. It is woken when there is something new.
    pub fn has_offers(&self) -> bool {
        self.has_offers.load(Ordering::Acquire)
    }

    fn offer(&self, route: Weak<Route>) {
        let mut offers = lock(&self.offers);
        offers.push_back(route);
        self.has_offers.store(true, Ordering::Release);
    }

    fn next_offer(&self) -> Option<Weak<Route>> {
        let mut offers = lock(&self.offers);
        let next = offers.pop_front();
        self.has_offers.store(!offers.is_empty(), Ordering::Release);
        next
    }

    /// Takes over deliveries that other endpoints were given and have not started, for listeners of this one that are
    /// not among the `full` ones. For an owner that has nothing else to do, on its own thread.
    pub fn steal(self: &Arc<Self>, full: &[ListenerId], into: &mut Vec<Message>) {
        let first = into.len();
        let offers = lock(&self.offers).len();
        for _ in 0..offers {
            let Some(offer) = self.next_offer() else { return };
            let Some(route) = offer.upgrade() else { continue };
            if route.steal(self, full, into) {
                self.offer(offer);
            }
            if into.len() > first {
                return;
            }
        }
    }
}
