//! Events that nobody waits for, on their way from a [route](Route) to its listeners, in
//! [batches](crate::engine::delivery::batch).

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::Batch;
use super::member::Member;
use super::message::Message;
use super::route::{Route, wake_all};
use super::table::Audience;
use crate::engine::delivery::Party;
use crate::engine::fates::Fate;
use crate::engine::ids::ListenerId;
use crate::engine::outcome::{FailureKind, Loss};
use crate::engine::payload::{Content, Payload};
use crate::engine::sync::lock;

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

impl Route {
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
            Ok(must_wake) => must_wake,
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
            emitter.became(self, Fate::from(&kind), listeners);
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
