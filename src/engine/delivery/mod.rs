//! Events in flight: tracked ones as [dispatches](dispatch), untracked ones in [batches](batch).
//!
//! Nothing in here knows channels. A member is a [`Party`].
//!
//! A [`Delivery`] is held while its recipient works on it. One that is dropped unsettled fails its listeners,
//! so a thread that ends settles all that it owed, in every way to end.

pub mod batch;
pub mod dispatch;
mod following;
mod party;
mod pool;
pub mod recipient;
mod sent;
mod settling;

use std::sync::{Arc, Weak};

use crate::engine::ids::ListenerId;
use crate::engine::outcome::FailureKind;
use crate::engine::payload::Payload;
use dispatch::{Dispatch, Place};
pub use party::{Former, Party};
use recipient::Freed;

/// A [`Dispatch`] for one of its recipients. See the [module](self).
pub struct Delivery<P: Party> {
    dispatch: Arc<Dispatch<P>>,
    place: Place,
    member: Arc<P>,
    listeners: Arc<[ListenerId]>,
}

impl<P: Party> Delivery<P> {
    /// Returns the deliveries of a dispatch: one for each recipient that has room, unless it is over already.
    pub(super) fn all(dispatch: &Arc<Dispatch<P>>) -> Vec<Self> {
        let addressed = dispatch.addressed().into_iter();
        let delivery = |(place, member, listeners)| {
            let dispatch = dispatch.clone();
            Delivery { dispatch, place, member, listeners }
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
        let place = dispatch.move_to(recipient, to, listeners.clone(), has_claimed)?;
        let (dispatch, member) = (dispatch.clone(), to.clone());
        Some(Delivery { dispatch, place, member, listeners })
    }

    /// Returns the delivery of a recipient that is taken from its member before it started. From now on the delivery
    /// that the member has is [over](Self::is_over). It takes the place in line of an event with a key. None if it has
    /// started or settled meanwhile.
    pub(super) fn stolen(
        dispatch: &Arc<Dispatch<P>>,
        recipient: u32,
        to: &Arc<P>,
        (listener, has_claimed): (ListenerId, bool),
        in_line: &mut Option<P::InLine>,
    ) -> Option<(Self, Option<Freed<P>>)> {
        let listeners: Arc<[ListenerId]> = [listener].into();
        let (place, freed) =
            dispatch.steal(recipient, to, (listeners.clone(), has_claimed), in_line)?;
        let (dispatch, member) = (dispatch.clone(), to.clone());
        Some((Delivery { dispatch, place, member, listeners }, freed))
    }

    /// Returns the dispatch that it belongs to.
    pub fn dispatch(&self) -> &Arc<Dispatch<P>> {
        &self.dispatch
    }

    /// Returns the number of its recipient.
    pub(super) fn recipient(&self) -> u32 {
        self.place.recipient
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

    /// Takes the payload, where the listeners are about to be called and no other recipient needs it; else shares it.
    /// It is theirs then: if they are lost, the emitter is told so without it. None once the dispatch has settled.
    pub fn take_payload(&self) -> Option<Payload> {
        self.dispatch.take_payload()
    }

    /// Returns whether nobody needs it any more: the dispatch was cancelled, or its time was over, before this was
    /// read; or another member took the event over. Where a `once` listener was claimed its thread still has to read
    /// it, to know of the claim.
    pub fn is_over(&self) -> bool {
        self.dispatch.is_over(self.place)
    }

    /// Returns whether nothing that its listeners do is of interest any more: they have settled, the emitter has
    /// cancelled, or another member took the event over.
    pub fn is_settled(&self) -> bool {
        self.dispatch.is_settled(self.place)
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

    /// Starts the recipient: its listeners are about to be called. Returns false if they must not be, because the time
    /// is over, the emitter has cancelled, or another member took the event over. Once started, it is not given to
    /// another member.
    #[must_use = "false means that the listeners must not be called"]
    pub fn start(&self) -> bool {
        let starts = self.dispatch.start(self.place);
        if starts {
            self.member.starts();
        }
        starts
    }

    /// Has the member told, with this token, when listeners that were started need not go on: the time of the event is
    /// over, the emitter has cancelled it, or is gone. Ends with the delivery.
    pub fn follow(&self, token: u32) {
        self.dispatch.follow(self.place, &self.member, token);
    }

    /// Fails the listener at `index` with [`FailureKind::TimedOut`] if it has not settled in `ms`.
    pub fn start_timer(&self, index: u32, ms: u32) {
        let dispatch: Weak<Dispatch<P>> = Arc::downgrade(&self.dispatch);
        let place = self.place;
        self.dispatch.set_timer(ms, move || {
            if let Some(dispatch) = dispatch.upgrade() {
                dispatch.settle(place, index, Err(FailureKind::TimedOut(ms)));
            }
        });
    }

    /// Settles the listener at `index` as done, with its reply if that is [wanted](Self::is_request).
    /// A listener that had settled before is not counted again.
    pub fn succeed(&self, index: u32, reply: Option<Payload>) {
        self.dispatch.settle(self.place, index, Ok(reply));
    }

    /// Settles the listener at `index` as failed, with an encoded error.
    pub fn fail(&self, index: u32, error: Vec<u8>) {
        self.dispatch.settle(self.place, index, Err(FailureKind::Threw(error)));
    }

    /// Settles the listener at `index` as [gone](FailureKind::ThreadExited), although the others are not.
    pub fn lose(&self, index: u32) {
        self.dispatch.settle(self.place, index, Err(FailureKind::ThreadExited));
    }

    /// Takes the listener at `index` out of the outcome: it was removed before the event came to it, by a removal
    /// that holds for the event.
    pub fn skip(&self, index: u32) {
        self.dispatch.skip(self.place, index);
    }
}

impl<P: Party> Drop for Delivery<P> {
    fn drop(&mut self) {
        self.dispatch.abandon(self);
    }
}
