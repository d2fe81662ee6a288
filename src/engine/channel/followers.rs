//! Endpoints with running listeners that want to know when the emitter of their event is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::endpoint::Endpoint;
use super::message::{Message, Notice};
use crate::engine::outcome::FailureKind;
use crate::engine::sync::lock;

/// By the id of the following endpoint, and its token. None once the emitter is gone.
pub(super) type Followers = Option<BTreeMap<(u32, u32), Weak<Endpoint>>>;

impl Endpoint {
    /// Returns false if this endpoint is closed.
    pub(super) fn follow(&self, follower: &Arc<Endpoint>, token: u32) -> bool {
        let mut followers = lock(&self.followers);
        let Some(followers) = followers.as_mut() else { return false };
        followers.insert((follower.id(), token), Arc::downgrade(follower));
        true
    }

    pub(super) fn unfollow(&self, follower: &Endpoint, token: u32) {
        if let Some(followers) = lock(&self.followers).as_mut() {
            followers.remove(&(follower.id(), token));
        }
    }

    /// Tells all followers that this endpoint is gone.
    pub fn leave_followers(&self) {
        let followers = lock(&self.followers).take().unwrap_or_default();
        for ((_, token), follower) in followers {
            if let Some(follower) = follower.upgrade() {
                follower.tell_over(token, self.reason_of_loss());
            }
        }
    }

    pub(super) fn tell_over(&self, token: u32, kind: FailureKind) {
        // A closed mailbox is that of an endpoint that is ending.
        let _ = self.mailbox().push(Message::Notice(Notice::Over { token, kind }));
    }
}
