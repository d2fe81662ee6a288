//! A tracked event in flight.
//!
//! It has a [`Recipient`] for each member that is addressed. A recipient settles once for each of its listeners: done,
//! failed, out of time, refused, or gone with its thread. When every recipient has settled the emitter gets the
//! [`Outcome`](crate::engine::outcome::Outcome), once.
//!
//! [`settling`](super::settling) says how.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Party;
use super::recipient::{Freed, Recipient};
use super::settling::State;
use crate::engine::ids::{self, ListenerId};
use crate::engine::metrics;
use crate::engine::outcome::{Report, Step};
use crate::engine::payload::{Content, Payload};
use crate::engine::sync::{Mutex, lock};
use crate::engine::timer;

/// An event to be dispatched.
pub struct Emission<'a> {
    /// The arguments, encoded. None where the emitter knows of no listener elsewhere.
    pub payload: Option<Content<'a>>,
    /// True for a request: one listener gets the event, and replies.
    pub request: bool,
    /// Milliseconds after which listeners that have not settled fail.
    pub timeout: Option<u32>,
    /// True if the emitter may [cancel](Dispatch::cancel).
    pub cancellable: bool,
    /// Events of one key go to one member of a group, in order.
    pub key: Option<Arc<str>>,
    /// The way in which the emitter hears of the outcome.
    pub report: Report,
}

/// What a delivery was made for: a recipient, and how often that had moved.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) recipient: u32,
    pub(super) moves: u32,
}

/// A tracked event in flight. See the [module](self).
pub struct Dispatch<P: Party> {
    pub(super) emitter: Arc<P>,
    pub(super) route: Arc<P::Route>,
    /// Bytes of its payload.
    pub(super) size: usize,
    lies_apart: bool,
    /// True if starting has to be [asked for](super::Delivery::start): it may be cancelled, or go elsewhere.
    pub(super) must_start: bool,
    is_request: bool,
    /// The emitter's token for it, if the emitter awaits the outcome.
    token: Option<u32>,
    /// When its time is over, and how many milliseconds it had.
    timeout: Option<(Instant, u32)>,
    pub(super) state: Mutex<State<P>>,
    /// True if all recipients have settled, and no listener was claimed for them. Beside the state, because it is asked
    /// of all that waits.
    pub(super) is_over: AtomicBool,
    /// True if some recipient has moved. Beside the state, as above.
    has_moved: AtomicBool,
    /// Name of the event; 0 before somebody asks for it.
    id: AtomicU64,
    _counted: metrics::Counted,
}

impl<P: Party> Dispatch<P> {
    pub(in crate::engine) fn begin(
        route: &Arc<P::Route>,
        emitter: &Arc<P>,
        emission: Emission<'_>,
        payload: Payload,
        mut recipients: Vec<Recipient<P>>,
    ) -> Arc<Self> {
        emitter.began(1);
        // Before its time may be over.
        recipients.iter_mut().filter(|to| to.has_room()).for_each(Recipient::take_on);
        let must_start = emission.timeout.is_some()
            || emission.cancellable
            || emission.request
            || recipients.iter().any(Recipient::is_chosen);
        let dispatch = Arc::new(Dispatch {
            emitter: emitter.clone(),
            route: route.clone(),
            size: payload.size(),
            lies_apart: payload.lies_apart(),
            must_start,
            is_request: emission.request,
            token: emission.report.token(),
            timeout: emission.timeout.map(|ms| (Instant::now() + millis(ms), ms)),
            state: Mutex::new(State::new(recipients, payload, emission.report)),
            is_over: AtomicBool::new(false),
            has_moved: AtomicBool::new(false),
            id: AtomicU64::new(0),
            _counted: metrics::DISPATCHES.count(),
        });
        if let Some(ms) = emission.timeout {
            dispatch.expire_in(ms, ms);
        }
        dispatch
    }

    /// Returns the name of the event.
    pub fn event(&self) -> &str {
        P::event(&self.route)
    }

    /// Returns the number that names the event for the life of the process.
    pub fn id(&self) -> u64 {
        let known = self.id.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        let id = ids::next_event();
        self.id
            .compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed)
            .map_or_else(|of| of, |_| id)
    }

    /// Returns the encoded arguments; nothing once it has settled.
    pub fn payload(&self) -> Payload {
        lock(&self.state).payload.clone().unwrap_or_default()
    }

    /// Calls `read` with its [payload](Self::payload), which is quicker. It must not take long, nor settle
    /// anything.
    pub fn read_payload<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        read(lock(&self.state).payload.as_deref().unwrap_or_default())
    }

    /// Returns whether its payload is [taken](super::Delivery::take_payload), and not read.
    pub fn lies_apart(&self) -> bool {
        self.lies_apart
    }

    /// See [`super::Delivery::take_payload`].
    pub(super) fn take_payload(&self) -> Option<Payload> {
        let mut state = lock(&self.state);
        if state.open > 1 { state.payload.clone() } else { state.payload.take() }
    }

    /// Returns the number of bytes that its payload has, or had.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns the emitter.
    pub fn emitter(&self) -> &Arc<P> {
        &self.emitter
    }

    /// Returns how many milliseconds are left, and of how many; None where its time has no end.
    pub fn time_left(&self) -> Option<(u32, u32)> {
        let (end, of) = self.timeout?;
        // Rounded up, so that another process does not see the end before this one does.
        let left = end.saturating_duration_since(Instant::now()).as_nanos().div_ceil(1_000_000);
        Some((u32::try_from(left).unwrap_or(u32::MAX), of))
    }

    /// Has it [expire](Self::expire) in so many milliseconds, as if it had had others.
    pub(in crate::engine) fn expire_in(self: &Arc<Self>, left: u32, of: u32) {
        let late = Arc::downgrade(self);
        self.set_timer(left, move || {
            if let Some(late) = late.upgrade() {
                late.expire(of);
            }
        });
    }

    pub(super) fn token(&self) -> Option<u32> {
        self.token
    }

    pub(super) fn is_request(&self) -> bool {
        self.is_request
    }

    pub(super) fn must_start(&self) -> bool {
        self.must_start
    }

    /// See [`super::Delivery::is_over`].
    pub(super) fn is_over(&self, place: Place) -> bool {
        self.is_over.load(Ordering::Acquire)
            || (self.has_moved.load(Ordering::Acquire) && lock(&self.state).at(place).is_none())
    }

    /// See [`super::Delivery::is_settled`].
    pub(super) fn is_settled(&self, place: Place) -> bool {
        let mut state = lock(&self.state);
        state.is_cancelled || state.at(place).is_none_or(|of| of.is_settled())
    }

    /// Returns place, member and listeners of each recipient that has room and is not over.
    pub(super) fn addressed(&self) -> Vec<(Place, Arc<P>, Arc<[ListenerId]>)> {
        let state = lock(&self.state);
        let to_deliver =
            (0..).zip(&state.recipients).filter(|(_, to)| to.has_room() && !to.is_over());
        let place = |(recipient, to): (u32, &Recipient<P>)| {
            (Place { recipient, moves: to.moves() }, to.member().clone(), to.ids().clone())
        };
        to_deliver.map(place).collect()
    }

    pub(super) fn set_timer(&self, ms: u32, act: impl FnOnce() + Send + 'static) {
        let timer = timer::schedule(millis(ms), act);
        {
            let mut state = lock(&self.state);
            if state.open > 0 {
                return state.timers.push(timer);
            }
        }
        timer::cancel(timer);
    }

    /// See [`super::Delivery::start`].
    pub(super) fn start(&self, place: Place) -> bool {
        let (starts, stepwise) = {
            let mut state = lock(&self.state);
            let starts = !state.is_cancelled && state.at(place).is_some_and(Recipient::start);
            (starts, state.stepwise())
        };
        if let Some(token) = stepwise.filter(|_| starts) {
            self.emitter.stepped(token, Step::Started);
        }
        starts
    }

    /// Gives a recipient that its member let go of to other listeners. None if it has settled meanwhile.
    pub(super) fn move_to(
        &self,
        recipient: u32,
        to: &Arc<P>,
        listeners: Arc<[ListenerId]>,
        has_claimed: bool,
    ) -> Option<Place> {
        let mut state = lock(&self.state);
        let moved = &mut state.recipients[recipient as usize];
        if moved.is_settled() {
            return None;
        }
        moved.move_to(to, listeners, has_claimed);
        Some(Place { recipient, moves: moved.moves() })
    }

    /// Returns the member that holds a recipient which another may [have](Self::steal), and the listener.
    pub(in crate::engine) fn victim(&self, recipient: u32) -> Option<(Arc<P>, ListenerId)> {
        let state = lock(&self.state);
        let held = &state.recipients[recipient as usize];
        Some((held.victim()?.clone(), *held.ids().first()?))
    }

    /// Returns whether a recipient has not started, and has to stay with its member.
    pub(in crate::engine) fn is_bound(&self, recipient: u32) -> bool {
        let state = lock(&self.state);
        let held = &state.recipients[recipient as usize];
        held.choice_if_movable().is_some() && held.is_bound()
    }

    /// Takes a recipient that has not started from its member, for a listener of another. None if that is too late.
    /// The room that was given back is to be told of when no lock is held.
    pub(super) fn steal(
        &self,
        recipient: u32,
        to: &Arc<P>,
        (listeners, has_claimed): (Arc<[ListenerId]>, bool),
        in_line: &mut Option<P::InLine>,
    ) -> Option<(Place, Option<Freed<P>>)> {
        let mut state = lock(&self.state);
        let moved = &mut state.recipients[recipient as usize];
        if Arc::ptr_eq(moved.victim()?, to) {
            return None;
        }
        let freed = moved.let_go(self.size);
        moved.move_to(to, listeners, has_claimed);
        moved.in_line(in_line.take());
        self.has_moved.store(true, Ordering::Release);
        Some((Place { recipient, moves: moved.moves() }, freed))
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
