//! Frames of peers: changes of their listeners become ghosts, and their events are delivered.

use std::sync::Arc;

use super::remote::Received;
use super::{Happened, Host, PEER_JOIN};
use crate::cluster::frame::{Change, Event, Frame};
use crate::cluster::peer::PeerId;
use crate::engine::channel::Dispatch;
use crate::engine::channel::named::{Named, Taken};
use crate::engine::outcome::FailureKind;

/// Bytes of the largest codebook that is kept of a peer's thread.
const MOST_BOOK: usize = 16 << 20;

impl Host {
    pub(super) fn receive(&mut self, peer: PeerId, frame: Frame) {
        match frame {
            Frame::Change(change) => self.change(peer, &change),
            Frame::Synced => self.synced(peer),
            Frame::Codebook { endpoint, from, bytes } => self.book(peer, endpoint, from, &bytes),
            Frame::Event(event) => self.deliver(peer, event),
            Frame::Cancel(id) => self.with_dispatch(peer, id, Dispatch::cancel),
            Frame::Over { id, kind } => {
                self.with_dispatch(peer, id, |dispatch| dispatch.tell_followers(kind));
            }
            Frame::Load { member, in_flight } => {
                let remote = self.remotes.get(&peer);
                if let Some(member) = remote.and_then(|remote| remote.members.get(&member)) {
                    member.set_load_elsewhere(in_flight as usize);
                }
            }
            Frame::Waits { member, asked } => {
                let remote = self.remotes.get(&peer);
                if let Some(member) = remote.and_then(|remote| remote.members.get(&member)) {
                    member.set_wait_elsewhere(asked as usize);
                }
            }
            Frame::Stall { thread, waiting, ms } => self.stalled(peer, thread, waiting, ms),
            frame => self.settle(peer, frame),
        }
    }

    fn change(&mut self, peer: PeerId, change: &Change) {
        self.changes += 1;
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        match change {
            Change::Joined(joined) => {
                if let Some(channel) = self.channels.get(&joined.channel) {
                    remote.join(joined, channel, &self.ready);
                }
            }
            Change::Left(member) => remote.leave(*member),
            Change::Added(added) => remote.add(added),
            Change::Removed(listener) => remote.remove(*listener),
            Change::Ended(endpoint) => remote.forget_endpoint(*endpoint, true),
            Change::Emptied(endpoint) => remote.forget_endpoint(*endpoint, false),
        }
    }

    fn synced(&mut self, peer: PeerId) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        if !std::mem::replace(&mut remote.is_synced, true) {
            let number = remote.number();
            self.changes += 1;
            self.happened.push(Happened::Joined(peer));
            self.announce(PEER_JOIN, number);
        }
    }

    fn book(&mut self, peer: PeerId, endpoint: u32, from: u64, bytes: &[u8]) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        let Some(ghost) = remote.ghosts.get_mut(&endpoint) else { return };
        let Ok(from) = usize::try_from(from) else { return };
        if from > ghost.book.len() || from + bytes.len() > MOST_BOOK {
            return;
        }
        ghost.book.truncate(from);
        ghost.book.extend_from_slice(bytes);
        ghost.endpoint.share_codebook(ghost.book.as_slice().into());
    }

    fn stalled(&mut self, peer: PeerId, thread: u32, waiting: u32, ms: u32) {
        let Some(remote) = self.remotes.get(&peer) else { return };
        let of = remote.ghosts.values().filter(|ghost| ghost.thread == thread);
        of.for_each(|ghost| ghost.endpoint.tell_of_stall_of(waiting, ms));
    }

    fn deliver(&mut self, peer: PeerId, event: Event) {
        // The engine may use the id of a listener again by now.
        self.apply_notes();
        let id = event.id;
        if let Err(refusal) = self.try_deliver(peer, event) {
            self.send(peer, refusal.frame(id));
        }
    }

    /// Delivers an event to those of its listeners that are there.
    fn try_deliver(&mut self, peer: PeerId, event: Event) -> Result<(), Refusal> {
        let Event { id, endpoint, listeners, request, awaited, must_start, timeout, payload } =
            event;
        let remote = self.remotes.get_mut(&peer).ok_or(Refusal::Nobody)?;
        let known = |number| self.locals.target(number);
        let first = listeners.iter().find_map(|number| known(*number));
        let first = first.ok_or(Refusal::Nobody)?.clone();
        // All are of one member, and of one event.
        let is_like = |target: &&super::locals::Target| {
            Arc::ptr_eq(&target.member, &first.member) && Arc::ptr_eq(&target.route, &first.route)
        };
        let here = (0..)
            .zip(&listeners)
            .filter_map(|(place, number)| Some((place, known(*number).filter(is_like)?.id)));
        let (places, ids): (Vec<u32>, Vec<u32>) = here.unzip();
        let gone = FailureKind::ThreadExited;
        let emitter = remote.emitter(endpoint, first.member.channel().name());
        let emitter = emitter.ok_or(Refusal::For(gone))?;
        let token = remote.next_token();
        let named = Named {
            listeners: &ids,
            payload,
            request,
            cancellable: must_start,
            timeout,
            token,
            awaited,
        };
        let (taken, dispatch) = match first.route.deliver(&emitter, &first.member, named) {
            Taken::By(taken, dispatch) => (taken, dispatch),
            Taken::ByNobody => return Err(Refusal::Nobody),
            Taken::Full(bound) => return Err(Refusal::For(FailureKind::MailboxFull(bound))),
        };
        let (left, member) = (taken.len(), first.member.id().as_u32());
        let dispatch = Arc::downgrade(&dispatch);
        if must_start {
            remote.tokens.insert(id, token);
        }
        let are_all = left == listeners.len();
        let is_of_one = are_all && left == 1;
        let places = (!are_all).then(|| taken.iter().map(|at| places[*at as usize]).collect());
        let missing = places.as_deref().map(|places| missing(places, listeners.len()));
        remote.received.insert(token, Received { id, dispatch, places, left, is_of_one, member });
        for index in missing.unwrap_or_default() {
            self.send(peer, Frame::Skipped { id, index });
        }
        Ok(())
    }

    /// Does something with an event of a peer that has not settled.
    fn with_dispatch(&self, peer: PeerId, id: u64, act: impl FnOnce(&Arc<Dispatch>)) {
        let Some(remote) = self.remotes.get(&peer) else { return };
        let received = remote.tokens.get(&id).and_then(|token| remote.received.get(token));
        if let Some(dispatch) = received.and_then(|received| received.dispatch.upgrade()) {
            act(&dispatch);
        }
    }
}

/// Returns the places of so many listeners that are not among these, which are in order.
fn missing(places: &[u32], of: usize) -> Vec<u32> {
    (0..).take(of).filter(|place| places.binary_search(place).is_err()).collect()
}

/// Why an event of a peer is not delivered.
enum Refusal {
    /// None of its listeners is there any more.
    Nobody,
    For(FailureKind),
}

impl Refusal {
    fn frame(self, id: u64) -> Frame {
        match self {
            Refusal::Nobody => Frame::Unheard(id),
            Refusal::For(kind) => Frame::Refused { id, kind },
        }
    }
}
