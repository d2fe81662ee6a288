//! The members of a channel, as events in flight know them.

use std::sync::Arc;

use super::Delivery;
use super::dispatch::Dispatch;
use super::recipient::Choice;
use crate::engine::capacity::Crossed;
use crate::engine::fates::Fate;
use crate::engine::outcome::{FailureKind, Loss, Outcome, Report, Step};
use crate::engine::payload::Payload;

/// The member that had an event before it goes to another one.
pub struct Former<'a, P: Party> {
    /// Which.
    pub member: &'a P,
    /// True if it had accepted the event, and is gone. Then the event may exceed the bound of another mailbox.
    pub is_gone: bool,
}

impl<P: Party> Clone for Former<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Party> Copy for Former<'_, P> {}

/// A member of a channel: the emitter of an event, or a recipient. All that is in flight reaches its members, and
/// the route of its event, through this trait.
///
/// The methods are called with no lock of a delivery held, if they do not say otherwise.
pub trait Party: Send + Sync + Sized + 'static {
    /// The route of an event: its name, and its listeners.
    type Route: Send + Sync;

    /// An event with a key that is in flight.
    type InLine: Send;

    /// Notes that an event with a key is not in flight any more.
    fn end(in_line: Self::InLine);

    /// Returns whether its thread has ended. Any lock may be held.
    fn is_gone(&self) -> bool;

    /// Gives deliveries of a key to other members: their member is gone. This one had not started, and is let go of
    /// first. Those that nobody takes fail.
    fn left_behind(route: &Arc<Self::Route>, delivery: &Delivery<Self>);

    /// Takes a delivery of an event with a key that another process had, and has not started, because its listener is
    /// gone.
    fn refused(route: &Arc<Self::Route>, delivery: Delivery<Self>);

    /// Returns the name of the event of a route.
    fn event(route: &Self::Route) -> &Arc<str>;

    /// Notes that it starts one of its deliveries.
    fn starts(&self);

    /// Gives a recipient to another listener of the route, because a member let go of it before it started. Returns
    /// false if no other member has a listener, and room.
    fn choose_again(
        route: &Arc<Self::Route>,
        dispatch: &Arc<Dispatch<Self>>,
        recipient: u32,
        choice: &Choice,
        from: Former<'_, Self>,
    ) -> bool;

    /// Returns the thread that others name the member by.
    fn thread(&self) -> u32;

    /// Counts listeners of an event of the member, which have settled. Any lock may be held.
    fn became(&self, route: &Self::Route, fate: Fate, listeners: u32);

    /// Counts events that the member has begun to emit.
    fn began(&self, events: usize);

    /// Counts events of the member that have settled, and the listeners of them that failed. Wakes its endpoint with
    /// the last event: somebody may wait for nothing to be pending.
    fn ended(&self, events: usize, failed: u32);

    /// Counts a dispatch of the member that has settled, and reports its outcome.
    fn settled(self: &Arc<Self>, outcome: Outcome, report: Report);

    /// Reports a step of a dispatch of the member.
    fn stepped(self: &Arc<Self>, token: u32, step: Step);

    /// Notifies the endpoint of the member that the emitter has cancelled a dispatch that the member has started.
    fn cancelled(&self, dispatch: &Arc<Dispatch<Self>>);

    /// Returns why events fail that the member let go of.
    fn reason_of_loss(&self) -> FailureKind;

    /// Notifies the endpoint of the member that an event of its own was lost. `payload` is called if there is room
    /// for the arguments.
    fn lost(self: &Arc<Self>, loss: Loss<'_>, payload: impl FnOnce() -> Option<Payload>);

    /// Has a follower [told](Self::tell_over) when the thread of this member, the emitter, ends. Returns false if it
    /// has.
    #[must_use = "false means that it has ended"]
    fn follow(&self, follower: &Self, token: u32) -> bool;

    /// Takes [`follow`](Self::follow) back.
    fn unfollow(&self, follower: &Self, token: u32);

    /// Notifies the endpoint of the member that nobody waits any more for listeners that it
    /// [follows](super::Delivery::follow) the event for.
    fn tell_over(&self, token: u32, kind: FailureKind);

    /// Counts deliveries that are about to be made to the member. Any lock may be held.
    fn take_on(&self, deliveries: usize);

    /// Counts events that the member let go of, and gives back their room. Any lock may be held. The result is for
    /// [`has_room`](Self::has_room).
    fn let_go(&self, events: usize, bytes: usize) -> Crossed;

    /// Notifies the members that wait for room, if the change of room concerns them.
    fn has_room(&self, crossed: Crossed);
}
