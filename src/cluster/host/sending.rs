//! Takes events for peers out of the mailboxes of their ghosts, as long as each peer may be sent some.

use std::collections::HashMap;
use std::sync::Arc;

use super::Host;
use super::remote::Work;
use super::{FRAME_OVERHEAD, LOAD_EVERY};
use crate::cluster::Millis;
use crate::cluster::bridge::{Input, Peer};
use crate::cluster::frame::{Change, Event, Frame};
use crate::cluster::names;
use crate::cluster::peer::PeerId;
use crate::engine::channel::endpoint::Endpoint;
use crate::engine::channel::message::{Message, Notice};
use crate::engine::channel::{Batch, Delivery, Dispatch};
use crate::engine::outcome::FailureKind;
use crate::engine::payload::Payload;

/// Number of messages that are taken of one ghost at once.
const MOST: usize = 64;

impl Host {
    /// Collects changes of listeners here, and events for peers. Members are told of before their events.
    pub(super) fn collect(&mut self) {
        let mut ghosts = std::mem::take(&mut self.waiting);
        ghosts.extend(self.ready.take());
        let mut collected = Vec::new();
        for (peer, endpoint) in ghosts {
            self.collect_ghost(peer, endpoint, &mut collected);
        }
        self.apply_notes();
        for (peer, messages) in collected {
            self.send_all(peer, messages);
        }
    }

    /// Takes in the changes of listeners here.
    pub(super) fn apply_notes(&mut self) {
        let notes = self.notes.take();
        for change in self.locals.apply(notes) {
            if let Change::Ended(endpoint) | Change::Emptied(endpoint) = change {
                let remotes = self.remotes.values_mut();
                remotes.for_each(|remote| drop(remote.books.remove(&endpoint)));
            }
            self.inputs.push(Input::Local(change));
        }
    }

    fn collect_ghost(
        &mut self,
        peer: PeerId,
        endpoint: u32,
        collected: &mut Vec<(PeerId, Vec<Message>)>,
    ) {
        let ghost = self.remotes.get(&peer).and_then(|remote| remote.ghosts.get(&endpoint));
        let Some(ghost) = ghost else { return };
        let mut messages = Vec::new();
        if !self.bridge.has_room(peer) || ghost.endpoint.collect(MOST, &mut messages) {
            // It wakes nobody until a look has found nothing.
            self.waiting.push((peer, endpoint));
        }
        if !messages.is_empty() {
            collected.push((peer, messages));
        }
    }

    fn send_all(&mut self, peer: PeerId, messages: Vec<Message>) {
        let mut steps = Vec::new();
        for message in messages {
            match message {
                Message::Batch(batch) => self.send_batch(peer, batch),
                Message::Delivery(delivery) => self.send_delivery(peer, delivery),
                Message::Notice(Notice::Step { token, step }) => steps.push((token, step)),
                Message::Notice(Notice::Cancelled(dispatch)) => self.cancel(peer, &dispatch),
                Message::Notice(Notice::Over { token, kind }) => self.tell_over(peer, token, kind),
                // Of threads elsewhere their own process tells.
                Message::Notice(Notice::Stall(stall)) if stall.thread < names::FIRST => {
                    let (thread, waiting, ms) = (stall.thread, stall.waiting, stall.ms);
                    self.send(peer, Frame::Stall { thread, waiting, ms });
                }
                Message::Notice(_) => {}
            }
        }
        self.send_steps(peer, steps);
    }

    pub(super) fn send(&mut self, peer: PeerId, frame: Frame) {
        self.inputs.push(Input::Send(peer, frame));
    }

    fn send_batch(&mut self, peer: PeerId, mut batch: Batch) {
        let emitter = batch.emitter().endpoint().clone();
        let (mut events, most) = (Vec::new(), self.max_event_for(peer));
        for index in 0..batch.len() {
            let Some((_, listeners, payload)) = batch.event(index) else { continue };
            if payload.size() > most {
                batch.lose(index, FailureKind::TooLarge(most as u64));
            } else {
                events.push((index, listeners.to_vec(), payload));
            }
        }
        let Some(remote) = self.remotes.get_mut(&peer).filter(|_| !events.is_empty()) else {
            return;
        };
        let at = remote.batches.insert(batch);
        for (index, listeners, payload) in events {
            let work = Work::Untracked { batch: at, index, failed: 0, lost: None };
            let event = EventOf { payload, request: false, awaited: false, delivery: None };
            self.send_event(peer, &emitter, &listeners, work, event);
        }
    }

    /// Returns the bytes of the largest event that this process sends, and the peer takes.
    pub(super) fn max_event_for(&self, peer: PeerId) -> usize {
        let longest = self.bridge.peer(peer).map_or(0, Peer::longest);
        self.max_event.min(longest.saturating_sub(FRAME_OVERHEAD))
    }

    fn send_delivery(&mut self, peer: PeerId, delivery: Delivery) {
        let (payload, most) = (delivery.payload(), self.max_event_for(peer));
        if payload.size() > most {
            return delivery.fail_rest(FailureKind::TooLarge(most as u64));
        }
        if delivery.is_over() || (delivery.must_start() && !delivery.send()) {
            return;
        }
        let (dispatch, emitter) =
            (delivery.dispatch().clone(), delivery.emitter().endpoint().clone());
        let listeners = delivery.listeners().to_vec();
        let event = EventOf {
            payload,
            request: delivery.is_request(),
            awaited: delivery.token().is_some(),
            delivery: delivery.must_start().then_some(dispatch),
        };
        self.send_event(peer, &emitter, &listeners, Work::Tracked(delivery), event);
    }

    fn send_event(
        &mut self,
        peer: PeerId,
        emitter: &Arc<Endpoint>,
        listeners: &[u32],
        work: Work,
        event: EventOf,
    ) {
        self.send_book(peer, emitter);
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        let id = remote.owed.add(work, u32::try_from(listeners.len()).unwrap_or(u32::MAX));
        let EventOf { payload, request, awaited, delivery } = event;
        if let Some(dispatch) = &delivery {
            remote.sent.entry(Arc::as_ptr(dispatch).addr()).or_default().push(id);
        }
        let event = Event {
            id,
            endpoint: emitter.id(),
            listeners: listeners.to_vec(),
            request,
            awaited,
            must_start: delivery.is_some(),
            timeout: delivery.and_then(|dispatch| dispatch.time_left()),
            payload,
        };
        self.send(peer, Frame::Event(event));
    }

    /// Sends the part of an emitter's codebook that a peer does not have.
    fn send_book(&mut self, peer: PeerId, emitter: &Arc<Endpoint>) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        let book = emitter.codebook();
        let told = remote.books.get(&emitter.id()).cloned().unwrap_or_default();
        if Arc::ptr_eq(&told, &book) || told.len() == book.len() {
            return;
        }
        let from = if book.starts_with(&told) { told.len() } else { 0 };
        remote.books.insert(emitter.id(), book.clone());
        let (endpoint, bytes) = (emitter.id(), book[from..].to_vec());
        self.send(peer, Frame::Codebook { endpoint, from: from as u64, bytes });
    }

    fn cancel(&mut self, peer: PeerId, dispatch: &Arc<Dispatch>) {
        let Some(remote) = self.remotes.get(&peer) else { return };
        let ids = remote.sent.get(&Arc::as_ptr(dispatch).addr()).cloned();
        for id in ids.into_iter().flatten() {
            self.send(peer, Frame::Cancel(id));
        }
    }

    fn tell_over(&mut self, peer: PeerId, token: u32, kind: FailureKind) {
        let remote = self.remotes.get_mut(&peer);
        if let Some(id) = remote.and_then(|remote| remote.followed.remove(&token)) {
            self.send(peer, Frame::Over { id, kind });
        }
    }

    /// Tells each peer how many events members here have that are not its own, and how often they wait for room, where
    /// that has changed.
    pub(super) fn tell_loads(&mut self, now: Millis) {
        if now < self.load_at {
            return;
        }
        self.load_at = now + LOAD_EVERY;
        let all: Vec<_> = self
            .locals
            .members()
            .map(|member| (member.id().as_u32(), member.in_flight(), member.asked_for_room()))
            .collect();
        let mut frames = Vec::new();
        for (peer, remote) in &mut self.remotes {
            let mut own: HashMap<u32, usize> = HashMap::new();
            remote.received.values().for_each(|of| *own.entry(of.member).or_default() += 1);
            for (member, in_flight, asked) in &all {
                let asked = u32::try_from(*asked).unwrap_or(u32::MAX);
                if remote.waits.get(member).copied().unwrap_or_default() != asked {
                    remote.waits.insert(*member, asked);
                    frames.push((*peer, Frame::Waits { member: *member, asked }));
                }
                let others = in_flight.saturating_sub(own.get(member).copied().unwrap_or_default());
                let in_flight = u32::try_from(others).unwrap_or(u32::MAX);
                if remote.loads.get(member).copied().unwrap_or_default() != in_flight {
                    remote.loads.insert(*member, in_flight);
                    frames.push((*peer, Frame::Load { member: *member, in_flight }));
                }
            }
            // Members that have left need not be told of.
            remote.loads.retain(|member, load| *load > 0 && self.locals.has(*member));
            remote.waits.retain(|member, asked| *asked > 0 && self.locals.has(*member));
        }
        frames.into_iter().for_each(|(peer, frame)| self.send(peer, frame));
    }
}

/// The parts of an event that are sent beside its listeners.
struct EventOf {
    payload: Payload,
    request: bool,
    awaited: bool,
    /// The dispatch, if it may be cancelled.
    delivery: Option<Arc<Dispatch>>,
}
