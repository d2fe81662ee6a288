//! A recipient of a dispatch: the listeners of one member that are addressed, and which of them have
//! settled. One whose listener was chosen among several may move to another until it starts.

use std::sync::Arc;

use crate::engine::capacity::Crossed;
use crate::engine::channel::endpoint::Endpoint;
use crate::engine::channel::member::Member;
use crate::engine::channel::route::ListenerId;

/// Among whom the listeners of a recipient were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Not at all: every listener without a group.
    Everyone,
    /// The members of a group.
    Group(Arc<str>),
    /// Whoever listens.
    Any,
}

impl Choice {
    pub(crate) fn allows(&self, group: &Option<Arc<str>>) -> bool {
        match self {
            Choice::Everyone => group.is_none(),
            Choice::Group(name) => group.as_ref() == Some(name),
            Choice::Any => true,
        }
    }
}

/// The listeners of one member that are addressed.
pub(crate) struct Recipient {
    member: Arc<Member>,
    listeners: Arc<[ListenerId]>,
    choice: Choice,
    has_room: bool,
    /// `once` listeners are among its listeners, and were claimed for it.
    has_claimed: bool,
    /// Its member has a delivery of it, or will have, counts that, and room is taken for it.
    in_flight: bool,
    started: bool,
    /// By listener; empty before the first settled.
    settled: Vec<bool>,
    unsettled: u32,
}

/// Room of a member that was given back, so that others may have to be told.
pub(crate) struct Freed {
    member: Arc<Member>,
    crossed: Crossed,
}

impl Freed {
    /// With no lock held.
    pub(crate) fn tell(self) {
        self.member.channel().gave_back(&self.member, self.crossed);
    }
}

impl Recipient {
    pub(crate) fn new(
        member: Arc<Member>,
        listeners: Arc<[ListenerId]>,
        choice: Choice,
        has_room: bool,
        has_claimed: bool,
    ) -> Self {
        let unsettled = u32::try_from(listeners.len()).unwrap_or(u32::MAX);
        Recipient {
            member,
            listeners,
            choice,
            has_room,
            has_claimed,
            in_flight: false,
            started: false,
            settled: Vec::new(),
            unsettled,
        }
    }

    /// Whether there was room for it.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room
    }

    /// Whether its listeners were chosen among several.
    pub(crate) fn is_chosen(&self) -> bool {
        self.choice != Choice::Everyone
    }

    /// Among whom to choose again, should its member let go of it now.
    pub(crate) fn choice_if_movable(&self) -> Option<Choice> {
        let may_move = !self.started && self.is_chosen() && !self.is_settled();
        may_move.then(|| self.choice.clone())
    }

    /// The endpoint of its member.
    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        self.member.endpoint()
    }

    /// The thread of its member.
    pub(crate) fn thread(&self) -> u32 {
        self.member.endpoint().thread()
    }

    /// Its member will get a delivery of it: from now on it is in flight, and its room is in use.
    pub(crate) fn take_on(&mut self) {
        self.in_flight = true;
        self.member.taken_on(1);
    }

    /// To whom the delivery goes, and for which listeners.
    pub(crate) fn hand_over(&self) -> (Arc<Member>, Arc<[ListenerId]>) {
        (self.member.clone(), self.listeners.clone())
    }

    /// It is another listener's from now on, and in flight for its member.
    pub(crate) fn move_to(
        &mut self,
        member: &Arc<Member>,
        listener: ListenerId,
        has_claimed: bool,
    ) {
        self.member = member.clone();
        self.listeners = [listener].into();
        self.has_claimed = has_claimed;
        self.take_on();
    }

    /// Its listeners are about to be called. Returns false if all have settled.
    pub(crate) fn start(&mut self) -> bool {
        if self.is_settled() {
            return false;
        }
        self.started = true;
        true
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started
    }

    /// Its member has let go of it, or need not begin with it any more. Gives back its room, of which whoever
    /// waits for it is to be told with no lock held.
    #[must_use]
    pub(crate) fn let_go(&mut self, bytes: usize) -> Option<Freed> {
        if !std::mem::replace(&mut self.in_flight, false) {
            return None;
        }
        self.member.done(1);
        match self.member.capacity().give_back(1, bytes) {
            Crossed::Nothing => None,
            crossed => Some(Freed { member: self.member.clone(), crossed }),
        }
    }

    pub(crate) fn listeners(&self) -> u32 {
        u32::try_from(self.listeners.len()).unwrap_or(u32::MAX)
    }

    /// Returns false if this listener had settled before.
    pub(crate) fn settle(&mut self, index: u32) -> bool {
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
    pub(crate) fn settle_rest(&mut self) -> u32 {
        std::mem::take(&mut self.unsettled)
    }

    /// Whether all listeners have settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// Whether a listener was claimed for it.
    pub(crate) fn has_claimed(&self) -> bool {
        self.has_claimed
    }

    /// Whether its member need not even hear of it: all listeners have settled, and none was claimed, which
    /// is for its member to know.
    pub(crate) fn is_over(&self) -> bool {
        self.is_settled() && !self.has_claimed
    }

    /// The first listener that has not settled.
    pub(crate) fn first_unsettled(&self) -> u32 {
        let at = self.settled.iter().position(|settled| !settled).unwrap_or(0);
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
