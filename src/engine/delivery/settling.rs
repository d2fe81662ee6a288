//! How a dispatch settles: listener by listener, by time, by want of room, by a cancellation, or with its threads.
//!
//! The state is kept under one lock. Wakes, notices and drops are [left](Left) until the lock is released.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Party;
use super::dispatch::{Dispatch, Place};
use super::recipient::{Freed, Recipient};
use crate::engine::fates::Fate;
use crate::engine::outcome::{Failure, FailureKind, Loss, Outcome, Report};
use crate::engine::payload::Payload;
use crate::engine::sync::lock;
use crate::engine::timer::{self, Timer};

/// The state of a dispatch.
pub(super) struct State<P: Party> {
    pub(super) recipients: Vec<Recipient<P>>,
    /// None when all recipients have settled: a delivery to a member that does not look must not keep it.
    pub(super) payload: Option<Payload>,
    /// Number of recipients with unsettled listeners.
    pub(super) open: usize,
    outcome: Outcome,
    report: Report,
    pub(super) timers: Vec<Timer>,
    /// True if the emitter has cancelled: listeners that have not started never will.
    pub(super) is_cancelled: bool,
    /// The reason why nobody waits for listeners that have started, if there is one.
    pub(super) over: Option<FailureKind>,
}

/// Work that is left until no lock is held.
struct Left<P: Party> {
    freed: Vec<Freed<P>>,
    finished: Option<Finished>,
}

/// Work that is left once the last recipient has settled.
struct Finished {
    report: Report,
    outcome: Outcome,
    /// To be cancelled.
    timers: Vec<Timer>,
    /// To be dropped.
    payload: Option<Payload>,
    has_claimed: bool,
}

impl<P: Party> Dispatch<P> {
    /// Settles the recipients that had no room.
    pub(in crate::engine) fn refuse_what_was_full(&self) {
        let full: Vec<_> = {
            let state = lock(&self.state);
            let full = (0..).zip(&state.recipients);
            full.filter_map(|(at, to)| Some((at, to.exceeded()?))).collect()
        };
        for (recipient, bound) in full {
            self.fail_rest(recipient, FailureKind::MailboxFull(bound));
        }
    }

    /// Fails all listeners that have not settled: the time is over.
    pub fn expire(&self, ms: u32) {
        let recipients = lock(&self.state).recipients.len();
        for recipient in 0..u32::try_from(recipients).unwrap_or(u32::MAX) {
            self.fail_rest(recipient, FailureKind::TimedOut(ms));
        }
        self.tell_followers(FailureKind::TimedOut(ms));
    }

    /// Cancels recipients that have not started: they never will, count for nothing and take no room any
    /// more. The emitter hears no more of the others. Does nothing where nobody [has to
    /// start](super::Delivery::must_start).
    pub fn cancel(&self) {
        if !self.must_start {
            return;
        }
        let mut left = Left::nothing();
        {
            let state = &mut *lock(&self.state);
            state.is_cancelled = true;
            state.report = Report::None;
            let (mut cancelled, mut listeners) = (0, 0);
            let open = state.recipients.iter_mut().filter(|to| !to.is_settled());
            for to in open.filter(|to| !to.has_started()) {
                listeners += to.settle_rest();
                left.freed.extend(to.let_go(self.size));
                cancelled += 1;
            }
            self.emitter.became(&self.route, Fate::Cancelled, listeners);
            if cancelled > 0 {
                left.finished = state.close(cancelled);
            }
        }
        self.finish(left);
    }

    /// See [`super::Delivery::skip`].
    pub(super) fn skip(&self, place: Place, index: u32) {
        let mut left = Left::nothing();
        {
            let mut state = lock(&self.state);
            let Some(from) = state.at(place) else { return };
            if from.settle(index) && from.is_settled() {
                left.finished = state.close(1);
            }
        }
        self.finish(left);
    }

    /// Settles one listener.
    pub(super) fn settle(
        &self,
        place: Place,
        index: u32,
        result: Result<Option<Payload>, FailureKind>,
    ) {
        let fate = result.as_ref().map_or_else(Fate::from, |_| Fate::Delivered);
        let Some(left) = lock(&self.state).settle(place, index, result, self.size) else { return };
        self.emitter.became(&self.route, fate, 1);
        self.finish(left);
    }

    /// Fails all listeners of a recipient that have not settled. The emitter is notified of each event that did not
    /// get to the end of them.
    fn fail_rest(&self, recipient: u32, kind: FailureKind) {
        let mut left = Left::nothing();
        let lost = {
            let state = &mut *lock(&self.state);
            let to = &mut state.recipients[recipient as usize];
            let listeners = to.settle_rest();
            if listeners == 0 {
                return;
            }
            let (index, thread, started) =
                (to.first_unsettled(), to.member().thread(), to.has_started());
            if !started {
                left.freed.extend(to.let_go(self.size));
            }
            self.emitter.became(&self.route, Fate::from(&kind), listeners);
            let failure = Failure { recipient, index, listeners, thread, kind: kind.clone() };
            state.outcome.failures.push(failure);
            let payload = state.payload.clone();
            left.finished = state.close(1);
            let (event, bytes) = (P::event(&self.route), self.size);
            let loss = Loss { event, kind, listeners, thread, started, bytes };
            (!state.is_cancelled).then_some((loss, payload))
        };
        if let Some((loss, payload)) = lost {
            self.emitter.lost(loss, || payload);
        }
        self.finish(left);
    }

    /// Takes a recipient back from the member that held it and let go of it. Does nothing if it has moved.
    pub(super) fn abandon(self: &Arc<Self>, place: Place, member: &Arc<P>) {
        let (freed, follower, is_settled, again) = {
            let mut state = lock(&self.state);
            let Some(of) = state.at(place) else { return };
            let again = of.choice_if_movable().filter(|_| !of.has_key());
            (of.let_go(self.size), of.unfollow(), of.is_settled(), again)
        };
        if let Some(token) = follower {
            self.emitter.unfollow(member, token);
        }
        freed.into_iter().for_each(Freed::tell);
        if is_settled {
            return;
        }
        let moved = again.is_some_and(|choice| {
            P::choose_again(&self.route, self, place.recipient, &choice, member)
        });
        if !moved {
            self.fail_rest(place.recipient, FailureKind::ThreadExited);
        }
    }

    /// Does the work that is left, with no lock held.
    fn finish(&self, Left { freed, finished }: Left<P>) {
        freed.into_iter().for_each(Freed::tell);
        let Some(Finished { report, outcome, timers, payload, has_claimed }) = finished else {
            return;
        };
        drop(payload);
        self.is_over.store(!has_claimed, Ordering::Release);
        timers.into_iter().for_each(timer::cancel);
        self.emitter.settled(outcome, report);
    }
}

impl<P: Party> State<P> {
    pub(super) fn new(recipients: Vec<Recipient<P>>, payload: Payload, report: Report) -> Self {
        State {
            open: recipients.len(),
            recipients,
            payload: Some(payload),
            outcome: Outcome::default(),
            report,
            timers: Vec::new(),
            is_cancelled: false,
            over: None,
        }
    }

    /// Returns the recipient that a delivery was made for; None if it has moved.
    pub(super) fn at(&mut self, place: Place) -> Option<&mut Recipient<P>> {
        let recipient = &mut self.recipients[place.recipient as usize];
        (recipient.moves() == place.moves).then_some(recipient)
    }

    /// Returns the work that is left; None for a listener that had settled before.
    fn settle(
        &mut self,
        place: Place,
        index: u32,
        result: Result<Option<Payload>, FailureKind>,
        bytes: usize,
    ) -> Option<Left<P>> {
        let mut left = Left::nothing();
        let to = self.at(place)?;
        if !to.settle(index) {
            return None;
        }
        let thread = to.member().thread();
        let done = to.is_settled();
        // Before the emitter hears of it, so that its next choice knows. A listener that is out of
        // time still keeps its thread.
        if done && !matches!(result, Err(FailureKind::TimedOut(_))) {
            left.freed.extend(to.let_go(bytes));
        }
        match result {
            Ok(reply) => {
                self.outcome.success += 1;
                self.outcome.reply = reply;
            }
            Err(kind) => {
                let recipient = place.recipient;
                let failure = Failure { recipient, index, listeners: 1, thread, kind };
                self.outcome.failures.push(failure);
            }
        }
        if done {
            left.finished = self.close(1);
        }
        Some(left)
    }

    /// Counts recipients that have settled.
    fn close(&mut self, recipients: usize) -> Option<Finished> {
        self.open -= recipients;
        (self.open == 0).then(|| {
            let mut outcome = std::mem::take(&mut self.outcome);
            outcome.failures.sort_by_key(|failure| (failure.recipient, failure.index));
            let (timers, payload) = (std::mem::take(&mut self.timers), self.payload.take());
            let has_claimed = self.recipients.iter().any(Recipient::has_claimed);
            Finished { report: self.report, outcome, timers, payload, has_claimed }
        })
    }
}

impl<P: Party> Left<P> {
    fn nothing() -> Self {
        Left { freed: Vec::new(), finished: None }
    }
}
