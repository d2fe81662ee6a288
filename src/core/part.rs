//! A part of a dispatch: the listeners of one member that are addressed, and which of them have
//! settled. One whose listener was chosen among several may move to another until it starts.

use std::sync::Arc;

use super::member::Member;
use super::route::ListenerId;

/// Among whom the listeners of a part were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Not at all: every listener without a group.
    Everyone,
    /// The members of a group.
    Group(Arc<str>),
    /// Whoever listens.
    Any,
}

impl Choice {
    pub(super) fn allows(&self, group: &Option<Arc<str>>) -> bool {
        match self {
            Choice::Everyone => group.is_none(),
            Choice::Group(name) => group.as_ref() == Some(name),
            Choice::Any => true,
        }
    }
}

/// The listeners of one member that are addressed.
pub(super) struct Part {
    member: Arc<Member>,
    listeners: Arc<[ListenerId]>,
    choice: Choice,
    has_room: bool,
    /// Its member has a delivery of it, and has that counted.
    in_flight: bool,
    started: bool,
    /// By listener; empty before the first settled.
    settled: Vec<bool>,
    unsettled: u32,
}

impl Part {
    pub(super) fn new(
        member: Arc<Member>,
        listeners: Arc<[ListenerId]>,
        choice: Choice,
        has_room: bool,
    ) -> Self {
        let unsettled = u32::try_from(listeners.len()).unwrap_or(u32::MAX);
        Part {
            member,
            listeners,
            choice,
            has_room,
            in_flight: false,
            started: false,
            settled: Vec::new(),
            unsettled,
        }
    }

    /// Whether its member has room for it.
    pub(super) fn has_room(&self) -> bool {
        self.has_room
    }

    /// Whether its listeners were chosen among several.
    pub(super) fn is_chosen(&self) -> bool {
        self.choice != Choice::Everyone
    }

    /// Among whom to choose again, should its member let go of it now.
    pub(super) fn choice_if_movable(&self) -> Option<Choice> {
        (!self.started && self.is_chosen()).then(|| self.choice.clone())
    }

    /// The thread of its member.
    pub(super) fn thread(&self) -> u32 {
        self.member.endpoint().thread()
    }

    /// Its member gets a delivery of it: to whom that goes, and for which listeners.
    pub(super) fn hand_over(&mut self) -> (Arc<Member>, Arc<[ListenerId]>) {
        self.in_flight = true;
        (self.member.clone(), self.listeners.clone())
    }

    /// It is another listener's from now on.
    pub(super) fn move_to(&mut self, member: &Arc<Member>, listener: ListenerId) {
        self.member = member.clone();
        self.listeners = [listener].into();
    }

    /// Its listeners are about to be called. Returns false if all have settled.
    pub(super) fn start(&mut self) -> bool {
        if self.is_settled() {
            return false;
        }
        self.started = true;
        true
    }

    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Its member has let go of it.
    pub(super) fn let_go(&mut self) {
        if std::mem::replace(&mut self.in_flight, false) {
            self.member.done(1);
        }
    }

    pub(super) fn listeners(&self) -> u32 {
        u32::try_from(self.listeners.len()).unwrap_or(u32::MAX)
    }

    /// Returns false if this listener had settled before.
    pub(super) fn settle(&mut self, index: u32) -> bool {
        let index = index as usize;
        if self.is_settled() || index >= self.listeners.len() {
            return false;
        }
        if self.listeners.len() > 1 {
            if self.settled.is_empty() {
                self.settled = vec![false; self.listeners.len()];
            }
            if std::mem::replace(&mut self.settled[index], true) {
                return false;
            }
        }
        self.unsettled -= 1;
        true
    }

    /// Settles all listeners that have not. Returns how many.
    pub(super) fn settle_rest(&mut self) -> u32 {
        std::mem::take(&mut self.unsettled)
    }

    /// Whether all listeners have settled.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// The first listener that has not settled.
    pub(super) fn first_unsettled(&self) -> u32 {
        let at = self.settled.iter().position(|settled| !settled).unwrap_or(0);
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
