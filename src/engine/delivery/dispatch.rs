//! An emission while other members work on it.
//!
//! It has a recipient for each member that is addressed, and a recipient settles once for each of its
//! listeners: done, failed, out of time, refused, or gone with its thread. When every recipient has
//! settled the emitter gets the [`Outcome`](crate::engine::outcome::Outcome), once.
//!
//! Whoever works on a recipient holds its [`Delivery`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::progress::{Finished, Left, Progress, Rest};
use super::recipient::{Freed, Recipient};
use crate::engine::channel::losses::Loss;
use crate::engine::channel::member::{Member, Untold};
use crate::engine::channel::message::{Message, Notice};
use crate::engine::channel::route::{ListenerId, Route};
use crate::engine::delivery::Delivery;
use crate::engine::metrics;
use crate::engine::outcome::{FailureKind, Report};
use crate::engine::payload::Payload;
use crate::engine::sync::{Mutex, lock};
use crate::engine::timer;

/// What is emitted, and how.
pub struct Emission<'a> {
    /// The arguments, encoded. None where the emitter knows of no listener elsewhere.
    pub payload: Option<&'a [u8]>,
    /// One listener gets it, and replies; else everybody does.
    pub request: bool,
    /// Listeners that have not settled after so many milliseconds have failed.
    pub timeout: Option<u32>,
    /// The emitter may [give it up](Dispatch::cancel).
    pub cancellable: bool,
    /// How the emitter hears of the outcome.
    pub report: Report,
}

/// An emission in flight. See the [module](self).
pub struct Dispatch {
    emitter: Arc<Member>,
    route: Arc<Route>,
    /// Bytes of its payload.
    size: usize,
    /// Starting has to be [asked for](Delivery::start): it may be taken back, or go elsewhere.
    must_start: bool,
    request: bool,
    awaited: bool,
    progress: Mutex<Progress>,
    /// All recipients have settled, and no listener was claimed for them. Beside them, because it is asked of all
    /// that waits.
    is_over: AtomicBool,
    _counted: metrics::Counted,
}

impl Dispatch {
    pub(crate) fn begin(
        route: &Arc<Route>,
        emitter: &Arc<Member>,
        emission: Emission<'_>,
        payload: Payload,
        mut recipients: Vec<Recipient>,
    ) -> Arc<Self> {
        emitter.began(1);
        // Before its time may be over.
        recipients.iter_mut().filter(|recipient| recipient.has_room()).for_each(Recipient::take_on);
        let must_start = emission.timeout.is_some()
            || emission.cancellable
            || emission.request
            || recipients.iter().any(Recipient::is_chosen);
        let dispatch = Arc::new(Dispatch {
            emitter: emitter.clone(),
            route: route.clone(),
            size: payload.len(),
            must_start,
            request: emission.request,
            awaited: !matches!(emission.report, Report::None),
            progress: Mutex::new(Progress::new(recipients, payload, emission.report)),
            is_over: AtomicBool::new(false),
            _counted: metrics::DISPATCHES.count(),
        });
        if let Some(ms) = emission.timeout {
            let late = Arc::downgrade(&dispatch);
            dispatch.set_timer(ms, move || {
                if let Some(late) = late.upgrade() {
                    late.expire(ms);
                }
            });
        }
        dispatch
    }

    /// The event.
    pub fn event(&self) -> &str {
        self.route.event()
    }

    /// Its arguments, encoded; nothing once it has settled.
    pub fn payload(&self) -> Payload {
        lock(&self.progress).payload.clone().unwrap_or_default()
    }

    /// Calls `read` with its [payload](Self::payload), which is quicker. It must not take long, nor settle
    /// anything.
    pub fn read_payload<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        read(lock(&self.progress).payload.as_deref().unwrap_or_default())
    }

    /// How many bytes its payload has, or had.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Who emitted it.
    pub fn emitter(&self) -> &Arc<Member> {
        &self.emitter
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited
    }

    pub(crate) fn is_request(&self) -> bool {
        self.request
    }

    pub(crate) fn must_start(&self) -> bool {
        self.must_start
    }

    /// One for each recipient that has room, unless it is over already.
    pub(crate) fn deliveries(self: &Arc<Self>) -> Vec<Delivery> {
        let progress = lock(&self.progress);
        let recipients = progress.recipients.iter().enumerate();
        let to_deliver =
            recipients.filter(|(_, recipient)| recipient.has_room() && !recipient.is_over());
        to_deliver
            .map(|(at, recipient)| {
                let (member, listeners) = recipient.hand_over();
                Delivery::new(self, u32::try_from(at).unwrap_or(u32::MAX), member, listeners)
            })
            .collect()
    }

    /// Settles the recipients that had no room.
    pub(crate) fn refuse_what_was_full(self: &Arc<Self>) {
        let full: Vec<_> = {
            let progress = lock(&self.progress);
            let recipients =
                progress.recipients.iter().zip(0..).filter(|(recipient, _)| !recipient.has_room());
            recipients.map(|(recipient, at)| (at, recipient.endpoint().clone())).collect()
        };
        for (recipient, endpoint) in full {
            self.fail_rest(recipient, FailureKind::MailboxFull);
            if endpoint.expect_a_look() {
                endpoint.mailbox().send_wake();
            }
        }
    }

    /// The time is over: whoever has not settled has failed.
    pub fn expire(self: &Arc<Self>, ms: u32) {
        let recipients = lock(&self.progress).recipients.len();
        for recipient in 0..u32::try_from(recipients).unwrap_or(u32::MAX) {
            self.fail_rest(recipient, FailureKind::TimedOut(ms));
        }
    }

    /// The emitter gave up. What has not started never will, and counts for nothing; the emitter
    /// hears no more of what has. Does nothing where nobody [has to start](Delivery::must_start).
    pub fn cancel(self: &Arc<Self>) {
        if !self.must_start {
            return;
        }
        let left = lock(&self.progress).cancel();
        self.finish(left);
    }

    pub(crate) fn set_timer(&self, ms: u32, act: impl FnOnce() + Send + 'static) {
        let timer = timer::schedule(Duration::from_millis(ms.into()), act);
        let kept = lock(&self.progress).keep(timer);
        if let Err(timer) = kept {
            timer::cancel(timer);
        }
    }

    /// See [`Delivery::start`].
    pub(crate) fn start(&self, recipient: u32) -> bool {
        lock(&self.progress).start(recipient)
    }

    /// See [`Delivery::is_over`].
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// See [`Delivery::skip`].
    pub(crate) fn skip(&self, recipient: u32, index: u32) {
        let left = lock(&self.progress).skip(recipient, index);
        self.finish(left);
    }

    pub(crate) fn settle(
        &self,
        recipient: u32,
        index: u32,
        result: Result<Option<Vec<u8>>, FailureKind>,
    ) {
        let left = lock(&self.progress).settle(recipient, index, result);
        self.finish(left);
    }

    /// All listeners of a recipient that have not settled fail. The emitter is told of each that its
    /// event never got to the end of.
    fn fail_rest(self: &Arc<Self>, recipient: u32, kind: FailureKind) {
        let failed = lock(&self.progress).fail_rest(recipient, &kind);
        let Some(Rest { listeners, thread, started, cancelled, payload, left }) = failed else {
            return;
        };
        if !cancelled {
            let (event, bytes) = (self.route.name(), self.size);
            let loss = Loss { event, kind, listeners, thread, started, bytes };
            self.emitter.tell_of(loss, || Some(payload));
        }
        self.finish(left);
    }

    /// The member that held a recipient let go of it.
    pub(crate) fn abandon(self: &Arc<Self>, recipient: u32, member: &Arc<Member>) {
        let (freed, is_settled, again) = {
            let mut progress = lock(&self.progress);
            let of = &mut progress.recipients[recipient as usize];
            (of.let_go(self.size), of.is_settled(), of.choice_if_movable())
        };
        freed.into_iter().for_each(Freed::tell);
        if is_settled {
            return;
        }
        let moved =
            again.is_some_and(|choice| self.route.choose_again(self, recipient, &choice, member));
        if !moved {
            self.fail_rest(recipient, FailureKind::ThreadExited);
        }
    }

    /// Gives a recipient to another listener. None if it has settled meanwhile.
    pub(crate) fn move_to(
        self: &Arc<Self>,
        recipient: u32,
        to: &Arc<Member>,
        listener: ListenerId,
        has_claimed: bool,
    ) -> Option<Delivery> {
        let mut progress = lock(&self.progress);
        let moved = &mut progress.recipients[recipient as usize];
        if moved.is_settled() {
            return None;
        }
        moved.move_to(to, listener, has_claimed);
        let (member, listeners) = moved.hand_over();
        drop(progress);
        Some(Delivery::new(self, recipient, member, listeners))
    }

    /// Does what is left to do, with no lock held.
    fn finish(&self, Left { freed, finished }: Left) {
        freed.into_iter().for_each(Freed::tell);
        let Some(Finished { report, outcome, timers, payload, has_claimed }) = finished else {
            return;
        };
        drop(payload);
        self.is_over.store(!has_claimed, Ordering::Release);
        timers.into_iter().for_each(timer::cancel);
        let failed = outcome.failed();
        match report {
            Report::None => self.emitter.ended(1, failed),
            Report::Message(token) => {
                let mailbox = self.emitter.endpoint().mailbox();
                // In this order: whoever sees nothing pending any more may end, and must find the
                // message before it does. And one wake, sent last, is enough for both.
                let untold = Untold::new(&self.emitter);
                let message = Message::Notice(Notice::Settled { token, outcome, untold });
                let must_wake = mailbox.enqueue(message).unwrap_or(false);
                self.emitter.ended(1, failed);
                if must_wake {
                    mailbox.send_wake();
                }
            }
        }
    }
}
