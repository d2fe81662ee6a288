//! Carries outcomes: those of peers' events to the peers, and those of events that peers have to their emitters.

use std::sync::Arc;

use super::Host;
use super::remote::{Remote, Work};
use crate::cluster::frame::Frame;
use crate::cluster::owed::Sent;
use crate::cluster::peer::PeerId;
use crate::engine::channel::Delivery;
use crate::engine::outcome::{FailureKind, Step};
use crate::engine::payload::Payload;

// Outcomes of peers' events

impl Host {
    /// Tells a peer of steps of its events, with as few words as possible.
    pub(super) fn send_steps(&mut self, peer: PeerId, steps: Vec<(u32, Step)>) {
        let mut done: Option<(u64, u64)> = None;
        let most = self.max_event_for(peer);
        let fitting = |(token, step)| (token, fitting(step, most));
        let mut steps = steps.into_iter().map(fitting).peekable();
        while let Some((token, step)) = steps.next() {
            let is_followed = steps.peek().is_some_and(|(next, _)| *next == token);
            if step == Step::Started && is_followed {
                continue;
            }
            let Some(remote) = self.remotes.get_mut(&peer) else { return };
            match remote.told(token, step) {
                Told::Nothing => {}
                Told::Done(id) => match &mut done {
                    Some((first, count)) if *first + *count == id => *count += 1,
                    _ => {
                        let before = done.replace((id, 1));
                        before.into_iter().for_each(|range| self.send_done(peer, range));
                    }
                },
                Told::Frame(frame) => {
                    done.take().into_iter().for_each(|range| self.send_done(peer, range));
                    self.send(peer, frame);
                }
            }
        }
        done.into_iter().for_each(|range| self.send_done(peer, range));
    }

    fn send_done(&mut self, peer: PeerId, (first, count): (u64, u64)) {
        self.send(peer, Frame::Done { first, count });
    }

    /// Settles events that a peer has, as it says.
    pub(super) fn settle(&mut self, peer: PeerId, frame: Frame) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        match frame {
            Frame::Started(id) => {
                if let Some(sent) = remote.owed.get(id) {
                    sent.note_started();
                }
            }
            Frame::Follow(id) => remote.follow(id),
            Frame::Done { first, count } => {
                for (id, sent) in remote.owed.take_range(first, count) {
                    remote.all_done(id, sent.what);
                }
            }
            Frame::Replied { id, index, reply } => remote.step(id, Step::Succeeded(index, reply)),
            Frame::Failed { id, index, kind, started } => {
                remote.step(id, Step::Failed(index, kind, started));
            }
            Frame::Skipped { id, index } => remote.step(id, Step::Skipped(index)),
            Frame::Refused { id, kind } => remote.refused(id, Some(kind)),
            Frame::Unheard(id) => remote.refused(id, None),
            _ => {}
        }
    }
}

impl Sent<Work> {
    /// Notes that its listeners were called.
    fn note_started(&mut self) {
        self.started = true;
        if let Work::Tracked(delivery) = &self.what {
            delivery.reached();
        }
    }
}

/// The meaning of a step for the peer that has emitted the event.
enum Told {
    Nothing,
    /// All listeners have succeeded.
    Done(u64),
    Frame(Frame),
}

impl Remote {
    pub(super) fn next_token(&mut self) -> u32 {
        loop {
            self.last_token = self.last_token.wrapping_add(1);
            if !self.received.contains_key(&self.last_token) {
                return self.last_token;
            }
        }
    }

    fn told(&mut self, token: u32, step: Step) -> Told {
        let Some(received) = self.received.get_mut(&token) else { return Told::Nothing };
        let id = received.id;
        match step {
            Step::Started => return Told::Frame(Frame::Started(id)),
            Step::Followed => {
                self.tokens.insert(id, token);
                return Told::Frame(Frame::Follow(id));
            }
            _ => {}
        }
        let place = |index: u32| match &received.places {
            Some(places) => places.get(index as usize).copied().unwrap_or(u32::MAX),
            None => index,
        };
        let told = match step {
            Step::Succeeded(_, None) if received.is_of_one => Told::Done(id),
            Step::Succeeded(index, reply) => {
                Told::Frame(Frame::Replied { id, index: place(index), reply })
            }
            Step::Failed(index, kind, started) => {
                Told::Frame(Frame::Failed { id, index: place(index), kind, started })
            }
            Step::Skipped(index) => Told::Frame(Frame::Skipped { id, index: place(index) }),
            Step::Started | Step::Followed => Told::Nothing,
        };
        received.left -= 1;
        if received.left == 0 {
            self.received.remove(&token);
            self.tokens.remove(&id);
        }
        told
    }

    // Outcomes of events that the peer has

    fn step(&mut self, id: u64, step: Step) {
        let Some(sent) = self.owed.get(id) else { return };
        sent.left = sent.left.saturating_sub(1);
        let is_last = sent.left == 0;
        match &mut sent.what {
            Work::Tracked(delivery) => match step {
                Step::Succeeded(index, reply) => delivery.succeed(index, reply),
                Step::Failed(_, kind, false) if is_passed_on(&kind) && is_last => {
                    return self.refused(id, Some(kind));
                }
                Step::Failed(index, kind, started) => {
                    if started {
                        delivery.reached();
                    }
                    // The emitter is told of it, as nobody there was.
                    if is_passed_on(&kind) || is_time_of(delivery, &kind) {
                        delivery.fail_rest(kind);
                    } else {
                        delivery.fail_as(index, kind);
                    }
                }
                Step::Skipped(_) if is_last && delivery.listeners().len() == 1 => {
                    return self.refused(id, None);
                }
                Step::Skipped(index) => delivery.skip(index),
                Step::Started | Step::Followed => {}
            },
            Work::Untracked { failed, lost, .. } => match step {
                Step::Failed(_, kind, _) if is_passed_on(&kind) => *lost = Some(kind),
                Step::Failed(..) => *failed += 1,
                _ => {}
            },
        }
        if is_last && let Some(Sent { what, .. }) = self.take(id) {
            self.over(what);
        }
    }

    /// Has the peer told when nobody waits any more for the listeners that are running there.
    fn follow(&mut self, id: u64) {
        // Numbers of events that are under way at the same time are closer to each other.
        let token = id as u32;
        let Some(sent) = self.owed.get(id) else { return };
        if let Work::Tracked(delivery) = &sent.what {
            self.followed.insert(token, id);
            delivery.follow(token);
        }
        sent.note_started();
    }

    fn take(&mut self, id: u64) -> Option<Sent<Work>> {
        let sent = self.owed.take(id)?;
        self.forget(id, &sent.what);
        Some(sent)
    }

    fn forget(&mut self, id: u64, work: &Work) {
        let Work::Tracked(delivery) = work else { return };
        self.followed.remove(&(id as u32));
        let address = Arc::as_ptr(delivery.dispatch()).addr();
        let Some(ids) = self.sent.get_mut(&address) else { return };
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            self.sent.remove(&address);
        }
    }

    /// All listeners have settled.
    fn over(&mut self, work: Work) {
        // A tracked one is let go of.
        if let Work::Untracked { batch, index, failed, lost } = work {
            self.settle_untracked(batch, |events| match lost {
                Some(kind) => events.lose(index, kind),
                None => events.settle(index, 1, failed),
            });
        }
    }

    fn all_done(&mut self, id: u64, work: Work) {
        self.forget(id, &work);
        if let Work::Tracked(delivery) = &work {
            let count = u32::try_from(delivery.listeners().len()).unwrap_or(u32::MAX);
            (0..count).for_each(|index| delivery.succeed(index, None::<Payload>));
        }
        self.over(work);
    }

    /// None of its listeners was called: another may be, where one was chosen.
    fn refused(&mut self, id: u64, kind: Option<FailureKind>) {
        match (self.take(id).map(|sent| sent.what), kind) {
            (Some(Work::Tracked(delivery)), kind) => delivery.refuse(kind),
            (Some(work), Some(kind)) => self.lose(work, kind),
            (Some(work), None) => self.over(work),
            (None, _) => {}
        }
    }
}

/// Returns a step that is no longer than the peer takes: a longer one would end the session.
fn fitting(step: Step, most: usize) -> Step {
    let too_large = FailureKind::TooLarge(most as u64);
    match step {
        Step::Succeeded(index, Some(reply)) if reply.size() > most => {
            Step::Failed(index, too_large, true)
        }
        Step::Failed(index, FailureKind::Threw(error), started) if error.len() > most => {
            Step::Failed(index, too_large, started)
        }
        step => step,
    }
}

/// Whether a failure concerns the way to a listener, and so says nothing about others.
fn is_passed_on(kind: &FailureKind) -> bool {
    !matches!(kind, FailureKind::Threw(_) | FailureKind::TimedOut(_) | FailureKind::TooLarge(_))
}

/// Whether the time of the whole event was over, as seen by the peer: it may see that first. A listener's own time that
/// is as long ends later.
fn is_time_of(delivery: &Delivery, kind: &FailureKind) -> bool {
    let most = delivery.dispatch().time_left().map(|(_, most)| FailureKind::TimedOut(most));
    most.as_ref() == Some(kind)
}
