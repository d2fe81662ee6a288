//! How far a dispatch is: which of its recipients have settled, and the outcome so far. A dispatch keeps it
//! under its lock, and does what is left when the last recipient has settled with none held.

use super::recipient::{Freed, Recipient};
use crate::engine::outcome::{Failure, FailureKind, Outcome, Report};
use crate::engine::payload::Payload;
use crate::engine::timer::Timer;

/// See the [module](self).
pub(crate) struct Progress {
    pub(crate) recipients: Vec<Recipient>,
    /// None when all recipients have settled: what still waits for a member that does not look must not keep it.
    pub(crate) payload: Option<Payload>,
    /// Its length.
    bytes: usize,
    /// Recipients with unsettled listeners.
    open: usize,
    outcome: Outcome,
    report: Report,
    timers: Vec<Timer>,
    /// The emitter gave up: what has not started never will.
    cancelled: bool,
}

/// What is left to do with no lock held.
#[derive(Default)]
pub(crate) struct Left {
    /// Whoever waits for this room is to be told.
    pub(crate) freed: Vec<Freed>,
    /// Once the last recipient has settled.
    pub(crate) finished: Option<Finished>,
}

/// What is left to do once the last recipient has settled.
pub(crate) struct Finished {
    pub(crate) report: Report,
    pub(crate) outcome: Outcome,
    /// To be cancelled.
    pub(crate) timers: Vec<Timer>,
    /// To be dropped.
    pub(crate) payload: Option<Payload>,
    /// Of some recipient.
    pub(crate) has_claimed: bool,
}

/// What failed when the rest of a recipient did.
pub(crate) struct Rest {
    pub(crate) listeners: u32,
    pub(crate) thread: u32,
    pub(crate) started: bool,
    /// The emitter gave up before, and is not told.
    pub(crate) cancelled: bool,
    pub(crate) payload: Payload,
    pub(crate) left: Left,
}

impl Progress {
    pub(crate) fn new(recipients: Vec<Recipient>, payload: Payload, report: Report) -> Self {
        Progress {
            open: recipients.len(),
            recipients,
            bytes: payload.len(),
            payload: Some(payload),
            outcome: Outcome::default(),
            report,
            timers: Vec::new(),
            cancelled: false,
        }
    }

    /// Keeps a timer until all is settled. Gives it back if all is.
    pub(crate) fn keep(&mut self, timer: Timer) -> Result<(), Timer> {
        if self.open == 0 {
            return Err(timer);
        }
        self.timers.push(timer);
        Ok(())
    }

    /// Returns false if the listeners of the recipient must not be called.
    pub(crate) fn start(&mut self, recipient: u32) -> bool {
        !self.cancelled && self.recipients[recipient as usize].start()
    }

    /// One listener is done, or failed.
    pub(crate) fn settle(
        &mut self,
        recipient: u32,
        index: u32,
        result: Result<Option<Vec<u8>>, FailureKind>,
    ) -> Left {
        let mut left = Left::default();
        let to = &mut self.recipients[recipient as usize];
        if !to.settle(index) {
            return left;
        }
        let thread = to.thread();
        let done = to.is_settled();
        // Before the emitter hears of it, so that its next choice knows. A listener that is out of
        // time still keeps its thread.
        if done && !matches!(result, Err(FailureKind::TimedOut(_))) {
            left.freed.extend(to.let_go(self.bytes));
        }
        match result {
            Ok(reply) => {
                self.outcome.success += 1;
                self.outcome.reply = reply;
            }
            Err(kind) => {
                self.outcome.failures.push(Failure {
                    recipient,
                    index,
                    listeners: 1,
                    thread,
                    kind,
                });
            }
        }
        if done {
            left.finished = self.close(1);
        }
        left
    }

    /// All listeners of a recipient that have not settled fail. None if all have.
    pub(crate) fn fail_rest(&mut self, recipient: u32, kind: &FailureKind) -> Option<Rest> {
        let to = &mut self.recipients[recipient as usize];
        let listeners = to.settle_rest();
        if listeners == 0 {
            return None;
        }
        let mut left = Left::default();
        let (index, thread, started) = (to.first_unsettled(), to.thread(), to.has_started());
        if !started {
            left.freed.extend(to.let_go(self.bytes));
        }
        let failure = Failure { recipient, index, listeners, thread, kind: kind.clone() };
        self.outcome.failures.push(failure);
        let payload = self.payload.clone().unwrap_or_default();
        left.finished = self.close(1);
        Some(Rest { listeners, thread, started, cancelled: self.cancelled, payload, left })
    }

    /// One listener counts for nothing.
    pub(crate) fn skip(&mut self, recipient: u32, index: u32) -> Left {
        let from = &mut self.recipients[recipient as usize];
        let is_over = from.settle(index) && from.is_settled();
        Left { finished: if is_over { self.close(1) } else { None }, ..Left::default() }
    }

    /// What has not started counts for nothing, and takes no room any more. The emitter hears no more of what
    /// has.
    pub(crate) fn cancel(&mut self) -> Left {
        self.cancelled = true;
        self.report = Report::None;
        let mut left = Left::default();
        let mut cancelled = 0;
        let open = self.recipients.iter_mut().filter(|recipient| !recipient.is_settled());
        for recipient in open.filter(|recipient| !recipient.has_started()) {
            recipient.settle_rest();
            left.freed.extend(recipient.let_go(self.bytes));
            cancelled += 1;
        }
        if cancelled > 0 {
            left.finished = self.close(cancelled);
        }
        left
    }

    /// So many recipients have settled.
    fn close(&mut self, recipients: usize) -> Option<Finished> {
        self.open -= recipients;
        (self.open == 0).then(|| {
            let report = self.report;
            let mut outcome = std::mem::take(&mut self.outcome);
            outcome.failures.sort_by_key(|failure| (failure.recipient, failure.index));
            let (timers, payload) = (std::mem::take(&mut self.timers), self.payload.take());
            let has_claimed = self.recipients.iter().any(Recipient::has_claimed);
            Finished { report, outcome, timers, payload, has_claimed }
        })
    }
}
