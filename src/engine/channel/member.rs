//! A place in a channel: what one bus of one endpoint listens to, and what it has in flight.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::endpoint::Endpoint;
use super::losses::{Charge, Loss, Losses, Note};
use super::message::{Message, Notice};
use super::route::{ListenerId, ListenerOptions, Route};
use crate::engine::capacity::{Capacity, Crossed, MailboxLimits};
use crate::engine::channel::Channel;
use crate::engine::metrics;
use crate::engine::outcome::Lost;
use crate::engine::payload::Payload;
use crate::engine::sync::{AtomicUsize, Mutex, Ordering, lock};

/// Names one member for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u32);

impl MemberId {
    /// The bare number, for a side that can hold nothing else.
    pub fn as_u32(self) -> u32 {
        self.0
    }
}

static LAST_ID: AtomicU32 = AtomicU32::new(0);

/// A place in a channel. See the [module](self).
pub struct Member {
    id: MemberId,
    channel: Arc<Channel>,
    endpoint: Arc<Endpoint>,
    capacity: Capacity,
    /// What it listens to; None when it has left.
    listeners: Mutex<Option<HashMap<ListenerId, Arc<Route>>>>,
    /// Deliveries that were made to it and not let go of yet, queued or running.
    in_flight: AtomicUsize,
    /// Dispatches of its own that have not settled, and untracked events, one for each member they went to.
    pending: AtomicUsize,
    /// Messages about its own events that its endpoint has not read.
    untold: AtomicUsize,
    /// Its events that were lost, as far as its endpoint has not read of it.
    losses: Losses,
    /// Threads of whose stall its endpoint has not read.
    stalls: Mutex<HashSet<u32>>,
    /// Listeners of others that its events were addressed to.
    addressed: AtomicUsize,
    /// Those of them that did not succeed.
    failed: AtomicUsize,
    _counted: metrics::Counted,
}

impl Member {
    pub(crate) fn new(
        channel: Arc<Channel>,
        endpoint: Arc<Endpoint>,
        limits: MailboxLimits,
    ) -> Arc<Self> {
        Arc::new(Member {
            id: MemberId(LAST_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1),
            channel,
            endpoint,
            capacity: Capacity::new(limits),
            listeners: Mutex::new(Some(HashMap::new())),
            in_flight: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            untold: AtomicUsize::new(0),
            losses: Losses::default(),
            stalls: Mutex::new(HashSet::new()),
            addressed: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            _counted: metrics::MEMBERS.count(),
        })
    }

    /// Its name.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// The channel it is in.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whose place it is.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The room of its unsettled events.
    pub fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    /// Listens to an event. `id` names the listener within this endpoint; it may be used again when
    /// the listener was removed and [forgotten](Notice::Forget). Everybody's next event finds it.
    /// An id that is in use is taken from the listener that it named. A member that has left listens
    /// to nothing any more.
    pub fn listen(self: &Arc<Self>, event: &str, id: ListenerId, options: ListenerOptions) {
        let route = self.channel.route(event);
        self.channel.change(|| self.add(route, id, options));
    }

    fn add(self: &Arc<Self>, route: Arc<Route>, id: ListenerId, options: ListenerOptions) {
        // Held until the route has it too: whoever leaves meanwhile, on another thread, must not
        // leave behind a listener that nobody accounts for.
        let mut listeners = lock(&self.listeners);
        if let Some(listeners) = listeners.as_mut() {
            if let Some(before) = listeners.remove(&id) {
                let _ = before.remove(self, id);
            }
            route.add(self, id, options);
            listeners.insert(id, route);
        }
    }

    /// Removes a listener. From now on nothing is addressed to it; what was before may still come.
    pub fn unlisten(self: &Arc<Self>, id: ListenerId) -> Unlistened {
        let route = lock(&self.listeners).as_mut().and_then(|listeners| listeners.remove(&id));
        // Of one that it does not have, it may once have had it.
        let was_addressed =
            route.is_none_or(|route| self.channel.change(|| route.remove(self, id)));
        if !was_addressed {
            return Unlistened::Unused;
        }
        let mailbox = self.endpoint.mailbox();
        if !mailbox.is_empty() && mailbox.push(Message::Notice(Notice::Forget(id))).is_ok() {
            Unlistened::Waiting
        } else {
            Unlistened::Collected
        }
    }

    /// Leaves the channel: nothing more is addressed to it. What waits for it already stays.
    pub fn leave(self: &Arc<Self>) {
        let listeners = lock(&self.listeners).take().unwrap_or_default();
        let routes: Vec<_> = listeners.into_values().collect();
        if !routes.is_empty() {
            self.channel.change(|| routes.iter().for_each(|route| route.remove_all(self)));
        } else if let Some(burst) = self.endpoint.burst() {
            // To others nothing has changed. Its own events reach nobody any more.
            burst.invalidate();
        }
        self.channel.exit(self);
        self.endpoint.forget(self);
        self.channel.let_go(routes);
    }

    /// Whether it has left the channel, by itself or with its endpoint.
    pub fn has_left(&self) -> bool {
        lock(&self.listeners).is_none()
    }

    /// Deliveries that it has not let go of.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Dispatches of its own that have not settled, and untracked events, one for each member they went to.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// Whether nothing of its own is pending, and its endpoint has read what became of it all.
    pub fn is_idle(&self) -> bool {
        // In this order: a message is queued before what it tells of is no longer pending.
        self.pending() == 0 && self.untold.load(Ordering::Acquire) == 0
    }

    /// Listeners of others that its events were addressed to.
    pub fn addressed(&self) -> usize {
        self.addressed.load(Ordering::Acquire)
    }

    /// Those of them that did not succeed.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Acquire)
    }

    /// Asks for one [`Notice::Drained`] when members of other endpoints have room again. Whoever asks more
    /// than once, because several wait, is told once.
    pub fn wait_for_room(&self) {
        self.channel.wait_for_room(self);
    }

    /// So many deliveries are about to be made to it, or it took one on itself.
    pub(crate) fn taken_on(&self, count: usize) {
        self.in_flight.fetch_add(count, Ordering::AcqRel);
    }

    /// It let go of so many that it [took on](super::route::Own).
    pub fn done(&self, count: usize) {
        self.in_flight.fetch_sub(count, Ordering::AcqRel);
    }

    pub(crate) fn enter(self: &Arc<Self>) {
        self.channel.enter(self.clone());
    }

    /// Takes room for an event with so many bytes. False if there is none.
    #[must_use]
    pub(crate) fn take_room(&self, bytes: usize) -> bool {
        let taken = self.capacity.take(bytes);
        self.channel.took(self, taken.unwrap_or(Crossed::Nothing));
        taken.is_some()
    }

    /// Gives back the room of so many events, with so many bytes. With no lock held.
    pub(crate) fn give_back(&self, events: usize, bytes: usize) {
        self.channel.gave_back(self, self.capacity.give_back(events, bytes));
    }

    /// Tells its endpoint of an event of its own that was lost; `payload` is called if there is room to tell
    /// of its arguments.
    pub(crate) fn tell_of(
        self: &Arc<Self>,
        loss: Loss<'_>,
        payload: impl FnOnce() -> Option<Payload>,
    ) {
        let mut counted = None;
        let message = match self.losses.note(&loss, || counted = Some(Untold::new(self))) {
            Note::Single(charge) => {
                let lost = Lost {
                    event: Some(loss.event.clone()),
                    payload: payload(),
                    kind: loss.kind,
                    count: 1,
                    listeners: loss.listeners,
                    thread: Some(loss.thread),
                    started: loss.started,
                };
                self.message_about(lost, charge)
            }
            Note::FirstCounted => counted.map(|untold| Message::Notice(Notice::Losses(untold))),
            Note::Counted => None,
        };
        if let Some(message) = message {
            // An endpoint that is gone has nobody to tell.
            let _ = self.endpoint.mailbox().push(message);
        }
    }

    fn message_about(self: &Arc<Self>, lost: Lost, charge: Charge) -> Option<Message> {
        let mut untold = Untold::new(self);
        untold.charge = charge;
        Some(Message::Notice(Notice::Lost { emitter: self.id, lost: Box::new(lost), untold }))
    }

    /// The news of a stall of another thread, unless such news of that thread was not read yet.
    pub(crate) fn stall_of(
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

    pub(crate) fn addresses(&self, listeners: usize) {
        self.addressed.fetch_add(listeners, Ordering::AcqRel);
    }

    pub(crate) fn began(&self, count: usize) {
        if self.pending.fetch_add(count, Ordering::AcqRel) == 0 {
            self.endpoint.began();
        }
    }

    /// So many of its dispatches and untracked events settled. Wakes its endpoint with the last one: somebody
    /// may wait for nothing to be pending.
    pub(crate) fn ended(&self, count: usize, failed: u32) {
        self.failed.fetch_add(failed as usize, Ordering::AcqRel);
        if self.pending.fetch_sub(count, Ordering::AcqRel) == count {
            self.endpoint.ended();
            // A closed mailbox has nobody who waits.
            let _ = self.endpoint.mailbox().wake();
        }
    }
}

/// What is left of a listener that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlistened {
    /// Nothing was ever addressed to it. Its id is free.
    Unused,
    /// What was addressed to it, if anything, was collected. Its id is free when that is dealt with.
    Collected,
    /// [`Notice::Forget`] will come for it, behind what was addressed to it. Then its id is free.
    Waiting,
}

/// In a message that tells of a member's own event: the member [is not idle](Member::is_idle) before the
/// message was read, and dropped.
pub struct Untold {
    member: Arc<Member>,
    /// What the message takes of the budget for losses.
    charge: Charge,
}

impl Untold {
    pub(crate) fn new(member: &Arc<Member>) -> Self {
        member.untold.fetch_add(1, Ordering::AcqRel);
        Untold { member: member.clone(), charge: Charge::Nothing }
    }

    /// The messages about losses that were counted.
    pub(crate) fn of_losses(&self) -> impl Iterator<Item = Message> {
        let counted = self.member.losses.take().into_iter();
        counted.filter_map(|(lost, charge)| self.member.message_about(lost, charge))
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
    /// How many messages wait there.
    pub waiting: u32,
    /// For how long it has not looked, at least, in milliseconds.
    pub ms: u32,
}

impl Stall {
    /// The member that is told.
    pub fn member(&self) -> MemberId {
        self.member.id
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        lock(&self.member.stalls).remove(&self.thread);
    }
}
