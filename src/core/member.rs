//! A place in a channel: what one bus of one endpoint listens to, and what it has in flight.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::channel::Channel;
use super::endpoint::{Endpoint, Letter};
use super::metrics;
use super::outcome::Lost;
use super::quota::{Limits, Quota};
use super::route::{ListenerId, ListenerOptions, Route};
use super::sync::{AtomicUsize, Mutex, Ordering, lock};

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
    quota: Quota,
    /// What it listens to; None when it has left.
    listeners: Mutex<Option<HashMap<ListenerId, Arc<Route>>>>,
    /// Deliveries that were made to it and not let go of yet, queued or running.
    in_flight: AtomicUsize,
    /// Dispatches of its own that have not settled, and posts, one for each member they went to.
    pending: AtomicUsize,
    /// Letters about its own events that its endpoint has not read.
    untold: AtomicUsize,
    /// Listeners of others that its events were addressed to.
    addressed: AtomicUsize,
    /// Those of them that did not succeed.
    failed: AtomicUsize,
    /// 1 while it waits to be told that nothing much waits on the channel.
    waits_for_room: AtomicUsize,
    _counted: metrics::Counted,
}

impl Member {
    pub(super) fn new(channel: Arc<Channel>, endpoint: Arc<Endpoint>, limits: Limits) -> Arc<Self> {
        Arc::new(Member {
            id: MemberId(LAST_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1),
            channel,
            endpoint,
            quota: Quota::new(limits),
            listeners: Mutex::new(Some(HashMap::new())),
            in_flight: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            untold: AtomicUsize::new(0),
            addressed: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            waits_for_room: AtomicUsize::new(0),
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

    /// What waits for it.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Listens to an event. `id` names the listener within this endpoint; it may be used again when
    /// the listener was removed and [forgotten](Letter::Forget). Everybody's next event finds it.
    /// An id that is in use is taken from the listener that it named. A member that has left listens
    /// to nothing any more.
    pub fn listen(self: &Arc<Self>, event: &str, id: ListenerId, options: ListenerOptions) {
        let route = self.channel.route(event);
        self.channel.change(|| self.add(route, id, options));
    }

    fn add(self: &Arc<Self>, route: Arc<Route>, id: ListenerId, options: ListenerOptions) {
        // Held until the route has it too: whoever leaves meanwhile, on another thread, must not
        // leave behind a listener that nobody answers for.
        let mut listeners = lock(&self.listeners);
        if let Some(listeners) = listeners.as_mut() {
            if let Some(before) = listeners.remove(&id) {
                before.remove(self, id);
            }
            route.add(self, id, options);
            listeners.insert(id, route);
        }
    }

    /// Removes a listener. Returns whether [`Letter::Forget`] will come for it: events that were
    /// emitted before may be waiting. Otherwise nothing more is addressed to it.
    #[must_use = "true means that the id is still in use"]
    pub fn unlisten(self: &Arc<Self>, id: ListenerId) -> bool {
        let route = lock(&self.listeners).as_mut().and_then(|listeners| listeners.remove(&id));
        if let Some(route) = route {
            self.channel.change(|| route.remove(self, id));
        }
        let mailbox = self.endpoint.mailbox();
        !mailbox.is_empty() && mailbox.post(Letter::Forget(id)).is_ok()
    }

    /// Leaves the channel: nothing more is addressed to it. What waits for it already stays.
    pub fn leave(self: &Arc<Self>) {
        let listeners = lock(&self.listeners).take();
        let listeners = listeners.into_iter().flatten();
        self.channel.change(|| listeners.for_each(|(id, route)| route.remove(self, id)));
        self.channel.exit(self);
        self.endpoint.forget(self);
        self.channel.prune();
        // What waits for it no longer stands in anybody's way.
        self.channel.tell_drained();
    }

    /// Whether it has left the channel, by itself or with its endpoint.
    pub fn has_left(&self) -> bool {
        lock(&self.listeners).is_none()
    }

    /// Deliveries that it has not let go of.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Dispatches of its own that have not settled, and posts, one for each member they went to.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// Whether nothing of its own is pending, and its endpoint has read what became of it all.
    pub fn is_idle(&self) -> bool {
        // In this order: a letter is queued before what it tells of is no longer pending.
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

    /// Asks for one [`Letter::Drained`] when no other endpoint of the channel has much waiting.
    pub fn wait_for_room(&self) {
        // A swap as the one that takes it back, for loom, which does not order a store before one.
        self.waits_for_room.swap(1, Ordering::AcqRel);
        // It may have become so before anybody knew that someone waits.
        self.channel.tell_drained();
    }

    /// So many deliveries are about to be made to it, or it took one on itself.
    pub(super) fn taken_on(&self, count: usize) {
        self.in_flight.fetch_add(count, Ordering::AcqRel);
    }

    /// It let go of so many that it [took on](super::route::Own).
    pub fn done(&self, count: usize) {
        self.in_flight.fetch_sub(count, Ordering::AcqRel);
    }

    pub(super) fn stop_waiting_for_room(&self) -> bool {
        self.waits_for_room.swap(0, Ordering::AcqRel) == 1
    }

    pub(super) fn enter(self: &Arc<Self>) {
        self.channel.enter(self.clone());
    }

    /// So many messages that waited for it, with so many bytes, were collected.
    pub(super) fn collected(&self, messages: usize, bytes: usize) {
        let was_low = self.quota.is_low();
        self.quota.give_back(messages, bytes);
        if !was_low && self.quota.is_low() {
            self.channel.tell_drained();
        }
    }

    /// Tells its endpoint of an event of its own that was lost.
    pub(super) fn tell_of(self: &Arc<Self>, lost: Lost) {
        let letter = Letter::Lost { emitter: self.id, lost, untold: Untold::new(self) };
        // An endpoint that is gone has nobody to tell.
        let _ = self.endpoint.mailbox().post(letter);
    }

    pub(super) fn addresses(&self, listeners: usize) {
        self.addressed.fetch_add(listeners, Ordering::AcqRel);
    }

    pub(super) fn began(&self, count: usize) {
        self.pending.fetch_add(count, Ordering::AcqRel);
    }

    /// So many of its dispatches and posts settled. Wakes its endpoint with the last one: somebody
    /// may wait for nothing to be pending.
    pub(super) fn ended(&self, count: usize, failed: u32) {
        self.failed.fetch_add(failed as usize, Ordering::AcqRel);
        if self.pending.fetch_sub(count, Ordering::AcqRel) == count {
            // A closed mailbox has nobody who waits.
            let _ = self.endpoint.mailbox().nudge();
        }
    }
}

/// In a letter that tells of a member's own event: the member [is not idle](Member::is_idle) before the
/// letter was read, and dropped.
pub struct Untold(Arc<Member>);

impl Untold {
    pub(super) fn new(member: &Arc<Member>) -> Self {
        member.untold.fetch_add(1, Ordering::AcqRel);
        Untold(member.clone())
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        self.0.untold.fetch_sub(1, Ordering::AcqRel);
    }
}
