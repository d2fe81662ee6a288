//! Channels by name: who is in them, and the route of each event.
//!
//! A channel exists while it has members. It is found by its name from every thread.

use std::collections::HashMap;
use std::sync::{self, Arc, LazyLock, PoisonError, Weak};

use super::endpoint::{Endpoint, Letter, Unsent};
use super::member::{Member, MemberId};
use super::route::Route;
use super::sync::{Mutex, lock};

type Channels = HashMap<Arc<str>, Weak<Channel>>;

/// The standard library's lock in every build: loom's objects do not outlive one run of a model.
static CHANNELS: LazyLock<sync::Mutex<Channels>> = LazyLock::new(Default::default);

/// At so many routes for the first time, those that are not needed are looked for.
const PRUNE_AT: usize = 64;

/// All members that joined under one name, and the routes of its events.
pub struct Channel {
    name: Arc<str>,
    members: Mutex<Vec<Arc<Member>>>,
    routes: Mutex<Routes>,
}

struct Routes {
    by_event: HashMap<Arc<str>, Arc<Route>>,
    /// At how many routes they are pruned next: twice as many as the last time left.
    prune_at: usize,
}

/// The channel of this name; a new one if nobody is in it.
pub(super) fn open(name: &str) -> Arc<Channel> {
    let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(channel) = channels.get(name).and_then(Weak::upgrade) {
        return channel;
    }
    let name: Arc<str> = name.into();
    let channel = Arc::new(Channel {
        name: name.clone(),
        members: Mutex::new(Vec::new()),
        routes: Mutex::new(Routes { by_event: HashMap::new(), prune_at: PRUNE_AT }),
    });
    channels.insert(name, Arc::downgrade(&channel));
    channel
}

impl Channel {
    /// The name it was opened by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The route of an event, from now on the same for everybody.
    pub fn route(&self, event: &str) -> Arc<Route> {
        let mut routes = lock(&self.routes);
        if let Some(route) = routes.by_event.get(event) {
            return route.clone();
        }
        let name: Arc<str> = event.into();
        let route = Arc::new(Route::new(name.clone()));
        routes.by_event.insert(name, route.clone());
        if routes.by_event.len() > routes.prune_at {
            routes.prune();
        }
        route
    }

    /// Forgets the routes that nobody listens to and nobody holds. Names of events may be without
    /// end (`reply:4711`), so whoever lets go of many routes asks for this; and new routes do, now
    /// and then.
    pub fn prune(&self) {
        lock(&self.routes).prune();
    }

    /// How many events have a route.
    pub fn routes(&self) -> usize {
        lock(&self.routes).by_event.len()
    }

    /// Whether a member of another endpoint has much waiting.
    pub fn is_congested(&self, except: &Arc<Endpoint>) -> bool {
        self.others(except).any(|member| member.quota().is_high())
    }

    pub(super) fn enter(&self, member: Arc<Member>) {
        lock(&self.members).push(member);
    }

    pub(super) fn exit(&self, member: &Arc<Member>) {
        lock(&self.members).retain(|other| !Arc::ptr_eq(other, member));
    }

    /// Changes who listens. What was emitted before is sent before, to those who listened then.
    pub(super) fn change<T>(&self, change: impl FnOnce() -> T) -> T {
        self.each_unsent(|unsent| unsent.send());
        let changed = change();
        // Asked anew: whoever has joined meanwhile may know who listened before.
        self.each_unsent(|unsent| unsent.outdate());
        changed
    }

    fn each_unsent(&self, act: impl Fn(&dyn Unsent)) {
        let mut all: Vec<Arc<dyn Unsent>> = Vec::new();
        for member in lock(&self.members).iter() {
            if let Some(unsent) = member.endpoint().unsent() {
                // The buses of one thread, which may be many, have mostly joined one after the other.
                if !all.last().is_some_and(|last| Arc::ptr_eq(last, unsent)) {
                    all.push(unsent.clone());
                }
            }
        }
        all.iter().for_each(|unsent| act(&**unsent));
    }

    /// Tells every member that waits for it that nothing much waits any more.
    pub(super) fn tell_drained(&self) {
        let members = lock(&self.members).clone();
        for member in members.iter().filter(|member| !self.is_congested(member.endpoint())) {
            if member.stop_waiting_for_room() {
                let _ = member.endpoint().mailbox().post(Letter::Drained(member.id()));
            }
        }
    }

    pub(super) fn tell_of_exit(&self, gone: &Endpoint) {
        self.tell(gone, |member| Letter::ThreadExit { member, thread: gone.thread() });
        // What waited there waits no more.
        self.tell_drained();
    }

    /// Posts a letter to every member of other endpoints.
    pub(super) fn tell(&self, except: &Endpoint, letter: impl Fn(MemberId) -> Letter) {
        let members = lock(&self.members).clone();
        for member in members {
            if !std::ptr::eq(Arc::as_ptr(member.endpoint()), except) {
                // A closed mailbox is that of an endpoint that is ending too.
                let _ = member.endpoint().mailbox().post(letter(member.id()));
            }
        }
    }

    fn others(&self, except: &Arc<Endpoint>) -> impl Iterator<Item = Arc<Member>> {
        let members = lock(&self.members).clone();
        let except = except.clone();
        members.into_iter().filter(move |member| !Arc::ptr_eq(member.endpoint(), &except))
    }
}

impl Routes {
    fn prune(&mut self) {
        self.by_event.retain(|_, route| Arc::strong_count(route) > 1 || !route.is_empty());
        self.prune_at = PRUNE_AT.max(2 * self.by_event.len());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
        // Another one may have been opened under the name since the last reference went.
        if channels.get(&self.name).is_some_and(|channel| channel.strong_count() == 0) {
            channels.remove(&self.name);
        }
    }
}
