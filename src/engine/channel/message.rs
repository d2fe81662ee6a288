//! Messages in the mailbox of an endpoint: events for its listeners, and notices.

use std::sync::Arc;

use super::notices::{Stall, Untold};
use super::{Batch, Delivery, Dispatch};
use crate::engine::ids::{ListenerId, MemberId};
use crate::engine::outcome::{FailureKind, Lost, Outcome, Step};

/// A message in the mailbox of an endpoint.
pub enum Message {
    /// One tracked event for listeners of this endpoint.
    Delivery(Delivery),
    /// Untracked events for listeners of this endpoint.
    Batch(Batch),
    /// No event.
    Notice(Notice),
}

/// News for the owner of an endpoint.
pub enum Notice {
    /// A dispatch that this endpoint awaits has settled.
    Settled {
        /// Token of the dispatch, from [`Report::Message`](crate::engine::outcome::Report::Message).
        token: u32,
        /// Outcome of the dispatch.
        outcome: Outcome,
        /// Keeps the emitter from being idle until this is read.
        untold: Untold,
    },
    /// An event, or many of a kind, of a member of this endpoint did not get to the end of some listeners.
    Lost {
        /// Emitter of the event.
        emitter: MemberId,
        /// The event, and the reason.
        lost: Box<Lost>,
        /// Keeps the emitter from being idle until this is read.
        untold: Untold,
    },
    /// More events of a member were lost than are told one by one. To [collect](super::endpoint::Endpoint::collect)
    /// messages puts [others](Notice::Lost) in its place.
    Losses(Untold),
    /// Nothing addressed to this listener, which was removed, comes after this.
    Forget(ListenerId),
    /// Another thread of a channel ended.
    ThreadExit {
        /// Member of this endpoint that is told.
        member: MemberId,
        /// Thread that ended.
        thread: u32,
    },
    /// Another thread of a channel has not looked into its mailbox for a while.
    Stall(Stall),
    /// The process begins to write a trace.
    Trace,
    /// No member of the channel has much waiting any more.
    Drained(MemberId),
    /// Somebody has begun to listen to an event for which a member [waited](super::listening).
    Listening(MemberId),
    /// Nobody waits any more for listeners of this endpoint that [follow](crate::engine::delivery::Delivery::follow) their
    /// event.
    Over {
        /// Token that the endpoint follows it by.
        token: u32,
        /// [`TimedOut`](FailureKind::TimedOut), [`ThreadExited`](FailureKind::ThreadExited), or, if the emitter has
        /// cancelled, its reason as the error that was [thrown](FailureKind::Threw).
        kind: FailureKind,
    },
    /// A step of a dispatch that is [reported](crate::engine::outcome::Report::Each) so.
    Step {
        /// Token of the dispatch.
        token: u32,
        /// The step.
        step: Step,
    },
    /// The emitter has cancelled a dispatch that this endpoint has started.
    Cancelled(Arc<Dispatch>),
    /// Something has happened to the channel from outside, which its owner knows the meaning of.
    News {
        /// Member of this endpoint that is told.
        member: MemberId,
        /// Its kind.
        what: u32,
        /// Its number: of a peer, or of a link's state.
        number: u32,
    },
}

impl Message {
    /// Returns the number of untracked events.
    pub fn untracked(&self) -> usize {
        if let Message::Batch(batch) = self { batch.len() } else { 0 }
    }

    /// Returns the number of events.
    pub fn events(&self) -> usize {
        self.untracked() + usize::from(matches!(self, Message::Delivery(_)))
    }

    /// Returns whether nobody needs the message any more; see [`Delivery::is_over`].
    pub fn is_over(&self) -> bool {
        matches!(self, Message::Delivery(delivery) if delivery.is_over())
    }
}
