//! A recipient of a dispatch: the listeners of one member that are addressed, and which of them have settled.
//! A recipient that was chosen among several may move to another listener until it starts.

use std::sync::Arc;

use super::Party;
use crate::engine::capacity::{Bound, Crossed};
use crate::engine::ids::ListenerId;
use crate::engine::outcome::FailureKind;

/// The candidates that the listeners of a recipient were chosen among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// No choice: every listener without a group.
    Everyone,
    /// The members of a group.
    Group(Arc<str>),
    /// All listeners.
    Any,
}

impl Choice {
    pub(in crate::engine) fn allows(&self, group: &Option<Arc<str>>) -> bool {
        match self {
            Choice::Everyone => group.is_none(),
            Choice::Group(name) => group.as_ref() == Some(name),
            Choice::Any => true,
        }
    }
}

/// The listeners of one member that are addressed. See the [module](self).
pub(in crate::engine) struct Recipient<P: Party> {
    member: Arc<P>,
    listeners: Arc<[ListenerId]>,
    choice: Choice,
    /// The bound that leaves no room is the error.
    room: Result<(), Bound>,
    /// True if `once` listeners were claimed for it.
    has_claimed: bool,
    /// How often it moved: a delivery that was made before knows nothing of it any more.
    moves: u32,
    /// Of an event with a key, while it is in flight. Few have one, so it is not to make all others larger.
    in_line: Option<Box<P::InLine>>,
    /// True if the event has a key.
    has_key: bool,
    /// True while its member has a delivery of it, or will have: that is counted, and room is taken for it.
    in_flight: bool,
    started: bool,
    /// True if it was started by being sent to another process, and its listeners are not known to have been called.
    is_on_its_way: bool,
    /// Token of its member, if that [follows](super::following) it.
    follower: Option<u32>,
    /// Its end if nobody else gets it, where its member has [refused](super::Delivery::refuse) it.
    refusal: Option<Box<Refusal>>,
    /// By listener; empty before the first settled.
    settled: Vec<bool>,
    unsettled: u32,
}

/// The end of listeners that were not called.
pub(super) enum Refusal {
    Fail(FailureKind),
    Skip,
}

impl Refusal {
    /// Returns whether its listener, or thread, was gone.
    pub(super) fn is_for_absence(&self) -> bool {
        matches!(self, Refusal::Skip | Refusal::Fail(FailureKind::ThreadExited))
    }
}

/// Room that was given back, of which others may have to be told.
pub(in crate::engine) struct Freed<P: Party> {
    member: Arc<P>,
    crossed: Crossed,
    in_line: Option<Box<P::InLine>>,
}

impl<P: Party> Freed<P> {
    /// Notifies those that wait for the room, or for the event. With no lock held.
    pub(in crate::engine) fn tell(self) {
        self.member.has_room(self.crossed);
        self.in_line.into_iter().for_each(|in_line| P::end(*in_line));
    }
}

impl<P: Party> Recipient<P> {
    pub(in crate::engine) fn new(
        member: Arc<P>,
        listeners: Arc<[ListenerId]>,
        choice: Choice,
        room: Result<(), Bound>,
        has_claimed: bool,
    ) -> Self {
        let unsettled = u32::try_from(listeners.len()).unwrap_or(u32::MAX);
        Recipient {
            member,
            listeners,
            choice,
            room,
            has_claimed,
            moves: 0,
            in_line: None,
            has_key: false,
            in_flight: false,
            started: false,
            is_on_its_way: false,
            follower: None,
            refusal: None,
            settled: Vec::new(),
            unsettled,
        }
    }

    /// Returns it with the place in line of an event with a key, if it has one.
    pub(in crate::engine) fn with_place_in_line(mut self, in_line: Option<P::InLine>) -> Self {
        self.has_key = in_line.is_some();
        self.in_line = in_line.map(Box::new);
        self
    }

    /// Gives it the place in line for its next member.
    pub(super) fn in_line(&mut self, in_line: Option<P::InLine>) {
        self.in_line = in_line.map(Box::new);
    }

    /// Returns the place in line of an event with a key, while it is in flight.
    pub(super) fn place_in_line(&self) -> Option<&P::InLine> {
        self.in_line.as_deref()
    }

    /// Returns whether the event has a key. Then it goes to another member only with those before and behind it.
    pub(super) fn has_key(&self) -> bool {
        self.has_key
    }

    pub(in crate::engine) fn listeners(&self) -> u32 {
        u32::try_from(self.listeners.len()).unwrap_or(u32::MAX)
    }

    /// Returns whether there was room for it.
    pub(super) fn has_room(&self) -> bool {
        self.room.is_ok()
    }

    /// Returns the bound that left no room for it.
    pub(super) fn exceeded(&self) -> Option<Bound> {
        self.room.err()
    }

    /// Returns whether its listeners were chosen among several.
    pub(in crate::engine) fn is_chosen(&self) -> bool {
        self.choice != Choice::Everyone
    }

    /// Returns the candidates for another choice, should its member let go of it now.
    pub(super) fn choice_if_movable(&self) -> Option<Choice> {
        let may_move = !self.started && self.is_chosen() && !self.is_settled();
        may_move.then(|| self.choice.clone())
    }

    /// Returns the member that holds a delivery of it, if another may have it: it has not started, was chosen among
    /// several, and is not [bound](Self::is_bound).
    pub(super) fn victim(&self) -> Option<&Arc<P>> {
        let may_move = self.in_flight && self.choice_if_movable().is_some() && !self.is_bound();
        may_move.then_some(&self.member)
    }

    /// Returns whether it has to stay with its member: a listener was claimed for it, of which that one is to know.
    pub(super) fn is_bound(&self) -> bool {
        self.has_claimed && self.refusal.is_none() && !self.member.is_gone()
    }

    /// Returns whether it waits in the line of a key, and its member is gone.
    pub(super) fn is_left_behind(&self) -> bool {
        self.in_line.is_some()
            && self.refusal.is_none()
            && self.choice_if_movable().is_some()
            && self.member.is_gone()
    }

    /// Returns how often it moved.
    pub(super) fn moves(&self) -> u32 {
        self.moves
    }

    pub(in crate::engine) fn member(&self) -> &Arc<P> {
        &self.member
    }

    pub(super) fn ids(&self) -> &Arc<[ListenerId]> {
        &self.listeners
    }

    /// Counts it as in flight: its member will get a delivery of it.
    pub(super) fn take_on(&mut self) {
        self.in_flight = true;
        self.member.take_on(1);
    }

    /// Makes it another listener's, in flight for its member.
    pub(super) fn move_to(
        &mut self,
        member: &Arc<P>,
        listeners: Arc<[ListenerId]>,
        has_claimed: bool,
    ) {
        self.member = member.clone();
        self.listeners = listeners;
        self.has_claimed = has_claimed;
        self.refusal = None;
        self.moves = self.moves.wrapping_add(1);
        self.take_on();
    }

    /// Notes that its listeners are about to be called. Returns false if all have settled.
    pub(super) fn start(&mut self) -> bool {
        if self.is_settled() {
            return false;
        }
        self.started = true;
        true
    }

    pub(super) fn follow(&mut self, token: u32) {
        self.follower = Some(token);
    }

    /// Returns the token of a member that follows it, which it does no more.
    pub(super) fn unfollow(&mut self) -> Option<u32> {
        self.follower.take()
    }

    pub(super) fn is_followed(&self) -> bool {
        self.follower.is_some()
    }

    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Gives back its room: its member has let go of it, or need not begin with it any more.
    #[must_use]
    pub(super) fn let_go(&mut self, bytes: usize) -> Option<Freed<P>> {
        if !std::mem::replace(&mut self.in_flight, false) {
            return None;
        }
        let (crossed, in_line) = (self.member.let_go(1, bytes), self.in_line.take());
        let is_news = crossed != Crossed::Nothing || in_line.is_some();
        is_news.then(|| Freed { member: self.member.clone(), crossed, in_line })
    }

    /// Settles one listener. Returns false if it had settled before.
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

    pub(super) fn note_way(&mut self, is_on_its_way: bool) {
        self.is_on_its_way = is_on_its_way;
    }

    /// Returns whether its listeners are known to have been called.
    pub(super) fn was_reached(&self) -> bool {
        self.started && !self.is_on_its_way
    }

    /// Takes back that its listeners were about to be called: they were not.
    pub(super) fn unstart(&mut self, refusal: Refusal) {
        (self.started, self.is_on_its_way) = (false, false);
        self.refusal = Some(Box::new(refusal));
    }

    pub(super) fn take_refusal(&mut self) -> Option<Refusal> {
        self.refusal.take().map(|refusal| *refusal)
    }

    /// Returns the indexes of the listeners that have not settled.
    pub(super) fn unsettled(&self) -> Vec<u32> {
        let count = if self.is_settled() { 0 } else { self.listeners() };
        let is_open = |at: &u32| !self.settled.get(*at as usize).copied().unwrap_or(false);
        (0..count).filter(is_open).collect()
    }

    /// Settles all listeners that have not. Returns their number.
    pub(super) fn settle_rest(&mut self) -> u32 {
        std::mem::take(&mut self.unsettled)
    }

    /// Returns whether all listeners have settled.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// Returns whether a listener was claimed for it.
    pub(super) fn has_claimed(&self) -> bool {
        self.has_claimed
    }

    /// Returns whether its member need not even hear of it: all listeners have settled, and none was claimed, of which
    /// its member would have to know.
    pub(super) fn is_over(&self) -> bool {
        self.is_settled() && !self.has_claimed
    }

    /// Returns the first listener that has not settled.
    pub(super) fn first_unsettled(&self) -> u32 {
        let at = self.settled.iter().position(|settled| !settled).unwrap_or(0);
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
