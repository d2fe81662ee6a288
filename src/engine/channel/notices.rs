//! Notices of a member's own events, and of other threads: none piles up.

use std::sync::Arc;

use super::losses::Charge;
use super::member::Member;
use super::message::{Message, Notice};
use crate::engine::ids::MemberId;
use crate::engine::outcome::Lost;
use crate::engine::sync::{Ordering, lock};

impl Member {
    pub(super) fn notice_of(self: &Arc<Self>, lost: Lost, charge: Charge) -> Notice {
        let mut untold = Untold::new(self);
        untold.charge = charge;
        Notice::Lost { emitter: self.id(), lost: Box::new(lost), untold }
    }

    /// Tells its endpoint a piece of news of other processes: its kind, and its number.
    pub(super) fn told(&self, what: u32, number: u32) {
        let notice = Notice::News { member: self.id(), what, number };
        let _ = self.endpoint.mailbox().push(Message::Notice(notice));
    }

    /// Returns the news of a stall of another thread, unless such news of that thread was not read yet.
    pub(super) fn stall_of(
        self: &Arc<Self>,
        thread: u32,
        waiting: u32,
        ms: u32,
    ) -> Option<Message> {
        let is_news = lock(&self.stalls).insert(thread);
        is_news.then(|| {
            Message::Notice(Notice::Stall(Stall { member: self.clone(), thread, waiting, ms }))
        })
    }
}

/// In a message that tells of a member's own event: the member [is not idle](Member::is_idle) before the
/// message was read, and dropped.
pub struct Untold {
    member: Arc<Member>,
    /// The share of the message in the budget for losses.
    charge: Charge,
}

impl Untold {
    pub(super) fn new(member: &Arc<Member>) -> Self {
        member.untold.fetch_add(1, Ordering::AcqRel);
        Untold { member: member.clone(), charge: Charge::Nothing }
    }

    /// Returns the messages about losses that were counted.
    pub(super) fn of_losses(&self) -> impl Iterator<Item = Message> {
        let counted = self.member.losses.take().into_iter();
        counted.map(|(lost, charge)| Message::Notice(self.member.notice_of(lost, charge)))
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        if !matches!(self.charge, Charge::Nothing) {
            self.member.losses.was_read(self.charge);
        }
        self.member.untold.fetch_sub(1, Ordering::AcqRel);
    }
}

/// News of another thread that has not looked into its mailbox for a while. While it waits to be read, it
/// is all that a member is told of stalls of that thread.
pub struct Stall {
    member: Arc<Member>,
    /// Which thread.
    pub thread: u32,
    /// Number of messages that wait there.
    pub waiting: u32,
    /// For how long it has not looked, at least, in milliseconds.
    pub ms: u32,
}

impl Stall {
    /// Returns the member that is told.
    pub fn member(&self) -> MemberId {
        self.member.id()
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        lock(&self.member.stalls).remove(&self.thread);
    }
}
