//! How a dispatch settles: listener by listener, by time, by want of room, by a cancellation, or with its threads.
//!
//! The state is kept under one lock. Wakes, notices and drops are [left](Left) until the lock is released.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::dispatch::{Dispatch, Place};
use super::recipient::{Freed, Recipient, Refusal};
use super::{Delivery, Former, Party};
use crate::engine::fates::Fate;
use crate::engine::outcome::{Failure, FailureKind, Loss, Outcome, Report, Step};
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
pub(super) struct Left<P: Party> {
    pub(super) freed: Vec<Freed<P>>,
    /// To be told, of the dispatch with this token.
    steps: Vec<(u32, Step)>,
    pub(super) finished: Option<Finished>,
}

/// Work that is left once the last recipient has settled.
pub(super) struct Finished {
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
    pub fn cancel(self: &Arc<Self>) {
        if !self.must_start {
            return;
        }
        let mut left = Left::nothing();
        let running: Vec<_> = {
            let state = &mut *lock(&self.state);
            state.is_cancelled = true;
            if state.stepwise().is_none() {
                state.report = Report::None;
            }
            let (mut cancelled, mut listeners) = (0, 0);
            let open = state.recipients.iter_mut().filter(|to| !to.is_settled());
            for to in open.filter(|to| !to.has_started()) {
                left.steps.extend(skipped(state.report, to));
                listeners += to.settle_rest();
                left.freed.extend(to.let_go(self.size));
                cancelled += 1;
            }
            self.emitter.became(&self.route, Fate::Cancelled, listeners);
            if cancelled > 0 {
                left.finished = state.close(cancelled);
            }
            let running = state.recipients.iter().filter(|to| !to.is_settled());
            running.map(|to| to.member().clone()).collect()
        };
        self.finish(left);
        running.iter().for_each(|member| member.cancelled(self));
    }

    /// See [`super::Delivery::skip`].
    pub(super) fn skip(&self, place: Place, index: u32) {
        let mut left = Left::nothing();
        {
            let mut state = lock(&self.state);
            let token = state.stepwise();
            let Some(from) = state.at(place) else { return };
            if from.settle(index) {
                left.steps.extend(token.map(|token| (token, Step::Skipped(index))));
                if from.is_settled() {
                    left.finished = state.close(1);
                }
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
    pub(in crate::engine) fn fail_rest(&self, recipient: u32, kind: FailureKind) {
        let mut left = Left::nothing();
        let lost = {
            let state = &mut *lock(&self.state);
            let token = state.stepwise();
            let to = &mut state.recipients[recipient as usize];
            if let Some(token) = token {
                let failed = |index| (token, Step::Failed(index, kind.clone(), to.has_started()));
                left.steps.extend(to.unsettled().into_iter().map(failed));
            }
            let listeners = to.settle_rest();
            if listeners == 0 {
                return;
            }
            let (index, thread) = (to.first_unsettled(), to.member().thread());
            let started = to.was_reached();
            if !to.has_started() {
                left.freed.extend(to.let_go(self.size));
            }
            self.emitter.became(&self.route, Fate::from(&kind), listeners);
            if token.is_none() {
                let failure = Failure { recipient, index, listeners, thread, kind: kind.clone() };
                state.outcome.failures.push(failure);
            }
            let payload = state.payload.clone();
            left.finished = state.close(1);
            let (event, bytes) = (P::event(&self.route), self.size);
            let loss = Loss { event, kind, listeners, thread, started, bytes };
            (!state.is_cancelled && token.is_none()).then_some((loss, payload))
        };
        if let Some((loss, payload)) = lost {
            self.emitter.lost(loss, || payload);
        }
        self.finish(left);
    }

    /// Takes a recipient back from the member that held it and let go of it. Does nothing if it has moved.
    pub(super) fn abandon(self: &Arc<Self>, delivery: &Delivery<P>) {
        let (place, member) = (delivery.place, &*delivery.member);
        let mut state = lock(&self.state);
        if state.at(place).is_some_and(|of| of.is_left_behind()) {
            drop(state);
            P::left_behind(&self.route, delivery);
            state = lock(&self.state);
        }
        let Some(of) = state.at(place) else { return };
        let again = of.choice_if_movable().filter(|_| !of.has_key());
        let (freed, follower, is_settled) = (of.let_go(self.size), of.unfollow(), of.is_settled());
        let refusal = of.take_refusal();
        drop(state);
        if let Some(token) = follower {
            self.emitter.unfollow(member, token);
        }
        freed.into_iter().for_each(Freed::tell);
        if is_settled {
            return;
        }
        let is_gone = refusal.as_ref().is_none_or(Refusal::is_for_absence);
        let moved = again.is_some_and(|choice| {
            let from = Former { member, is_gone };
            P::choose_again(&self.route, self, place.recipient, &choice, from)
        });
        match refusal {
            _ if moved => {}
            None => self.fail_rest(place.recipient, member.reason_of_loss()),
            Some(Refusal::Fail(kind)) => self.fail_rest(place.recipient, kind),
            Some(Refusal::Skip) => self.skip_rest(place),
        }
    }

    fn skip_rest(&self, place: Place) {
        let unsettled = lock(&self.state).at(place).map(|of| of.unsettled());
        unsettled.into_iter().flatten().for_each(|index| self.skip(place, index));
    }

    /// Does the work that is left, with no lock held.
    pub(super) fn finish(&self, Left { freed, steps, finished }: Left<P>) {
        freed.into_iter().for_each(Freed::tell);
        steps.into_iter().for_each(|(token, step)| self.emitter.stepped(token, step));
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
        let token = self.stepwise();
        let to = self.at(place)?;
        if !to.settle(index) {
            return None;
        }
        let started = to.has_started();
        let thread = to.member().thread();
        let done = to.is_settled();
        // Before the emitter hears of it, so that its next choice knows. A listener that is out of
        // time still keeps its thread.
        if done && !matches!(result, Err(FailureKind::TimedOut(_))) {
            left.freed.extend(to.let_go(bytes));
        }
        match (result, token) {
            (Ok(reply), Some(token)) => {
                left.steps.push((token, Step::Succeeded(index, reply)));
            }
            (Err(kind), Some(token)) => {
                left.steps.push((token, Step::Failed(index, kind, started)));
            }
            (Ok(reply), None) => {
                self.outcome.success += 1;
                self.outcome.reply = reply;
            }
            (Err(kind), None) => {
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

    /// Returns the token of a dispatch that is reported step by step.
    pub(super) fn stepwise(&self) -> Option<u32> {
        match self.report {
            Report::Each { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Counts recipients that have settled.
    pub(super) fn close(&mut self, recipients: usize) -> Option<Finished> {
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
    pub(super) fn nothing() -> Self {
        Left { freed: Vec::new(), steps: Vec::new(), finished: None }
    }
}

/// Returns the steps of listeners that count for nothing any more, if they are reported.
fn skipped<P: Party>(report: Report, to: &Recipient<P>) -> Vec<(u32, Step)> {
    let Report::Each { token, .. } = report else { return Vec::new() };
    to.unsettled().into_iter().map(|index| (token, Step::Skipped(index))).collect()
}
