//! Emitting from Rust, with the outcome as a future.
//!
//! An [`Emitter`] is a member of a channel that never listens. Listeners of the emitting member
//! itself are the emitter's own business ([`Sent::To`]), and this one has none: those of its own task
//! get its events as all others do, through their mailbox, and count in its outcomes.
//!
//! An event is on its way when the method returns, whether or not the future is ever polled. To drop
//! the future of an event is to take no interest in its outcome; to drop the future of a request
//! takes the request back, if no listener has started with it.
//!
//! The endpoint has to be [read](super::receiver): what never reached a listener is told by a
//! [letter](super::endpoint::Letter::Lost), beside the outcome.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::FutureExt;

use super::dispatch::{Dispatch, Emission};
use super::endpoint::Endpoint;
use super::member::Member;
use super::outcome::{Failure, Outcome, Reply};
use super::quota::Limits;
use super::route::{Posted, Sent};
use super::sync::{Mutex, lock};

/// Emits events on one channel. See the [module](self). A clone is the same member.
#[derive(Clone)]
pub struct Emitter {
    member: Arc<Member>,
    timeout: Option<u32>,
    /// Who waits for [room](Self::room).
    waiting: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Emitter {
    /// Joins a channel as a member that only emits.
    pub fn join(endpoint: &Arc<Endpoint>, channel: &str) -> Self {
        let member = endpoint.join(channel, Limits::default());
        Emitter { member, timeout: None, waiting: Arc::default() }
    }

    /// The member that emits.
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// The same emitter for events whose listeners fail when they have not settled within so long,
    /// in whole milliseconds.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        let ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        Emitter { timeout: Some(ms), ..self.clone() }
    }

    /// Emits an event whose outcome nobody waits for. Returns how many listeners it was addressed to.
    pub fn post(&self, event: &str, payload: &[u8]) -> u32 {
        if self.timeout.is_none() && !self.member.has_left() {
            let route = self.member.channel().route(event);
            if let Posted::To(listeners) = route.post(&self.member, Some(payload)) {
                return listeners;
            }
        }
        self.send(event, payload, false, Reply::None).0
    }

    /// Emits an event to everybody who listens.
    pub fn emit(&self, event: &str, payload: &[u8]) -> Emitted {
        let (sender, outcome) = oneshot::channel();
        let (listeners, _) = self.send(event, payload, false, Reply::Future(sender));
        Emitted { listeners, outcome }
    }

    /// Emits an event to one of those who listen, and waits for what the listener returns.
    pub fn request(&self, event: &str, payload: &[u8]) -> Answer {
        let (sender, outcome) = oneshot::channel();
        let (_, dispatch) = self.send(event, payload, true, Reply::Future(sender));
        Answer { outcome, dispatch }
    }

    /// Whether a member elsewhere on the channel has much waiting, so that
    /// [`room`](Self::room) should be waited for before more is emitted.
    pub fn is_congested(&self) -> bool {
        self.member.channel().is_congested(self.member.endpoint())
    }

    /// Waits until no member elsewhere on the channel has much waiting, or this one has left.
    pub fn room(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sender, told) = oneshot::channel();
        if self.is_congested() && !self.member.has_left() {
            lock(&self.waiting).push(sender);
            self.member.wait_for_room();
            if self.member.has_left() {
                // Perhaps too late for those who end the waiting when they see it leave.
                self.drained();
            }
        }
        // It is told, or its sender is dropped.
        told.map(drop)
    }

    /// Ends all waiting for [room](Self::room): for the reader of the endpoint, when
    /// [`Letter::Drained`](super::endpoint::Letter::Drained) came for this member, and at its end.
    pub fn drained(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        drop(waiting);
    }

    fn send(
        &self,
        event: &str,
        payload: &[u8],
        to_one: bool,
        reply: Reply,
    ) -> (u32, Weak<Dispatch>) {
        if self.member.has_left() {
            return (0, Weak::new());
        }
        let emission = Emission {
            payload: Some(payload),
            to_one,
            timeout: self.timeout,
            withdrawable: false,
            reply,
        };
        match self.member.channel().route(event).emit(&self.member, emission) {
            Sent::To { others, dispatch: Some(dispatch), .. } => {
                (others, Arc::downgrade(&dispatch))
            }
            Sent::To { .. } | Sent::NeedsPayload | Sent::NoMemory => (0, Weak::new()),
        }
    }
}

/// What becomes of an event: its [`Outcome`], when all listeners have settled.
pub struct Emitted {
    listeners: u32,
    outcome: oneshot::Receiver<Outcome>,
}

impl Emitted {
    /// How many listeners it was addressed to.
    pub fn listeners(&self) -> u32 {
        self.listeners
    }
}

impl Future for Emitted {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        // Without listeners nobody ever had the other end.
        self.outcome.poll_unpin(context).map(Result::unwrap_or_default)
    }
}

/// What the listener of a request returned. Dropped before, it takes the request back.
#[must_use = "a request that nobody waits for is taken back"]
pub struct Answer {
    outcome: oneshot::Receiver<Outcome>,
    dispatch: Weak<Dispatch>,
}

impl Future for Answer {
    type Output = Result<Vec<u8>, Unanswered>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.outcome.poll_unpin(context)).unwrap_or_default();
        Poll::Ready(match outcome.failures.into_iter().next() {
            Some(failure) => Err(Unanswered::Failed(failure)),
            None if outcome.success == 0 => Err(Unanswered::NoListeners),
            None => Ok(outcome.answer.unwrap_or_default()),
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // One that has settled is not there any more, or has nothing left to take back.
        if let Some(dispatch) = self.dispatch.upgrade() {
            dispatch.withdraw();
        }
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody listens, or the emitter has left the channel.
    NoListeners,
    /// The listener did not succeed.
    Failed(Failure),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unanswered::NoListeners => f.write_str("nobody listens"),
            Unanswered::Failed(failure) => write!(f, "the listener: {:?}", failure.cause),
        }
    }
}

impl std::error::Error for Unanswered {}
