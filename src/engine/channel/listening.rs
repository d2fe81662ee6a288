//! The wait for listeners: members that are to be told when somebody begins to listen to an event.
//!
//! A member is told once for each time that it asks, so that no notices pile up.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Weak};

use super::Channel;
use super::member::Member;
use super::message::{Message, Notice};
use crate::engine::ids::MemberId;
use crate::engine::sync::{Mutex, lock};

/// The members of a channel that wait, by event.
pub(super) type Awaited = Mutex<HashMap<Arc<str>, HashMap<MemberId, Weak<Member>>>>;

impl Member {
    /// Asks for one [`Notice::Listening`] when somebody begins to listen to an event. Returns the number of endpoints
    /// that listen to it by now.
    pub fn await_listeners(self: &Arc<Self>, event: &str) -> usize {
        // In this order: a listener that comes in between is counted, and told of.
        let event: Arc<str> = event.into();
        lock(&self.awaits).insert(event.clone());
        let mut awaited = lock(&self.channel().awaited);
        awaited.entry(event.clone()).or_default().insert(self.id(), Arc::downgrade(self));
        drop(awaited);
        let route = self.channel().route(&event);
        let endpoints = route.breadth();
        self.channel().let_go(vec![route]);
        endpoints
    }

    /// Takes back what it asked for.
    pub fn await_no_listeners(&self, event: &str) {
        lock(&self.awaits).remove(event);
        self.channel().forget_awaited(self, event);
    }

    /// Waits for nothing any more, because it leaves.
    pub(super) fn await_nothing(&self) {
        let awaits = take(&mut *lock(&self.awaits));
        awaits.iter().for_each(|event| self.channel().forget_awaited(self, event));
    }
}

impl Channel {
    /// Tells the members that wait for a listener of this event that there is one more.
    pub(super) fn tell_of_listener(&self, event: &str) {
        let waiting = lock(&self.awaited).remove(event).unwrap_or_default();
        for member in waiting.into_values().filter_map(|member| member.upgrade()) {
            lock(&member.awaits).remove(event);
            // A closed mailbox is that of an endpoint that is ending.
            let _ =
                member.endpoint().mailbox().push(Message::Notice(Notice::Listening(member.id())));
        }
    }

    fn forget_awaited(&self, member: &Member, event: &str) {
        let mut awaited = lock(&self.awaited);
        if let Some(waiting) = awaited.get_mut(event) {
            waiting.remove(&member.id());
            if waiting.is_empty() {
                awaited.remove(event);
            }
        }
    }
}
