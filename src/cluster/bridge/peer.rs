//! Another process, as a bridge knows it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::Millis;
use super::super::frame::{Change, Frame};
use super::super::message::Hello;
use super::super::peer::PeerId;
use super::super::session::Session;
use super::super::table::Table;
use super::Action;

/// Another process.
pub struct Peer {
    /// The greeting that its session began with.
    pub(super) hello: Hello,
    /// Channels that both have.
    pub(super) channels: BTreeSet<Arc<str>>,
    pub(super) session: Session,
    pub(super) heard: Millis,
    pub(super) greeted: Option<Millis>,
    pub(super) table: Table,
    /// Number of the message with all that it was told of listeners at first.
    pub(super) first_told: u64,
    /// It has told all that it knew of its listeners.
    pub(super) is_synced: bool,
}

impl Peer {
    /// Returns its name, for people.
    pub fn name(&self) -> &Arc<str> {
        &self.hello.name
    }

    /// Returns whether it says the same of itself as when its session began.
    pub(super) fn is_as(&self, hello: &Hello) -> bool {
        let wants_answer = self.hello.wants_answer;
        self.hello == Hello { wants_answer, ..hello.clone() }
    }

    /// Returns its version within the major one, which all peers share.
    pub fn minor(&self) -> u8 {
        self.hello.minor
    }

    /// Returns the table of the listeners there.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the bytes of the longest frame that it takes.
    pub fn longest(&self) -> usize {
        self.hello.longest
    }

    /// Returns the bytes that are kept for it.
    pub fn kept(&self) -> usize {
        self.session.outgoing.bytes()
    }

    /// Gives it the time in which it could not be heard.
    pub(super) fn forgive(&mut self, now: Millis) {
        self.heard = now;
        self.session.incoming.forgive(now);
    }

    pub(super) fn numbers(&self) -> (u64, u64) {
        (self.session.mine, self.session.theirs.unwrap_or_default())
    }

    /// Returns whether all frames made sense.
    pub(super) fn receive(
        &mut self,
        id: PeerId,
        frames: Vec<Frame>,
        actions: &mut Vec<Action>,
    ) -> bool {
        for frame in frames {
            match &frame {
                Frame::Change(change) if !self.may_tell(change) => return false,
                Frame::Synced => self.is_synced = true,
                _ => {}
            }
            actions.push(Action::Received(id, frame));
        }
        true
    }

    /// Applies a change. Returns false for one that makes no sense, or is of a channel that is not shared.
    fn may_tell(&mut self, change: &Change) -> bool {
        let is_shared = match change {
            Change::Joined(joined) => self.channels.contains(&joined.channel),
            _ => true,
        };
        is_shared && self.table.apply(change)
    }

    /// Returns whether both have the same table of its listeners.
    pub(super) fn agrees(&self, last: u64, digest: Option<u64>) -> bool {
        let Some(digest) = digest.filter(|_| self.session.incoming.has_all(last)) else {
            return true;
        };
        digest == self.table.digest(&self.channels)
    }
}
