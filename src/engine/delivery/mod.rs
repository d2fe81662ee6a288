//! A recipient of a dispatch, held by whoever works on it. One that is dropped unsettled is gone, and that
//! is how a thread that ends settles all it owed, by whatever road it ends.

pub mod batch;
pub mod dispatch;
mod progress;
pub(crate) mod recipient;

use std::sync::{Arc, Weak};

use crate::engine::channel::member::Member;
use crate::engine::channel::route::ListenerId;
use crate::engine::outcome::FailureKind;
use crate::engine::payload::Payload;
use dispatch::Dispatch;

/// The claim of one recipient on a [`Dispatch`]. See the [module](self).
pub struct Delivery {
    dispatch: Arc<Dispatch>,
    recipient: u32,
    member: Arc<Member>,
    listeners: Arc<[ListenerId]>,
}

impl Delivery {
    /// The recipient was [taken on](recipient::Recipient::take_on).
    pub(crate) fn new(
        dispatch: &Arc<Dispatch>,
        recipient: u32,
        member: Arc<Member>,
        listeners: Arc<[ListenerId]>,
    ) -> Self {
        Delivery { dispatch: dispatch.clone(), recipient, member, listeners }
    }

    /// The dispatch that it belongs to.
    pub fn dispatch(&self) -> &Arc<Dispatch> {
        &self.dispatch
    }

    /// To whom it goes.
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Whose event it is.
    pub fn emitter(&self) -> &Arc<Member> {
        self.dispatch.emitter()
    }

    /// Which listeners of that member, in the order in which they are to be called.
    pub fn listeners(&self) -> &[ListenerId] {
        &self.listeners
    }

    /// The event.
    pub fn event(&self) -> &str {
        self.dispatch.event()
    }

    /// Its arguments, encoded; nothing once the whole dispatch has settled.
    pub fn payload(&self) -> Payload {
        self.dispatch.payload()
    }

    /// Whether nobody needs it any more: everything was taken back, or its time was over, before this was read.
    /// Where a `once` listener was claimed it is still to be read, by whoever has to know of that.
    pub fn is_over(&self) -> bool {
        self.dispatch.is_over()
    }

    /// Whether the listener's value is wanted.
    pub fn is_request(&self) -> bool {
        self.dispatch.is_request()
    }

    /// Whether the emitter waits for the outcome, and so hears of each failure.
    pub fn is_awaited(&self) -> bool {
        self.dispatch.is_awaited()
    }

    /// Whether [`start`](Self::start) has to be called before the first listener is.
    pub fn must_start(&self) -> bool {
        self.dispatch.must_start()
    }

    /// The listeners are about to be called. False if they must not be: the time is over, or the
    /// emitter gave up. Once started, it is not given to another member.
    #[must_use = "false means that the listeners must not be called"]
    pub fn start(&self) -> bool {
        self.dispatch.start(self.recipient)
    }

    /// The listener at `index` fails with [`FailureKind::TimedOut`] if it has not settled in `ms`.
    pub fn start_timer(&self, index: u32, ms: u32) {
        let dispatch: Weak<Dispatch> = Arc::downgrade(&self.dispatch);
        let recipient = self.recipient;
        self.dispatch.set_timer(ms, move || {
            if let Some(dispatch) = dispatch.upgrade() {
                dispatch.settle(recipient, index, Err(FailureKind::TimedOut(ms)));
            }
        });
    }

    /// The listener at `index` is done, with what it returned if that is [wanted](Self::is_request).
    /// A listener that had settled before is not counted again.
    pub fn succeed(&self, index: u32, reply: Option<Vec<u8>>) {
        self.dispatch.settle(self.recipient, index, Ok(reply));
    }

    /// The listener at `index` failed, with an encoded error.
    pub fn fail(&self, index: u32, error: Vec<u8>) {
        self.dispatch.settle(self.recipient, index, Err(FailureKind::Threw(error)));
    }

    /// The listener at `index` will never be done: it is [gone](FailureKind::ThreadExited), and the others are not.
    pub fn lose(&self, index: u32) {
        self.dispatch.settle(self.recipient, index, Err(FailureKind::ThreadExited));
    }

    /// The listener at `index` was removed before the event came to it, by a removal that holds for
    /// it: it counts for nothing.
    pub fn skip(&self, index: u32) {
        self.dispatch.skip(self.recipient, index);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.dispatch.abandon(self.recipient, &self.member);
    }
}
