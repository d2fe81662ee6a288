//! Events in flight: tracked ones as [dispatches](dispatch), untracked ones in [batches](batch).
//!
//! Nothing in here knows channels. A member is a [`Party`].
//!
//! A [`Delivery`] is held while its recipient works on it. One that is dropped unsettled fails its listeners,
//! so a thread that ends settles all that it owed, in every way to end.

pub mod batch;
pub mod dispatch;
mod party;
mod pool;
pub mod recipient;
mod settling;

use std::sync::{Arc, Weak};

use crate::engine::ids::ListenerId;
use crate::engine::outcome::FailureKind;
use crate::engine::payload::Payload;
use dispatch::Dispatch;
pub use party::Party;

/// A [`Dispatch`] for one of its recipients. See the [module](self).
pub struct Delivery<P: Party> {
    dispatch: Arc<Dispatch<P>>,
    /// Index of the recipient.
    recipient: u32,
    member: Arc<P>,
    listeners: Arc<[ListenerId]>,
}

impl<P: Party> Delivery<P> {
    /// Returns the deliveries of a dispatch: one for each recipient that has room, unless it is over already.
    pub(super) fn all(dispatch: &Arc<Dispatch<P>>) -> Vec<Self> {
        let addressed = dispatch.addressed().into_iter();
        let delivery = |(recipient, member, listeners)| {
            let dispatch = dispatch.clone();
            Delivery { dispatch, recipient, member, listeners }
        };
        addressed.map(delivery).collect()
    }

    /// Returns the delivery of a recipient that goes to another listener. None if it has settled meanwhile.
    pub(super) fn moved(
        dispatch: &Arc<Dispatch<P>>,
        recipient: u32,
        to: &Arc<P>,
        listener: ListenerId,
        has_claimed: bool,
    ) -> Option<Self> {
        let listeners: Arc<[ListenerId]> = [listener].into();
        let is_moved = dispatch.move_to(recipient, to, listeners.clone(), has_claimed);
        let (dispatch, member) = (dispatch.clone(), to.clone());
        is_moved.then(|| Delivery { dispatch, recipient, member, listeners })
    }

    /// Returns the dispatch that it belongs to.
    pub fn dispatch(&self) -> &Arc<Dispatch<P>> {
        &self.dispatch
    }

    /// Returns the member that it goes to.
    pub fn member(&self) -> &Arc<P> {
        &self.member
    }

    /// Returns the emitter of the event.
    pub fn emitter(&self) -> &Arc<P> {
        self.dispatch.emitter()
    }

    /// Returns the listeners of the member that are addressed, in the order in which they are to be called.
    pub fn listeners(&self) -> &[ListenerId] {
        &self.listeners
    }

    /// Returns the name of the event.
    pub fn event(&self) -> &str {
        self.dispatch.event()
    }

    /// Returns the encoded arguments; nothing once the whole dispatch has settled.
    pub fn payload(&self) -> Payload {
        self.dispatch.payload()
    }

    /// Takes the payload, where the listeners are about to be called and no other recipient needs it; else shares it. It
    /// is theirs then: if they are lost, the emitter is told so without it. None once the dispatch has settled.
    pub fn take_payload(&self) -> Option<Payload> {
        self.dispatch.take_payload()
    }

    /// Returns whether nobody needs it any more: the dispatch was cancelled, or its time was over, before this was
    /// read. Where a `once` listener was claimed its thread still has to read it, to know of the claim.
    pub fn is_over(&self) -> bool {
        self.dispatch.is_over()
    }

    /// Returns whether the emitter wants the listener's value.
    pub fn is_request(&self) -> bool {
        self.dispatch.is_request()
    }

    /// Returns the emitter's token for the dispatch, if it awaits the outcome, and so hears of each failure.
    pub fn token(&self) -> Option<u32> {
        self.dispatch.token()
    }

    /// Returns whether [`start`](Self::start) has to be called before the first listener is.
    pub fn must_start(&self) -> bool {
        self.dispatch.must_start()
    }

    /// Starts the recipient: its listeners are about to be called. Returns false if they must not be, because the
    /// time is over or the emitter has cancelled. Once started, it is not given to another member.
    #[must_use = "false means that the listeners must not be called"]
    pub fn start(&self) -> bool {
        self.dispatch.start(self.recipient)
    }

    /// Fails the listener at `index` with [`FailureKind::TimedOut`] if it has not settled in `ms`.
    pub fn start_timer(&self, index: u32, ms: u32) {
        let dispatch: Weak<Dispatch<P>> = Arc::downgrade(&self.dispatch);
        let recipient = self.recipient;
        self.dispatch.set_timer(ms, move || {
            if let Some(dispatch) = dispatch.upgrade() {
                dispatch.settle(recipient, index, Err(FailureKind::TimedOut(ms)));
            }
        });
    }

    /// Settles the listener at `index` as done, with its reply if that is [wanted](Self::is_request).
    /// A listener that had settled before is not counted again.
    pub fn succeed(&self, index: u32, reply: Option<Payload>) {
        self.dispatch.settle(self.recipient, index, Ok(reply));
    }

    /// Settles the listener at `index` as failed, with an encoded error.
    pub fn fail(&self, index: u32, error: Vec<u8>) {
        self.dispatch.settle(self.recipient, index, Err(FailureKind::Threw(error)));
    }

    /// Settles the listener at `index` as [gone](FailureKind::ThreadExited), although the others are not.
    pub fn lose(&self, index: u32) {
        self.dispatch.settle(self.recipient, index, Err(FailureKind::ThreadExited));
    }

    /// Takes the listener at `index` out of the outcome: it was removed before the event came to it, by a removal
    /// that holds for the event.
    pub fn skip(&self, index: u32) {
        self.dispatch.skip(self.recipient, index);
    }
}

impl<P: Party> Drop for Delivery<P> {
    fn drop(&mut self) {
        self.dispatch.abandon(self.recipient, &self.member);
    }
}
