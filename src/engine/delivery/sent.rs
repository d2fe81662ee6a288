//! What was sent to another process, and ends in ways that this one is told of.

use super::dispatch::{Dispatch, Place};
use super::recipient::Refusal;
use super::settling::Left;
use super::{Delivery, Party};
use crate::engine::outcome::FailureKind;
use crate::engine::sync::lock;

impl<P: Party> Delivery<P> {
    /// Fails all listeners that have not settled.
    pub fn fail_rest(&self, kind: FailureKind) {
        self.dispatch.fail_rest(self.place.recipient, kind);
    }

    /// Settles the listener at `index` as failed.
    pub fn fail_as(&self, index: u32, kind: FailureKind) {
        self.dispatch.settle(self.place, index, Err(kind));
    }

    /// Notes that its listeners were not called, although it was [started](Self::start). Another one of its group gets
    /// it; where there is none, it fails as `kind`, or counts for nothing.
    pub fn refuse(self, kind: Option<FailureKind>) {
        self.dispatch.unstart(self.place, kind.map_or(Refusal::Skip, Refusal::Fail));
    }
}

impl<P: Party> Dispatch<P> {
    /// Where the emitter has cancelled it, it settles.
    fn unstart(&self, place: Place, refusal: Refusal) {
        let mut left = Left::nothing();
        {
            let state = &mut *lock(&self.state);
            let is_cancelled = state.is_cancelled;
            let Some(of) = state.at(place) else { return };
            of.unstart(refusal);
            if !is_cancelled || of.is_settled() {
                return;
            }
            of.settle_rest();
            left.freed.extend(of.let_go(self.size));
            left.finished = state.close(1);
        }
        self.finish(left);
    }
}
