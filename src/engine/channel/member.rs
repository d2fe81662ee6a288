//! A place in a channel: the listeners of one bus of one endpoint, and its events in flight.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};

use super::endpoint::Endpoint;
use super::losses::Losses;
use super::message::{Message, Notice};
use super::queue::Queue;
use super::route::{ListenerOptions, Route};
use crate::engine::capacity::{Bound, Capacity, MailboxLimits};
use crate::engine::channel::Channel;
use crate::engine::fates::{Counts, Fates};
use crate::engine::ids::{ListenerId, MemberId};
use crate::engine::metrics;
use crate::engine::sync::{AtomicUsize, Mutex, Ordering, lock};

static LAST_ID: AtomicU32 = AtomicU32::new(0);

/// A place in a channel. See the [module](self).
pub struct Member {
    id: MemberId,
    pub(super) channel: Arc<Channel>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) capacity: Capacity,
    /// The bound of what it and the other members of its group have in all, if there is one.
    pub(super) queue: OnceLock<Queue>,
    /// Routes that it listens to, by listener; None when it has left.
    listeners: Mutex<Option<HashMap<ListenerId, Arc<Route>>>>,
    /// Deliveries that were made to it and not let go of yet, queued or running.
    pub(super) in_flight: AtomicUsize,
    /// Events of its own among them, for listeners of its own.
    own: AtomicUsize,
    /// Dispatches of its own that have not settled, and untracked events, one for each member they went to.
    pub(super) pending: AtomicUsize,
    /// Events of others for it, where it is of another process: these do not go through here.
    elsewhere: AtomicUsize,
    /// Messages about its own events that its endpoint has not read.
    pub(super) untold: AtomicUsize,
    /// Its events that were lost, as far as its endpoint has not read of it.
    pub(super) losses: Losses,
    /// Threads with a stall that its endpoint has not read of.
    pub(super) stalls: Mutex<HashSet<u32>>,
    /// Events for which it [waits](super::listening) for a listener.
    pub(super) awaits: Mutex<HashSet<Arc<str>>>,
    /// Listeners of others that its events were addressed to.
    addressed: AtomicUsize,
    /// Those of them that have settled, and how.
    pub(super) fates: Fates,
    /// Events that were delivered to it.
    pub(super) received: AtomicUsize,
    /// Those of them that did not succeed.
    pub(super) failed: AtomicUsize,
    _counted: metrics::Counted,
}

impl Member {
    pub(super) fn new(
        channel: Arc<Channel>,
        endpoint: Arc<Endpoint>,
        limits: MailboxLimits,
    ) -> Arc<Self> {
        Arc::new(Member {
            id: MemberId(LAST_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1),
            channel,
            endpoint,
            capacity: Capacity::new(limits),
            queue: OnceLock::new(),
            listeners: Mutex::new(Some(HashMap::new())),
            in_flight: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            elsewhere: AtomicUsize::new(0),
            untold: AtomicUsize::new(0),
            losses: Losses::default(),
            stalls: Mutex::new(HashSet::new()),
            awaits: Mutex::new(HashSet::new()),
            addressed: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            own: AtomicUsize::new(0),
            fates: Fates::default(),
            received: AtomicUsize::new(0),
            _counted: metrics::MEMBERS.count(),
        })
    }

    /// Its name.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// Returns the channel it is in.
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Returns the endpoint that it belongs to.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Bounds what waits for the members of its group, which have the same bound. The first call counts.
    pub fn bound_queue(&self, queue: Queue) {
        let _ = self.queue.set(queue);
    }

    /// Returns the room of its unsettled events.
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
        self.channel.tell_of_listener(event);
    }

    fn add(self: &Arc<Self>, route: Arc<Route>, id: ListenerId, options: ListenerOptions) {
        // Held until the route has it too: to leave meanwhile, on another thread, must not leave behind a
        // listener that nobody accounts for.
        let mut listeners = lock(&self.listeners);
        if let Some(listeners) = listeners.as_mut() {
            if let Some(before) = listeners.remove(&id) {
                let _ = before.remove(self, id);
            }
            route.add(self, id, options);
            listeners.insert(id, route);
        }
    }

    /// Removes a listener. From now on nothing is addressed to it; earlier events may still come.
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

    /// Leaves the channel: nothing more is addressed to it. Events that wait for it already stay.
    pub fn leave(self: &Arc<Self>) {
        let listeners = lock(&self.listeners).take().unwrap_or_default();
        let routes: Vec<_> = listeners.into_values().collect();
        if !routes.is_empty() {
            self.channel.change(|| routes.iter().for_each(|route| route.remove_all(self)));
        } else if let Some(burst) = self.endpoint.burst() {
            // To others nothing has changed. Its own events reach nobody any more.
            burst.invalidate();
        }
        self.await_nothing();
        self.channel.exit(self);
        self.endpoint.forget(self);
        self.channel.let_go(routes);
    }

    /// Returns whether it has left the channel, by itself or with its endpoint.
    pub fn has_left(&self) -> bool {
        lock(&self.listeners).is_none()
    }

    /// Deliveries that it has not let go of.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Notes how many events it has in flight, of those that its process got from elsewhere than here.
    pub fn set_load_elsewhere(&self, events: usize) {
        self.elsewhere.store(events, Ordering::Release);
    }

    pub(super) fn load_elsewhere(&self) -> usize {
        self.elsewhere.load(Ordering::Acquire)
    }

    /// Dispatches of its own that have not settled, and untracked events, one for each member they went to.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// Returns whether nothing of its own is pending, and its endpoint has read of all outcomes.
    pub fn is_idle(&self) -> bool {
        // In this order: the message about an event is queued before the event is no longer pending.
        self.pending() == 0 && self.untold.load(Ordering::Acquire) == 0
    }

    /// Listeners of others that its events were addressed to.
    pub fn addressed(&self) -> usize {
        self.addressed.load(Ordering::Acquire)
    }

    /// Returns the number of those of them that did not succeed.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Acquire)
    }

    /// Returns the numbers of listeners of others that its events were addressed to, by fate.
    pub fn fates(&self) -> Counts {
        self.fates.counts()
    }

    /// Returns the number of events that were delivered to it, those that are queued or running included.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns the number of events of others that were delivered to it, and that it has not let go of.
    pub fn unsettled(&self) -> usize {
        self.in_flight().saturating_sub(self.own.load(Ordering::Acquire))
    }

    /// Asks for one [`Notice::Drained`] when members of other endpoints have room again. To ask more than
    /// once, because several wait, still brings one.
    pub fn wait_for_room(&self) {
        self.channel.wait_for_room(self);
    }

    /// Returns how often it has [asked](Self::wait_for_room), if it still waits.
    pub fn asked_for_room(&self) -> usize {
        self.channel.asked_for_room(self)
    }

    /// Notes how often it has [asked](Self::wait_for_room) in its own process, which is another one.
    pub fn set_wait_elsewhere(&self, asked: usize) {
        self.channel.wait_elsewhere(self, asked);
    }

    /// Lets go of so many that it [took on](super::route::Own).
    pub fn done(&self, count: usize) {
        self.own.fetch_sub(count, Ordering::AcqRel);
        self.in_flight.fetch_sub(count, Ordering::AcqRel);
    }

    /// Counts an event of its own that was assigned to a listener of its own, until it is [done](Self::done).
    pub(super) fn take_own(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.own.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn enter(self: &Arc<Self>) {
        self.channel.enter(self.clone());
    }

    /// Takes room for an event with so many bytes. The error is the bound that leaves none.
    pub(super) fn take_room(&self, bytes: usize) -> Result<(), Bound> {
        let crossed = self.capacity.take(bytes)?;
        self.channel.took(self, crossed);
        Ok(())
    }

    /// Takes room for an event that another member had, which is gone. That may exceed the bound.
    pub(super) fn take_over_room(&self, bytes: usize, from: &Member) -> Result<(), Bound> {
        let crossed = self.capacity.take_over(bytes, &from.capacity)?;
        self.channel.took(self, crossed);
        Ok(())
    }

    /// Gives back the room of so many events, with so many bytes. With no lock held.
    pub(super) fn give_back(&self, events: usize, bytes: usize) {
        self.channel.gave_back(self, self.capacity.give_back(events, bytes));
    }

    pub(super) fn addresses(&self, listeners: usize) {
        self.addressed.fetch_add(listeners, Ordering::AcqRel);
    }
}

/// The remains of a listener that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlistened {
    /// Nothing was ever addressed to it. Its id is free.
    Unused,
    /// All events that were addressed to it were collected. Its id is free when these are dealt with.
    Collected,
    /// [`Notice::Forget`] will come for it, behind the events that were addressed to it. Then its id is free.
    Waiting,
}
