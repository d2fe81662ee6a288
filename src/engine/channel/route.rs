//! The listeners to one event of one channel, and the choice of recipients.
//!
//! Emitting settles the recipients under one lock: `once` listeners are claimed, one listener of each group
//! is chosen, and the deliveries are queued. So events of one emitter reach each endpoint in the order of
//! their emission, and after a listener's removal nothing comes for it. Wakes are sent when the lock is
//! released.

use std::sync::Arc;

use super::choosing::Addressed;
use super::member::Member;
use super::observer::Observed;
pub use super::publish::Published;
use super::table::Table;
use super::{Delivery, Dispatch, InLine};
use crate::engine::delivery::Former;
use crate::engine::delivery::dispatch::Emission;
use crate::engine::delivery::recipient::{Choice, Recipient};
use crate::engine::fates::Fates;
use crate::engine::ids::ListenerId;
use crate::engine::payload::Payload;
use crate::engine::sync::{Mutex, lock};

/// The options of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerOptions {
    /// For one event only.
    pub once: bool,
    /// Before the other listeners of its member.
    pub prepend: bool,
    /// Takes turns with the other listeners of this group: each event goes to one of them.
    pub group: Option<Arc<str>>,
    /// Its events come as [deliveries](Delivery), never in [batches](crate::engine::delivery::batch), so that each can
    /// have a [timer](Delivery::start_timer).
    pub tracked: bool,
}

/// The listeners to one event. See the [module](self).
pub struct Route {
    pub(super) event: Arc<str>,
    pub(super) fates: Fates,
    pub(super) table: Mutex<Table>,
}

/// The result of a dispatch.
pub enum Dispatched {
    /// It has listeners elsewhere and came without a payload. Nothing has happened.
    NeedsPayload,
    /// There is no memory for its payload. Nothing has happened.
    NoMemory,
    /// It was addressed.
    To {
        /// Number of listeners that get the event by a delivery.
        others: u32,
        /// Listeners of the emitting member itself that the emission claimed or was assigned: its
        /// own `once` listeners, its own members of groups, or the one that replies. They are not
        /// among the deliveries: the emitter calls them. For each that was chosen among several
        /// members it then calls [`Member::done`].
        own: Vec<Own>,
        /// To be [ended](InLine::end) with them: these of them get an event with a key.
        in_line: Vec<InLine>,
        /// True if some are of the emitting endpoint: it gets the event as others do.
        comes_back: bool,
        /// The event on its way to others, if it has recipients.
        dispatch: Option<Arc<Dispatch>>,
    },
}

/// One of the emitting member's own listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Which.
    pub listener: ListenerId,
    /// True if it was chosen among several, and counts as in flight until [`Member::done`].
    pub chosen: bool,
}

impl Route {
    pub(super) fn new(event: Arc<str>, observed: &Arc<Observed>) -> Self {
        let table = Table::of(event.clone(), observed.clone());
        Route { event, fates: Fates::default(), table: Mutex::new(table) }
    }

    /// Returns the name of the event.
    pub fn event(&self) -> &str {
        &self.event
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.event
    }

    /// Returns whether nobody listens.
    pub fn is_empty(&self) -> bool {
        lock(&self.table).is_empty()
    }

    /// Returns whether anybody but this member listens.
    pub fn has_others(&self, member: &Arc<Member>) -> bool {
        lock(&self.table).has_others(member)
    }

    /// Returns the number of endpoints with a listener.
    pub fn breadth(&self) -> usize {
        lock(&self.table).breadth()
    }

    /// Returns the number of keys of each group with events in flight.
    pub fn keys(&self) -> usize {
        lock(&self.table).lines.len()
    }

    /// Returns whether another member of the same endpoint listens.
    pub fn has_siblings(&self, member: &Arc<Member>) -> bool {
        lock(&self.table).has_siblings(member)
    }

    /// Returns the endpoints of the current listeners, each once: handles can be left with them
    /// before the event is.
    pub fn endpoints(&self, emitter: &Arc<Member>) -> Vec<u32> {
        lock(&self.table).endpoints(emitter)
    }

    /// Returns the number of current listeners that an event is for, those of its emitter too: of each group one.
    pub fn audience(&self) -> usize {
        lock(&self.table).audience()
    }

    /// Dispatches an event to the current listeners.
    pub fn dispatch(
        self: &Arc<Self>,
        emitter: &Arc<Member>,
        mut emission: Emission<'_>,
    ) -> Dispatched {
        let mut table = lock(&self.table);
        let key = emission.key.take();
        let is_needed =
            table.has_others(emitter) || key.as_ref().is_some_and(|key| table.may_wait(key));
        let payload = match emission.payload.take() {
            _ if !is_needed => Some(Payload::default()),
            None => return Dispatched::NeedsPayload,
            Some(content) => content.into_payload(),
        };
        let Some(payload) = payload else { return Dispatched::NoMemory };
        let size = payload.size();
        let mut addressed = Addressed::default();
        let assign = |table: &mut Table, choice: Choice, addressed: &mut Addressed| {
            let chosen = match &key {
                Some(key) => table.choose_by_key(&choice, key, size, emitter),
                None => table.choose(&choice, size, Some(emitter), None).map(|it| (it, None)),
            };
            if let Some(chosen) = chosen {
                table.assign(chosen, choice, (self, emitter), addressed);
            }
        };
        if emission.request {
            assign(&mut table, Choice::Any, &mut addressed);
        } else {
            table.address_everyone(emitter, size, &mut addressed);
            for group in table.groups() {
                assign(&mut table, Choice::Group(group), &mut addressed);
            }
        }
        let Addressed { own, in_line, recipients } = addressed;
        table.prune();
        if recipients.is_empty() {
            return Dispatched::To { others: 0, own, in_line, comes_back: false, dispatch: None };
        }
        let is_here =
            |to: &Recipient<Member>| Arc::ptr_eq(&to.member().endpoint, &emitter.endpoint);
        let comes_back = recipients.iter().any(is_here);
        let others = recipients.iter().map(Recipient::listeners).sum();
        emitter.addresses(others as usize);
        let dispatch = Dispatch::begin(self, emitter, emission, payload, recipients);
        table.backlogs.add(&dispatch);
        let mut over = Vec::new();
        let deliveries = table.lines.add(&dispatch, Delivery::all(&dispatch), &mut over);
        let (to_wake, refused) = queue(deliveries);
        let watch = Self::expect_a_tick(&mut table);
        drop(table);
        wake_all(&to_wake);
        emitter.channel().watch(self, watch);
        drop((refused, over));
        dispatch.refuse_what_was_full();
        Dispatched::To { others, own, in_line, comes_back, dispatch: Some(dispatch) }
    }

    /// Finds another listener for a delivery that a member let go of before it started. Returns false
    /// when no other member has one, and room.
    pub(super) fn choose_again(
        self: &Arc<Self>,
        dispatch: &Arc<Dispatch>,
        recipient: u32,
        choice: &Choice,
        from: Former<'_, Member>,
    ) -> bool {
        let mut table = lock(&self.table);
        let size = dispatch.size();
        let Some(chosen) = table.choose(choice, size, None, Some(from)) else { return false };
        if chosen.room.is_err() {
            return false;
        }
        let (listener, has_claimed) = (table.id(&chosen), table.is_once(&chosen));
        let Some(delivery) =
            Delivery::moved(dispatch, recipient, &chosen.member, listener, has_claimed)
        else {
            drop(table);
            chosen.member.give_back(1, size);
            return true;
        };
        let _ = table.take(&chosen);
        table.prune();
        if !has_claimed {
            table.backlogs.note(recipient as usize, choice, usize::MAX);
            table.backlogs.add(dispatch);
        }
        let (to_wake, refused) = queue(vec![delivery]);
        let watch = Self::expect_a_tick(&mut table);
        drop(table);
        wake_all(&to_wake);
        dispatch.emitter().channel().watch(self, watch);
        drop(refused);
        true
    }

    pub(super) fn add(
        self: &Arc<Self>,
        member: &Arc<Member>,
        id: ListenerId,
        options: ListenerOptions,
    ) {
        self.change(member, |table| table.add(member, id, options));
    }

    /// Returns whether an event may have been addressed to the listener.
    #[must_use]
    pub(super) fn remove(self: &Arc<Self>, member: &Arc<Member>, id: ListenerId) -> bool {
        self.change(member, |table| table.remove(member, id))
    }

    /// Removes all listeners of a member.
    pub(super) fn remove_all(self: &Arc<Self>, member: &Arc<Member>) {
        self.change(member, |table| table.remove_all(member));
    }

    /// Changes who listens. Those who do now may take over what others have not started.
    fn change<T>(self: &Arc<Self>, member: &Member, change: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = lock(&self.table);
        let changed = change(&mut table);
        let left = self.hand_over(&mut table, member);
        table.backlogs.fall_behind();
        let watch = Self::expect_a_tick(&mut table);
        drop(table);
        member.channel().watch(self, watch);
        left.finish();
        changed
    }
}

/// Queues deliveries. Returns the members to be woken, and the deliveries that nobody takes any more; both
/// are for when no lock is held.
pub(super) fn queue(deliveries: Vec<Delivery>) -> (Vec<Arc<Member>>, Vec<Delivery>) {
    let mut to_wake = Vec::new();
    let mut refused = Vec::new();
    for delivery in deliveries {
        let to = delivery.member().clone();
        let put = to.endpoint().queue(delivery);
        match put {
            Ok(true) => to_wake.push(to),
            Ok(false) => {}
            Err(closed) => refused.push(closed.0),
        }
    }
    (to_wake, refused)
}

pub(super) fn wake_all(members: &[Arc<Member>]) {
    members.iter().for_each(|member| member.endpoint().mailbox().send_wake());
}
