//! The routes of a channel with deliveries that have not started, and when they are looked at.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Channel;
use super::levelling::Moved;
use super::route::Route;
use crate::engine::sync::lock;
use crate::engine::timer::{self, Timer};

/// When a route is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Nobody else can take from its backlog, or that was offered to all.
    Later,
    /// The member that has it had nothing else to do, so it will be started. To set a timer for each event would be
    /// dear, so this one is set again and again while there are events.
    Unlikely,
    /// All its members were quick at the last look. Looks cost them more than they could gain.
    Seldom,
    Soon,
}

/// The routes of a channel with a backlog.
#[derive(Default)]
pub(super) struct Watched([Routes; Watch::KINDS]);

#[derive(Default)]
struct Routes {
    routes: Vec<Weak<Route>>,
    /// Until the next look; None where there is none.
    timer: Option<Timer>,
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.timer.take().into_iter().for_each(timer::cancel);
    }
}

impl Channel {
    /// Has a route looked at. With no lock held.
    pub(super) fn watch(self: &Arc<Self>, route: &Arc<Route>, watch: Option<Watch>) {
        let Some(watch) = watch else { return };
        let mut watched = lock(&self.watched);
        let of = watched.of(watch);
        of.routes.push(Arc::downgrade(route));
        // A model has no timers: it ticks by itself.
        if of.timer.is_none() && !cfg!(feature = "loom") {
            let channel = Arc::downgrade(self);
            of.timer = Some(timer::schedule(watch.delay(), move || {
                if let Some(channel) = channel.upgrade() {
                    channel.look_at_backlogs(watch);
                }
            }));
        }
    }

    /// Does the work of the timers: offers deliveries that have waited since the last tick to those that may take them
    /// over. Returns the deliveries that were moved.
    pub fn tick(self: &Arc<Self>) -> Vec<Moved> {
        let watches = [Watch::Unlikely, Watch::Seldom, Watch::Soon];
        watches.into_iter().flat_map(|watch| self.look_at_backlogs(watch)).collect()
    }

    fn look_at_backlogs(self: &Arc<Self>, watch: Watch) -> Vec<Moved> {
        let mut all_moved = Vec::new();
        let routes = {
            let mut watched = lock(&self.watched);
            let of = watched.of(watch);
            of.timer.take().into_iter().for_each(timer::cancel);
            std::mem::take(&mut of.routes)
        };
        for route in routes.iter().filter_map(Weak::upgrade) {
            let (next, to_wake, moved) = route.tick(watch);
            all_moved.extend(moved);
            self.watch(&route, next);
            // A closed mailbox is that of an endpoint that is ending.
            to_wake.iter().for_each(|thief| _ = thief.mailbox().wake());
        }
        all_moved
    }
}

impl Watch {
    pub(super) const KINDS: usize = 4;

    fn delay(self) -> Duration {
        Duration::from_millis(match self {
            Watch::Later => 1000,
            Watch::Unlikely => 50,
            Watch::Seldom => 4,
            Watch::Soon => 1,
        })
    }
}

impl Watched {
    fn of(&mut self, watch: Watch) -> &mut Routes {
        &mut self.0[watch as usize]
    }
}
