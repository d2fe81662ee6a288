//! Deliveries that were sent to another process, and end in ways that this one is told of.

use super::dispatch::{Dispatch, Place};
use super::recipient::Refusal;
use super::settling::Left;
use super::{Delivery, Party};
use crate::engine::outcome::FailureKind;
use crate::engine::sync::lock;

impl<P: Party> Delivery<P> {
    /// [Starts](Self::start) the recipient, though its listeners are not called before the process has the event.
    #[must_use = "false means that the event must not be sent"]
    pub fn send(&self) -> bool {
        let starts = self.start();
        if starts {
            self.dispatch.note_way(self.place, true);
        }
        starts
    }

    /// Notes that its listeners were called.
    pub fn reached(&self) {
        self.dispatch.note_way(self.place, false);
    }

    /// Fails all listeners that have not settled.
    pub fn fail_rest(&self, kind: FailureKind) {
        self.dispatch.fail_rest(self.place.recipient, kind);
    }

    /// Settles the listener at `index` as failed.
    pub fn fail_as(&self, index: u32, kind: FailureKind) {
        self.dispatch.settle(self.place, index, Err(kind));
    }

    /// Notes that its listeners were not called, although it was [started](Self::start). Another one of its group gets
    /// it; where there is none, it fails as `kind`, or counts for nothing. One with a key goes there with all others
    /// that were not called.
    pub fn refuse(self, kind: Option<FailureKind>) {
        // Where there is no room for one of a key, there may be for the next one: they stay.
        let refusal = kind.map_or(Refusal::Skip, Refusal::Fail);
        let is_gone = refusal.is_for_absence();
        let is_in_line = self.dispatch.unstart(self.place, refusal);
        if is_in_line && is_gone {
            let route = self.dispatch.route.clone();
            P::refused(&route, self);
        }
    }

    /// Returns the result of `read` for the place in line of an event with a key, while that is in flight.
    pub(in crate::engine) fn place_in_line<T>(
        &self,
        read: impl FnOnce(&P::InLine) -> T,
    ) -> Option<T> {
        lock(&self.dispatch.state).at(self.place)?.place_in_line().map(read)
    }
}

impl<P: Party> Dispatch<P> {
    fn note_way(&self, place: Place, is_on_its_way: bool) {
        if let Some(of) = lock(&self.state).at(place) {
            of.note_way(is_on_its_way);
        }
    }

    /// Where the emitter has cancelled it, it settles. Returns whether others of its key may have to go with it.
    fn unstart(&self, place: Place, refusal: Refusal) -> bool {
        let mut left = Left::nothing();
        {
            let state = &mut *lock(&self.state);
            let is_cancelled = state.is_cancelled;
            let Some(of) = state.at(place) else { return false };
            of.unstart(refusal);
            if !is_cancelled || of.is_settled() {
                return of.place_in_line().is_some();
            }
            of.settle_rest();
            left.freed.extend(of.let_go(self.size));
            left.finished = state.close(1);
        }
        self.finish(left);
        false
    }
}
