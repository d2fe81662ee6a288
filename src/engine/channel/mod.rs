//! Channels by name: their members, and the route of each event.
//!
//! A channel exists while it has members. It is found by its name from every thread.

mod affinity;
mod backlog;
pub mod burst;
mod choosing;
pub mod endpoint;
mod followers;
mod handover;
pub mod ledger;
pub mod levelling;
mod listening;
mod losses;
pub mod member;
mod members;
pub mod message;
pub mod named;
pub mod notices;
pub mod observer;
mod party;
mod publish;
pub mod queue;
pub mod route;
mod row;
mod service;
mod sharing;
mod stalls;
mod table;
mod takers;
mod watched;

use std::collections::HashMap;
use std::sync::{self, Arc, LazyLock, PoisonError, Weak};

use crate::engine::capacity::Crossed;
use crate::engine::delivery;
use crate::engine::metrics;
use crate::engine::sync::{Mutex, lock};
pub use affinity::InLine;
use endpoint::{Endpoint, Flush};
use ledger::Ledger;
use listening::Awaited;
use member::Member;
use members::Members;
use message::{Message, Notice};
use observer::Observed;
use route::Route;
use watched::Watched;

/// A tracked event for listeners of one member.
pub type Delivery = delivery::Delivery<Member>;

/// A tracked event in flight.
pub type Dispatch = delivery::dispatch::Dispatch<Member>;

/// Untracked events of one member for another.
pub type Batch = delivery::batch::Batch<Member>;

type Channels = HashMap<Arc<str>, Weak<Channel>>;

/// The standard library's lock in every build: loom's objects do not outlive one run of a model.
static CHANNELS: LazyLock<sync::Mutex<Channels>> = LazyLock::new(Default::default);

/// At so many routes for the first time, those that are not needed are looked for.
const PRUNE_AT: usize = 64;

/// Number of routes that are looked at to find names that are heard.
const MOST_LOOKED_AT: usize = 1_024;

/// All members that joined under one name, and the routes of its events.
pub struct Channel {
    name: Arc<str>,
    members: Mutex<Members>,
    routes: Mutex<Routes>,
    awaited: Awaited,
    /// Routes with deliveries that have not started.
    watched: Mutex<Watched>,
    ledger: Mutex<Ledger>,
    observed: Arc<Observed>,
}

struct Routes {
    by_event: HashMap<Arc<str>, Arc<Route>>,
    /// At how many routes they are pruned next: twice as many as the last time left.
    prune_at: usize,
}

/// Returns the channel of this name; a new one if nobody is in it.
pub fn open(name: &str) -> Arc<Channel> {
    let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(channel) = channels.get(name).and_then(Weak::upgrade) {
        return channel;
    }
    let name: Arc<str> = name.into();
    let channel = Arc::new(Channel {
        name: name.clone(),
        observed: Arc::default(),
        members: Mutex::new(Members::default()),
        routes: Mutex::new(Routes { by_event: HashMap::new(), prune_at: PRUNE_AT }),
        awaited: Mutex::new(HashMap::new()),
        watched: Mutex::default(),
        ledger: Mutex::new(Ledger::default()),
    });
    channels.insert(name, Arc::downgrade(&channel));
    channel
}

/// Tells every endpoint in a channel that the process begins to write a trace.
pub fn tell_all_of_trace() {
    // One that ends takes the lock.
    let channels: Vec<_> = {
        let channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
        channels.values().filter_map(Weak::upgrade).collect()
    };
    let members = channels.iter().flat_map(|channel| lock(&channel.members).all());
    let endpoints: HashMap<_, _> =
        members.map(|member| (member.endpoint().id(), member.endpoint().clone())).collect();
    for endpoint in endpoints.into_values() {
        // A closed mailbox is that of an endpoint that is ending.
        let _ = endpoint.mailbox().push(Message::Notice(Notice::Trace));
    }
}

impl Channel {
    /// Returns the name it was opened by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the route of an event, from now on the same for everybody.
    pub fn route(&self, event: &str) -> Arc<Route> {
        let mut routes = lock(&self.routes);
        if let Some(route) = routes.by_event.get(event) {
            return route.clone();
        }
        let name: Arc<str> = event.into();
        let route = Arc::new(Route::new(name.clone(), &self.observed));
        routes.by_event.insert(name, route.clone());
        if routes.by_event.len() > routes.prune_at {
            routes.prune(&self.ledger);
        }
        route
    }

    /// Lets go of routes, and forgets those without listeners that nobody else holds. Names of events may be
    /// without end (`reply:4711`), so an owner that ceases to need many routes lets go of them here. New
    /// routes make the channel look for more to forget, now and then.
    pub fn let_go(&self, routes: Vec<Arc<Route>>) {
        metrics::VISITS.add(routes.len());
        let mut known = lock(&self.routes);
        for route in routes {
            let name = route.name().clone();
            drop(route);
            if known.by_event.get(&name).is_some_and(|route| !is_needed(route)) {
                known.forget(&name, &self.ledger);
            }
        }
    }

    /// Returns the number of events with a route.
    pub fn routes(&self) -> usize {
        lock(&self.routes).by_event.len()
    }

    /// Returns the member with this number, if it is in the channel.
    pub fn member(&self, number: u32) -> Option<Arc<Member>> {
        lock(&self.members).find(number).cloned()
    }

    /// Returns the number of other endpoints in the channel.
    pub fn endpoints(&self, except: &Endpoint) -> usize {
        lock(&self.members).endpoints(except)
    }

    /// Returns names of events that other members listen to, at most so many, in order. Of very many events it looks at
    /// some only, so that it costs little.
    pub fn heard_elsewhere(&self, member: &Arc<Member>, most: usize) -> Vec<Arc<str>> {
        let routes = lock(&self.routes);
        let some = routes.by_event.values().take(MOST_LOOKED_AT);
        let heard = some.filter(|route| route.has_others(member)).map(|route| route.name().clone());
        let mut names: Vec<_> = heard.take(most).collect();
        names.sort_unstable();
        names
    }

    /// Returns whether emitters of this endpoint are to pace themselves: of the room of some member of another
    /// endpoint more than half is used.
    pub fn is_congested(&self, except: &Endpoint) -> bool {
        lock(&self.members).is_congested(except.id())
    }

    pub(super) fn enter(&self, member: Arc<Member>) {
        lock(&self.members).enter(member.clone());
        self.observed.note(&member, |observer| observer.joined(&member));
    }

    pub(super) fn exit(&self, member: &Member) {
        lock(&self.members).exit(member);
        self.observed.note(member, |observer| observer.left(member));
        // Members that wait for it are held up no longer.
        self.tell_drained();
    }

    /// Changes the listeners. Earlier events are flushed before, to the listeners of then.
    pub(super) fn change<T>(&self, change: impl FnOnce() -> T) -> T {
        self.each_burst(|burst| burst.flush());
        let changed = change();
        // Asked anew: a member that has joined meanwhile may know the listeners of before.
        self.each_burst(|burst| burst.invalidate());
        changed
    }

    fn each_burst(&self, act: impl Fn(&dyn Flush)) {
        let all = lock(&self.members).bursts();
        all.iter().for_each(|burst| act(&**burst));
    }

    /// Notes that a member's room was taken. May be called with any lock held.
    pub(super) fn took(&self, member: &Member, crossed: Crossed) {
        if crossed != Crossed::Nothing {
            lock(&self.members).look_at(member);
        }
    }

    /// Notes that room of a member was given back. Called with no lock held.
    pub(super) fn gave_back(&self, member: &Member, crossed: Crossed) {
        if crossed == Crossed::Nothing {
            return;
        }
        let waits = lock(&self.members).look_at(member);
        // Those that wait for all others go on when little is left. But where each waits for the other, it
        // may never become little.
        if crossed == Crossed::IntoLow || waits {
            self.tell_drained();
        }
        // It may have had no room for what it could take over.
        if member.endpoint().has_offers() {
            let _ = member.endpoint().mailbox().wake();
        }
    }

    pub(super) fn wait_for_room(&self, member: &Member) {
        lock(&self.members).wait(member);
        // It may have become so before anybody knew that someone waits.
        self.tell_drained();
    }

    pub(super) fn asked_for_room(&self, member: &Member) -> usize {
        lock(&self.members).asked(member)
    }

    pub(super) fn wait_elsewhere(&self, member: &Member, asked: usize) {
        lock(&self.members).wait_elsewhere(member, asked);
        self.tell_drained();
    }

    /// Tells every member that waits for it that nothing much waits any more.
    fn tell_drained(&self) {
        let served = lock(&self.members).served();
        for member in served {
            let _ = member.endpoint().mailbox().push(Message::Notice(Notice::Drained(member.id())));
        }
    }

    /// Tells the members of other endpoints that the thread of this one has ended.
    pub fn tell_of_exit(&self, gone: &Endpoint) {
        let thread = gone.thread();
        self.tell(gone, |member| {
            Some(Message::Notice(Notice::ThreadExit { member: member.id(), thread }))
        });
        // Events that waited there wait no more.
        self.tell_drained();
    }

    /// Pushes a message for every member of other endpoints that it is for.
    pub(super) fn tell(
        &self,
        except: &Endpoint,
        message: impl Fn(&Arc<Member>) -> Option<Message>,
    ) {
        let others = lock(&self.members).others(except);
        for member in others {
            if let Some(message) = message(&member) {
                // A closed mailbox is that of an endpoint that is ending too.
                let _ = member.endpoint().mailbox().push(message);
            }
        }
    }
}

impl Routes {
    fn forget(&mut self, name: &str, ledger: &Mutex<Ledger>) {
        if let Some(route) = self.by_event.remove(name) {
            lock(ledger).close_route(&route);
        }
    }

    fn prune(&mut self, ledger: &Mutex<Ledger>) {
        metrics::VISITS.add(self.by_event.len());
        let mut ledger = lock(ledger);
        self.by_event.retain(|_, route| {
            let is_needed = is_needed(route);
            if !is_needed {
                ledger.close_route(route);
            }
            is_needed
        });
        self.prune_at = PRUNE_AT.max(2 * self.by_event.len());
    }
}

/// Returns whether somebody listens, or holds the route beside the channel.
fn is_needed(route: &Arc<Route>) -> bool {
    Arc::strong_count(route) > 1 || !route.is_empty()
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
