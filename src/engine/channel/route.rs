//! The listeners to one event of one channel, and the choice of recipients.
//!
//! Emitting settles the recipients under one lock: `once` listeners are claimed, one listener of each group
//! is chosen, and the deliveries are queued. So events of one emitter reach each endpoint in the order of
//! their emission, and after a listener's removal nothing comes for it. Wakes are sent when the lock is
//! released.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::member::Member;
use super::message::Message;
use super::table::{Audience, Table};
use super::{Batch, Delivery, Dispatch};
use crate::engine::delivery::Party;
use crate::engine::delivery::dispatch::Emission;
use crate::engine::delivery::recipient::{Choice, Recipient};
use crate::engine::ids::ListenerId;
use crate::engine::outcome::{FailureKind, Loss};
use crate::engine::payload::{Content, Payload};
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
    event: Arc<str>,
    table: Mutex<Table>,
}

/// The result of a dispatch.
pub enum Dispatched {
    /// It has listeners elsewhere and came without a payload. Nothing has happened.
    NeedsPayload,
    /// There is no memory for its payload. Nothing has happened.
    NoMemory,
    /// It was addressed.
    To {
        /// Number of listeners of other members.
        others: u32,
        /// Listeners of the emitting member itself that the emission claimed or was assigned: its
        /// own `once` listeners, its own members of groups, or the one that replies. They are not
        /// among the deliveries: the emitter calls them. For each that was chosen among several
        /// members it then calls [`Member::done`].
        own: Vec<Own>,
        /// The event on its way to others, if it has recipients.
        dispatch: Option<Arc<Dispatch>>,
    },
}

/// The result of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// There are `once`, grouped or tracked listeners, which need an [emission](Route::dispatch). Nothing
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
    /// True if it was chosen among several, and counts as in flight until [`Member::done`].
    pub chosen: bool,
}

impl Route {
    pub(super) fn new(event: Arc<str>) -> Self {
        Route { event, table: Mutex::new(Table::default()) }
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

    /// Returns whether another member of the same endpoint listens.
    pub fn has_siblings(&self, member: &Arc<Member>) -> bool {
        lock(&self.table).has_siblings(member)
    }

    /// Returns the endpoints of the current listeners, each once: handles can be left with them
    /// before the event is.
    pub fn endpoints(&self, emitter: &Arc<Member>) -> Vec<u32> {
        lock(&self.table).endpoints(emitter)
    }

    /// Dispatches an event to the current listeners.
    pub fn dispatch(
        self: &Arc<Self>,
        emitter: &Arc<Member>,
        mut emission: Emission<'_>,
    ) -> Dispatched {
        let mut table = lock(&self.table);
        let payload = match emission.payload.take() {
            _ if !table.has_others(emitter) => Some(Payload::default()),
            None => return Dispatched::NeedsPayload,
            Some(content) => content.into_payload(),
        };
        let Some(payload) = payload else { return Dispatched::NoMemory };
        let size = payload.size();
        let mut own = Vec::new();
        let mut recipients = Vec::new();
        if emission.request {
            let chosen = table.choose(&Choice::Any, size, Some(emitter), None);
            table.assign(chosen, Choice::Any, emitter, &mut own, &mut recipients);
        } else {
            table.address_everyone(emitter, size, &mut own, &mut recipients);
            for group in table.groups() {
                let choice = Choice::Group(group);
                let chosen = table.choose(&choice, size, Some(emitter), None);
                table.assign(chosen, choice, emitter, &mut own, &mut recipients);
            }
        }
        table.prune();
        if recipients.is_empty() {
            return Dispatched::To { others: 0, own, dispatch: None };
        }
        let others = recipients.iter().map(Recipient::listeners).sum();
        emitter.addresses(others as usize);
        let dispatch = Dispatch::begin(self, emitter, emission, payload, recipients);
        let (to_wake, refused) = queue(Delivery::all(&dispatch));
        drop(table);
        wake_all(&to_wake);
        drop(refused);
        dispatch.refuse_what_was_full();
        Dispatched::To { others, own, dispatch: Some(dispatch) }
    }

    /// Publishes an event to the current listeners. The emitter is notified only of failed deliveries. Events
    /// go in [batches](crate::engine::delivery::batch), which is the cheapest way there is.
    pub fn publish(self: &Arc<Self>, emitter: &Arc<Member>, payload: Option<&[u8]>) -> Published {
        self.publish_all(emitter, payload.map(Content::Lent).as_mut_slice())
    }

    /// Publishes as [`publish`](Self::publish) any number of events, one for each payload: locks are taken once
    /// for all of them. A [kept](Content::Kept) payload is taken, unless nothing has happened.
    pub fn publish_all(
        self: &Arc<Self>,
        emitter: &Arc<Member>,
        payloads: &mut [Content<'_>],
    ) -> Published {
        let mut table = lock(&self.table);
        if !table.is_plain() {
            return Published::NotPlain;
        }
        if !table.has_others(emitter) {
            return Published::To(0);
        }
        if payloads.is_empty() {
            return Published::NeedsPayload;
        }
        // Where members share a mailbox, no event comes before an earlier one for another of them.
        let are_alone = payloads.len() == 1 || table.have_endpoints_of_their_own(emitter);
        let run = if are_alone { payloads.len() } else { 1 };
        let mut listeners = 0;
        let mut to_wake = Vec::new();
        let mut refused = Vec::new();
        for first in (0..payloads.len()).step_by(run) {
            listeners = 0;
            let events = first..first + run;
            let mut audiences = table.others(emitter).peekable();
            while let Some(audience) = audiences.next() {
                let to = audience.member;
                listeners += count(audience.listeners);
                // The last one has it alone, unless the emitter is to be told that others do not.
                let gives = refused.is_empty() && audiences.peek().is_none();
                let events = Events { payloads: &mut *payloads, range: events.clone(), gives };
                if self.publish_to(audience, emitter, events, &mut refused) {
                    to_wake.push(to.clone());
                }
            }
        }
        emitter.addresses(listeners as usize * payloads.len());
        drop(table);
        wake_all(&to_wake);
        self.refuse(emitter, payloads, refused);
        Published::To(listeners)
    }

    /// Publishes some of these events. Returns whether the endpoint has to be woken. Adds the events that it
    /// does not take to `refused`.
    fn publish_to(
        self: &Arc<Self>,
        audience: Audience<'_>,
        emitter: &Arc<Member>,
        Events { payloads, range, gives }: Events<'_, '_>,
        refused: &mut Vec<Refused>,
    ) -> bool {
        emitter.began(range.len());
        let (to, listeners) = (audience.member, audience.listeners);
        let refusal = |payload, bytes, kind| Refused {
            payload,
            bytes,
            kind,
            listeners: count(listeners),
            member: to.clone(),
        };
        let mut taken = 0;
        let written = to.endpoint().mailbox().write(|messages| {
            for at in range.clone() {
                let bytes = payloads[at].size();
                if let Err(bound) = to.take_room(bytes) {
                    refused.push(refusal(at, bytes, FailureKind::MailboxFull(bound)));
                    continue;
                }
                let content = payloads[at].hand_over(gives);
                if !self.write(messages, emitter, to, listeners, content) {
                    refused.push(refusal(at, bytes, FailureKind::NoMemory));
                } else {
                    taken += 1;
                }
            }
            // Before they can be collected, and so be done.
            to.take_on(taken);
        });
        audience.are_addressed(taken);
        match written {
            Ok(must_wake) => must_wake | to.endpoint().expect_a_look(),
            Err(_closed) => {
                let kind = FailureKind::ThreadExited;
                refused.extend(range.map(|at| refusal(at, payloads[at].size(), kind.clone())));
                false
            }
        }
    }

    /// Tells the emitter of refused events. Of each event, members that do not have it share one copy of the
    /// payload, which is made only if it is told of.
    fn refuse(&self, emitter: &Arc<Member>, payloads: &[Content<'_>], mut refused: Vec<Refused>) {
        refused.sort_by_key(|refused| refused.payload);
        let mut copy: Option<(usize, Option<Payload>)> = None;
        for Refused { payload, bytes, kind, listeners, member } in refused {
            let event = &self.event;
            if kind == FailureKind::NoMemory {
                member.give_back(1, bytes);
            }
            let thread = member.endpoint().thread();
            let loss = Loss { event, kind, listeners, thread, started: false, bytes };
            emitter.lost(loss, || match &copy {
                Some((at, copy)) if *at == payload => copy.clone(),
                _ => copy.insert((payload, payloads[payload].share())).1.clone(),
            });
            emitter.ended(1, listeners);
        }
    }

    /// Adds an event to the batch at the end of a mailbox, or a new one. Returns false if there is no memory for it.
    fn write(
        self: &Arc<Self>,
        messages: &mut VecDeque<Message>,
        emitter: &Arc<Member>,
        to: &Arc<Member>,
        listeners: &[ListenerId],
        content: Content<'_>,
    ) -> bool {
        if let Some(Message::Batch(batch)) = messages.back_mut()
            && batch.takes(emitter, to, content.size())
        {
            return batch.add(self, listeners, content);
        }
        let mut batch = Batch::new(emitter, to);
        let is_added = batch.add(self, listeners, content);
        if is_added {
            messages.push_back(Message::Batch(batch));
        }
        is_added
    }

    /// Finds another listener for a delivery that a member let go of before it started. Returns false
    /// when no other member has one, and room.
    pub(super) fn choose_again(
        &self,
        dispatch: &Arc<Dispatch>,
        recipient: u32,
        choice: &Choice,
        except: &Arc<Member>,
    ) -> bool {
        let mut table = lock(&self.table);
        let size = dispatch.size();
        let Some(chosen) = table.choose(choice, size, None, Some(except)) else { return false };
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
        let (to_wake, refused) = queue(vec![delivery]);
        drop(table);
        wake_all(&to_wake);
        drop(refused);
        true
    }

    pub(super) fn add(&self, member: &Arc<Member>, id: ListenerId, options: ListenerOptions) {
        lock(&self.table).add(member, id, options);
    }

    /// Returns whether an event may have been addressed to the listener.
    #[must_use]
    pub(super) fn remove(&self, member: &Arc<Member>, id: ListenerId) -> bool {
        lock(&self.table).remove(member, id)
    }

    /// Removes all listeners of a member.
    pub(super) fn remove_all(&self, member: &Arc<Member>) {
        lock(&self.table).remove_all(member);
    }
}

/// Some of these payloads, for one member.
struct Events<'a, 'b> {
    payloads: &'a mut [Content<'b>],
    range: Range<usize>,
    /// Nobody else needs them: kept payloads are for this member alone.
    gives: bool,
}

/// An event that a member did not take: which of several, and why.
struct Refused {
    payload: usize,
    bytes: usize,
    kind: FailureKind,
    listeners: u32,
    member: Arc<Member>,
}

fn count(listeners: &[ListenerId]) -> u32 {
    u32::try_from(listeners.len()).unwrap_or(u32::MAX)
}

/// Queues deliveries. Returns the members to be woken, and the deliveries that nobody takes any more; both
/// are for when no lock is held.
fn queue(deliveries: Vec<Delivery>) -> (Vec<Arc<Member>>, Vec<Delivery>) {
    let mut to_wake = Vec::new();
    let mut refused = Vec::new();
    for delivery in deliveries {
        let to = delivery.member().clone();
        let put = to.endpoint().queue(delivery);
        match put.map(|must_wake| must_wake | to.endpoint().expect_a_look()) {
            Ok(true) => to_wake.push(to),
            Ok(false) => {}
            Err(closed) => refused.push(closed.0),
        }
    }
    (to_wake, refused)
}

fn wake_all(members: &[Arc<Member>]) {
    members.iter().for_each(|member| member.endpoint().mailbox().send_wake());
}
