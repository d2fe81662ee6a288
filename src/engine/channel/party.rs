//! A member as its events in flight, and those for it, know it.

use std::sync::Arc;

use super::affinity::InLine;
use super::losses::Note;
use super::member::Member;
use super::message::{Message, Notice};
use super::notices::Untold;
use super::route::Route;
use crate::engine::capacity::Crossed;
use crate::engine::delivery::dispatch::Dispatch;
use crate::engine::delivery::recipient::Choice;
use crate::engine::delivery::{Delivery, Former, Party};
use crate::engine::fates::Fate;
use crate::engine::outcome::{FailureKind, Loss, Lost, Outcome, Report, Step};
use crate::engine::payload::Payload;
use crate::engine::sync::Ordering;

impl Party for Member {
    type Route = Route;
    type InLine = InLine;

    fn end(in_line: InLine) {
        in_line.end();
    }

    fn is_gone(&self) -> bool {
        self.endpoint.has_ended()
    }

    fn left_behind(route: &Arc<Route>, delivery: &Delivery<Self>) {
        route.leave_behind(delivery);
    }

    fn refused(route: &Arc<Route>, delivery: Delivery<Self>) {
        route.keep_refused(delivery);
    }

    fn event(route: &Route) -> &Arc<str> {
        route.name()
    }

    fn starts(&self) {
        self.endpoint.starts();
    }

    fn choose_again(
        route: &Arc<Route>,
        dispatch: &Arc<Dispatch<Self>>,
        recipient: u32,
        choice: &Choice,
        from: Former<'_, Self>,
    ) -> bool {
        route.choose_again(dispatch, recipient, choice, from)
    }

    fn thread(&self) -> u32 {
        self.endpoint.thread()
    }

    fn became(&self, route: &Route, fate: Fate, listeners: u32) {
        route.fates.count(fate, listeners);
        self.fates.count(fate, listeners);
    }

    fn began(&self, events: usize) {
        if self.pending.fetch_add(events, Ordering::AcqRel) == 0 {
            self.endpoint.began();
        }
    }

    fn ended(&self, events: usize, failed: u32) {
        self.failed.fetch_add(failed as usize, Ordering::AcqRel);
        if self.pending.fetch_sub(events, Ordering::AcqRel) == events {
            self.endpoint.ended();
            // Nobody waits for a closed mailbox.
            let _ = self.endpoint.mailbox().wake();
        }
    }

    fn settled(self: &Arc<Self>, outcome: Outcome, report: Report) {
        let failed = outcome.failed();
        let (token, outcome) = match report {
            Report::None | Report::Each { .. } => return self.ended(1, failed),
            Report::Message(token) | Report::Settlement(token) => (token, outcome),
        };
        let mailbox = self.endpoint.mailbox();
        // In this order: an owner that sees nothing pending any more may end, and must find the message before it
        // does. And one wake, sent last, is enough for both.
        let notice = Notice::Settled { token, outcome, untold: Untold::new(self) };
        let must_wake = mailbox.enqueue(Message::Notice(notice)).unwrap_or(false);
        self.ended(1, failed);
        if must_wake {
            mailbox.send_wake();
        }
    }

    fn stepped(self: &Arc<Self>, token: u32, step: Step) {
        let notice = Notice::Step { token, step };
        // An endpoint that is gone has nobody to tell.
        let _ = self.endpoint.mailbox().push(Message::Notice(notice));
    }

    fn cancelled(&self, dispatch: &Arc<Dispatch<Self>>) {
        if self.endpoint.is_ghost() {
            let notice = Notice::Cancelled(dispatch.clone());
            let _ = self.endpoint.mailbox().push(Message::Notice(notice));
        }
    }

    fn reason_of_loss(&self) -> FailureKind {
        self.endpoint.reason_of_loss()
    }

    fn lost(self: &Arc<Self>, loss: Loss<'_>, payload: impl FnOnce() -> Option<Payload>) {
        let mut counted = None;
        let notice = match self.losses.note(&loss, || counted = Some(Untold::new(self))) {
            Note::Single(charge) => {
                let lost = Lost {
                    event: Some(loss.event.clone()),
                    payload: payload(),
                    kind: loss.kind,
                    count: 1,
                    listeners: loss.listeners,
                    thread: Some(loss.thread),
                    started: loss.started,
                };
                Some(self.notice_of(lost, charge))
            }
            Note::FirstCounted => counted.map(Notice::Losses),
            Note::Counted => None,
        };
        if let Some(notice) = notice {
            // An endpoint that is gone has nobody to tell.
            let _ = self.endpoint.mailbox().push(Message::Notice(notice));
        }
    }

    fn follow(&self, follower: &Self, token: u32) -> bool {
        self.endpoint.follow(&follower.endpoint, token)
    }

    fn unfollow(&self, follower: &Self, token: u32) {
        self.endpoint.unfollow(&follower.endpoint, token);
    }

    fn tell_over(&self, token: u32, kind: FailureKind) {
        self.endpoint.tell_over(token, kind);
    }

    fn take_on(&self, deliveries: usize) {
        self.in_flight.fetch_add(deliveries, Ordering::AcqRel);
        self.received.fetch_add(deliveries, Ordering::Relaxed);
    }

    fn let_go(&self, events: usize, bytes: usize) -> Crossed {
        self.in_flight.fetch_sub(events, Ordering::AcqRel);
        self.capacity.give_back(events, bytes)
    }

    fn has_room(&self, crossed: Crossed) {
        self.channel().gave_back(self, crossed);
    }
}
