//! Listeners that want to know, while they run, that nobody waits for them any more.
//!
//! Its thread *follows* a delivery then, by a token of its own. It is told once: the time is over, the emitter has
//! cancelled, or the emitter's thread has ended. That one is known to the emitter's endpoint alone, so a follower is
//! noted there before it is noted here, and taken off there after it was taken off here.

use std::sync::Arc;

use super::Party;
use super::dispatch::{Dispatch, Place};
use super::recipient::Recipient;
use crate::engine::outcome::{FailureKind, Step};
use crate::engine::sync::lock;

impl<P: Party> Dispatch<P> {
    /// See [`super::Delivery::follow`].
    pub(super) fn follow(&self, place: Place, member: &Arc<P>, token: u32) {
        if !self.emitter.follow(member, token) {
            return member.tell_over(token, self.emitter.reason_of_loss());
        }
        let (over, stepwise) = {
            let mut state = lock(&self.state);
            let (over, stepwise) = (state.over.clone(), state.stepwise());
            if over.is_none()
                && let Some(of) = state.at(place)
            {
                of.follow(token);
            }
            (over, stepwise)
        };
        if let Some(token) = stepwise {
            self.emitter.stepped(token, Step::Followed);
        }
        if let Some(kind) = over {
            self.emitter.unfollow(member, token);
            member.tell_over(token, kind);
        }
    }

    /// Returns whether listeners have started, and not all of them have settled.
    pub fn is_running(&self) -> bool {
        lock(&self.state).recipients.iter().any(|to| to.has_started() && !to.is_settled())
    }

    /// Tells listeners that are running although the dispatch was [cancelled](Self::cancel), if they
    /// [follow](super::Delivery::follow) it. The reason is an error in the encoding of the emitter's side.
    pub fn tell_cancelled(&self, reason: Vec<u8>) {
        self.tell_followers(FailureKind::Threw(reason));
    }

    /// Tells all that follow, and those that will, that nobody waits for them any more.
    pub fn tell_followers(&self, kind: FailureKind) {
        let (kind, followers) = {
            let mut state = lock(&self.state);
            // Only recipients that have started are followed; of some nobody says that they start.
            if !state.recipients.iter().any(|to| to.has_started() || to.is_followed()) {
                return;
            }
            let kind = state.over.get_or_insert(kind).clone();
            let all = state.recipients.iter_mut();
            let follower = |to: &mut Recipient<P>| Some((to.unfollow()?, to.member().clone()));
            (kind, all.filter_map(follower).collect::<Vec<_>>())
        };
        for (token, member) in followers {
            self.emitter.unfollow(&member, token);
            member.tell_over(token, kind.clone());
        }
    }
}
