//! Events that the owner of an endpoint has written down and not flushed: a burst crosses into the engine
//! once for many events.
//!
//! To cross, with the work of the engine then, costs nearly half as much as to encode a small event. So in a
//! burst the owner leaves a [record](Records) of each event in memory that others can read. Records are
//! flushed with the next call of the owner that publishes or dispatches, at the latest when the burst is
//! over. Because that may be long, they are flushed twice a millisecond by the thread of the timers, too, and
//! before listeners change ([`endpoint::Flush`]).
//!
//! # The owner and the others
//!
//! The owner writes a record first, then adds to their number, atomically. It writes nothing where a counted
//! record is before the number is 0 again, and only its own thread makes it so, in
//! [`flush_all`](Burst::flush_all). To flush takes a lock, under which it is known how many records were flushed before:
//! each is sent once, in the order in which they were written. `tests/loom` checks it.
//!
//! The lock is held while events are published, so it is the first of those of the engine.

use std::sync::Arc;
use std::time::Duration;

use slab::Slab;

use super::endpoint;
use super::member::Member;
use super::route::{Published, Route};
use crate::engine::delivery::dispatch::Emission;
use crate::engine::outcome::Report;
use crate::engine::payload::Content;
use crate::engine::sync::{Mutex, MutexGuard, lock};
use crate::engine::timer;

/// Time between two looks for records in a burst.
const PATIENCE: Duration = Duration::from_micros(500);

/// Memory in which the owner of an endpoint writes events down, and others read them.
pub trait Records: Default + Send + 'static {
    /// Returns the number of records, and not more than there is memory for. The records that the owner had
    /// written before it added to the number are seen with it.
    fn count(&self) -> usize;

    /// Clears the records: the owner writes the next one in the place of the first. On its thread.
    fn clear(&self);

    /// Returns the number of the route of an event, and its payload; None where a record makes no sense, which is a
    /// defect.
    fn get(&self, index: usize) -> Option<(usize, &[u8])>;

    /// Makes the owner look anew for listeners: they have changed.
    fn invalidate(&self);
}

/// The emitter of an event, and its route.
pub type Numbered = (Arc<Member>, Arc<Route>);

/// The events of the owner of an endpoint that were not flushed. See the [module](self).
#[derive(Default)]
pub struct Burst<R>(Mutex<State<R>>);

#[derive(Default)]
struct State<R> {
    /// Events that the owner emits by their number here.
    routes: Slab<Numbered>,
    records: R,
    /// Number of records that were flushed.
    flushed: usize,
    /// True while the owner is in a burst.
    is_open: bool,
    /// True if a timer will flush the records.
    is_watched: bool,
}

/// A proof that all records were flushed, as long as this is held.
pub struct Flushed<'a, R>(MutexGuard<'a, State<R>>);

impl<R> Flushed<'_, R> {
    /// Events by number.
    pub fn routes(&mut self) -> &mut Slab<Numbered> {
        &mut self.0.routes
    }

    /// Returns the records, to be exchanged.
    pub fn records(&mut self) -> &mut R {
        &mut self.0.records
    }
}

impl<R: Records> Burst<R> {
    /// Flushes everything, so that the next call comes after it. On the owner's thread.
    pub fn flush_all(&self) -> Flushed<'_, R> {
        let mut state = lock(&self.0);
        state.flush();
        state.flushed = 0;
        state.records.clear();
        Flushed(state)
    }

    /// Begins a burst: from now on events are written down.
    pub fn open(self: &Arc<Self>) {
        let mut state = lock(&self.0);
        state.is_open = true;
        if !std::mem::replace(&mut state.is_watched, true) {
            self.watch();
        }
    }

    /// Ends a burst.
    pub fn close(&self) {
        self.flush_all().0.is_open = false;
    }

    /// Flushes everything, and forgets the records: the owner ends.
    pub fn end(&self) {
        *self.flush_all().0 = State::default();
    }

    fn watch(self: &Arc<Self>) {
        let burst = Arc::downgrade(self);
        timer::schedule(PATIENCE, move || {
            let Some(burst) = burst.upgrade() else { return };
            let mut state = lock(&burst.0);
            state.flush();
            state.is_watched = state.is_open;
            if state.is_watched {
                burst.watch();
            }
        });
    }
}

impl<R: Records> endpoint::Flush for Burst<R> {
    fn flush(&self) {
        lock(&self.0).flush();
    }

    fn invalidate(&self) {
        lock(&self.0).records.invalidate();
    }
}

impl<R: Records> State<R> {
    /// Flushes the rest, events of one route that follow each other at once.
    fn flush(&mut self) {
        let State { routes, records, flushed, .. } = self;
        let count = records.count();
        let mut payloads = Vec::new();
        while *flushed < count {
            payloads.clear();
            let first = records.get(*flushed).map(|(route, _)| route);
            let rest = (*flushed..count).map_while(|index| records.get(index));
            let same = rest.take_while(|(route, _)| Some(*route) == first);
            payloads.extend(same.map(|(_, payload)| Content::Lent(payload)));
            let same_count = payloads.len();
            if let Some((emitter, route)) = first.and_then(|first| routes.get(first)) {
                publish(emitter, route, &mut payloads);
            }
            // A record that makes no sense is not tried for ever.
            *flushed += same_count.max(1);
        }
    }
}

fn publish(emitter: &Arc<Member>, route: &Arc<Route>, payloads: &mut Vec<Content<'_>>) {
    if route.publish_all(emitter, payloads) != Published::NotPlain {
        return;
    }
    // Somebody has begun to listen in another way just now.
    for payload in payloads.drain(..) {
        let (request, timeout, cancellable) = (false, None, false);
        // Short enough for there to be memory.
        let payload = Some(payload);
        let report = Report::None;
        route.dispatch(
            emitter,
            Emission { payload, request, timeout, cancellable, key: None, report },
        );
    }
}
