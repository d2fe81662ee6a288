//! An emission while other members work on it.
//!
//! It has a part for each member that is addressed, and a part settles once for each of its
//! listeners: done, failed, out of time, refused, or gone with its thread. When every part has
//! settled the emitter gets the [`Outcome`], once.
//!
//! Whoever works on a part holds its [`Delivery`]; one that is dropped unsettled is gone, and that
//! is how a thread that ends settles all it owed, by whatever road it ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::deadline::{self, Deadline};
use super::endpoint::Letter;
use super::member::Member;
use super::metrics;
use super::outcome::{Cause, Failure, Lost, Outcome, Reply};
use super::route::{ListenerId, Route};
use super::sync::{Mutex, lock};

/// What is emitted, and how.
pub struct Emission<'a> {
    /// The arguments, encoded. None where the emitter knows of no listener elsewhere.
    pub payload: Option<&'a [u8]>,
    /// One listener gets it, and answers; else everybody does.
    pub to_one: bool,
    /// Listeners that have not settled after so many milliseconds have failed.
    pub timeout: Option<u32>,
    /// The emitter may [give it up](Dispatch::withdraw).
    pub withdrawable: bool,
    /// How the emitter hears of the outcome.
    pub reply: Reply,
}

/// Among whom the listeners of a part were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Not at all: every listener without a group.
    Everyone,
    /// The members of a group.
    Group(Arc<str>),
    /// Whoever listens.
    Any,
}

impl Choice {
    pub(super) fn allows(&self, group: &Option<Arc<str>>) -> bool {
        match self {
            Choice::Everyone => group.is_none(),
            Choice::Group(name) => group.as_ref() == Some(name),
            Choice::Any => true,
        }
    }
}

/// The listeners of one member that are addressed.
pub(super) struct Part {
    member: Arc<Member>,
    listeners: Arc<[ListenerId]>,
    choice: Choice,
    has_room: bool,
    /// Its member has a delivery of it, and has that counted.
    in_flight: bool,
    started: bool,
    /// By listener; empty before the first settled.
    settled: Vec<bool>,
    unsettled: u32,
}

impl Part {
    pub(super) fn new(
        member: Arc<Member>,
        listeners: Arc<[ListenerId]>,
        choice: Choice,
        has_room: bool,
    ) -> Self {
        let unsettled = u32::try_from(listeners.len()).unwrap_or(u32::MAX);
        Part {
            member,
            listeners,
            choice,
            has_room,
            in_flight: false,
            started: false,
            settled: Vec::new(),
            unsettled,
        }
    }

    /// Its member has let go of it.
    fn let_go(&mut self) {
        if std::mem::replace(&mut self.in_flight, false) {
            self.member.done(1);
        }
    }

    pub(super) fn listeners(&self) -> u32 {
        u32::try_from(self.listeners.len()).unwrap_or(u32::MAX)
    }

    /// Returns false if this listener had settled before.
    fn settle(&mut self, index: u32) -> bool {
        let index = index as usize;
        if self.unsettled == 0 || index >= self.listeners.len() {
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

    /// The first listener that has not settled.
    fn first_unsettled(&self) -> u32 {
        let at = self.settled.iter().position(|settled| !settled).unwrap_or(0);
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// An emission in flight. See the [module](self).
pub struct Dispatch {
    emitter: Arc<Member>,
    route: Arc<Route>,
    payload: Arc<[u8]>,
    /// Starting has to be [asked for](Delivery::start): it may be taken back, or go elsewhere.
    limited: bool,
    to_one: bool,
    state: Mutex<State>,
    _counted: metrics::Counted,
}

struct State {
    parts: Vec<Part>,
    /// Parts with unsettled listeners.
    open: usize,
    outcome: Outcome,
    reply: Reply,
    deadlines: Vec<Deadline>,
    /// The emitter gave up: what has not started never will.
    withdrawn: bool,
}

impl Dispatch {
    pub(super) fn begin(
        route: &Arc<Route>,
        emitter: &Arc<Member>,
        emission: Emission<'_>,
        parts: Vec<Part>,
    ) -> Arc<Self> {
        emitter.began();
        let limited = emission.timeout.is_some()
            || emission.withdrawable
            || emission.to_one
            || parts.iter().any(|part| part.choice != Choice::Everyone);
        let dispatch = Arc::new(Dispatch {
            emitter: emitter.clone(),
            route: route.clone(),
            payload: emission.payload.unwrap_or_default().into(),
            limited,
            to_one: emission.to_one,
            state: Mutex::new(State {
                open: parts.len(),
                parts,
                outcome: Outcome::default(),
                reply: emission.reply,
                deadlines: Vec::new(),
                withdrawn: false,
            }),
            _counted: metrics::DISPATCHES.count(),
        });
        if let Some(ms) = emission.timeout {
            let late = Arc::downgrade(&dispatch);
            dispatch.set_deadline(ms, move || {
                if let Some(late) = late.upgrade() {
                    late.expire(ms);
                }
            });
        }
        dispatch
    }

    /// The event.
    pub fn event(&self) -> &str {
        self.route.event()
    }

    /// Its arguments, encoded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn shared_payload(&self) -> Arc<[u8]> {
        self.payload.clone()
    }

    /// Who emitted it.
    pub fn emitter(&self) -> &Arc<Member> {
        &self.emitter
    }

    /// One for each part that has room.
    pub(super) fn deliveries(self: &Arc<Self>) -> Vec<Delivery> {
        let mut state = lock(&self.state);
        let with_room = state.parts.iter_mut().enumerate().filter(|(_, part)| part.has_room);
        with_room
            .map(|(at, part)| {
                part.in_flight = true;
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                Delivery::new(self, at, part.member.clone(), part.listeners.clone())
            })
            .collect()
    }

    /// Settles the parts that had no room.
    pub(super) fn refuse_what_was_full(self: &Arc<Self>) {
        let full: Vec<u32> = {
            let state = lock(&self.state);
            let parts = state.parts.iter().enumerate().filter(|(_, part)| !part.has_room);
            parts.map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX)).collect()
        };
        for part in full {
            self.fail_rest(part, Cause::Full);
        }
    }

    /// The time is over: whoever has not settled has failed.
    pub fn expire(self: &Arc<Self>, ms: u32) {
        let parts = lock(&self.state).parts.len();
        for part in 0..u32::try_from(parts).unwrap_or(u32::MAX) {
            self.fail_rest(part, Cause::TimedOut(ms));
        }
    }

    /// The emitter gave up. What has not started never will, and counts for nothing; the emitter
    /// hears no more of what has. Does nothing where nobody [has to start](Delivery::must_start).
    pub fn withdraw(self: &Arc<Self>) {
        if !self.limited {
            return;
        }
        // Dropped with no lock held: it wakes whoever waits for it.
        let unheard;
        let finished = {
            let mut state = lock(&self.state);
            state.withdrawn = true;
            unheard = std::mem::replace(&mut state.reply, Reply::None);
            let mut withdrawn = 0;
            for part in state.parts.iter_mut().filter(|part| !part.started && part.unsettled > 0) {
                part.unsettled = 0;
                withdrawn += 1;
            }
            state.open -= withdrawn;
            if withdrawn > 0 { state.finish() } else { None }
        };
        drop(unheard);
        self.finished(finished);
    }

    fn set_deadline(&self, ms: u32, act: impl FnOnce() + Send + 'static) {
        let deadline = deadline::schedule(Duration::from_millis(ms.into()), act);
        let mut state = lock(&self.state);
        if state.open > 0 {
            state.deadlines.push(deadline);
        } else {
            drop(state);
            deadline::cancel(deadline);
        }
    }

    fn settle(&self, part: u32, index: u32, result: Result<Option<Vec<u8>>, Cause>) {
        let finished = {
            let mut state = lock(&self.state);
            let to = &mut state.parts[part as usize];
            if !to.settle(index) {
                return;
            }
            let thread = to.member.endpoint().thread();
            let done = to.unsettled == 0;
            // Before the emitter hears of it, so that its next choice knows. A listener that is out of
            // time still keeps its thread.
            if done && !matches!(result, Err(Cause::TimedOut(_))) {
                to.let_go();
            }
            match result {
                Ok(answer) => {
                    state.outcome.success += 1;
                    state.outcome.answer = answer;
                }
                Err(cause) => {
                    state.outcome.failures.push(Failure {
                        part,
                        index,
                        listeners: 1,
                        thread,
                        cause,
                    });
                }
            }
            state.open -= usize::from(done);
            if done { state.finish() } else { None }
        };
        self.finished(finished);
    }

    /// All listeners of a part that have not settled fail. The emitter is told of each that its
    /// event never got to the end of.
    fn fail_rest(self: &Arc<Self>, part: u32, cause: Cause) {
        let (listeners, thread, started, withdrawn, finished) = {
            let mut state = lock(&self.state);
            let to = &mut state.parts[part as usize];
            let listeners = std::mem::take(&mut to.unsettled);
            if listeners == 0 {
                return;
            }
            let started = to.started;
            let thread = to.member.endpoint().thread();
            let index = to.first_unsettled();
            let failure = Failure { part, index, listeners, thread, cause: cause.clone() };
            state.outcome.failures.push(failure);
            state.open -= 1;
            (listeners, thread, started, state.withdrawn, state.finish())
        };
        if !withdrawn {
            self.emitter.tell_of(Lost {
                event: self.route.name().clone(),
                payload: self.payload.clone(),
                cause,
                listeners,
                thread,
                started,
            });
        }
        self.finished(finished);
    }

    fn let_go(&self, part: u32) {
        lock(&self.state).parts[part as usize].let_go();
    }

    /// The member that held a part let go of it.
    fn abandon(self: &Arc<Self>, part: u32, member: &Arc<Member>) {
        let again = {
            let state = lock(&self.state);
            let to = &state.parts[part as usize];
            if to.unsettled == 0 {
                return;
            }
            (!to.started && to.choice != Choice::Everyone).then(|| to.choice.clone())
        };
        let moved =
            again.is_some_and(|choice| self.route.choose_again(self, part, &choice, member));
        if !moved {
            self.fail_rest(part, Cause::Gone);
        }
    }

    /// Gives a part to another listener. None if it has settled meanwhile.
    pub(super) fn move_to(
        self: &Arc<Self>,
        part: u32,
        to: &Arc<Member>,
        listener: ListenerId,
    ) -> Option<Delivery> {
        let mut state = lock(&self.state);
        let moved = &mut state.parts[part as usize];
        if moved.unsettled == 0 {
            return None;
        }
        moved.member = to.clone();
        moved.in_flight = true;
        moved.listeners = [listener].into();
        let listeners = moved.listeners.clone();
        drop(state);
        Some(Delivery::new(self, part, to.clone(), listeners))
    }

    fn finished(&self, finished: Option<(Reply, Outcome, Vec<Deadline>)>) {
        let Some((reply, outcome, deadlines)) = finished else { return };
        deadlines.into_iter().for_each(deadline::cancel);
        let failed = outcome.failed();
        match reply {
            Reply::None => self.emitter.ended(1, failed),
            Reply::Letter(token) => {
                let mailbox = self.emitter.endpoint().mailbox();
                // In this order: whoever sees nothing pending any more may end, and must find the
                // letter before it does. And one wake, sent last, is enough for both.
                let must_ring = mailbox.put(Letter::Settled { token, outcome }).unwrap_or(false);
                self.emitter.ended(1, failed);
                if must_ring {
                    mailbox.ring();
                }
            }
            Reply::Future(sender) => {
                self.emitter.ended(1, failed);
                drop(sender.send(outcome));
            }
        }
    }
}

impl State {
    /// What is left to do with no lock held, if that was the last part.
    fn finish(&mut self) -> Option<(Reply, Outcome, Vec<Deadline>)> {
        (self.open == 0).then(|| {
            let reply = std::mem::replace(&mut self.reply, Reply::None);
            let mut outcome = std::mem::take(&mut self.outcome);
            outcome.failures.sort_by_key(|failure| (failure.part, failure.index));
            (reply, outcome, std::mem::take(&mut self.deadlines))
        })
    }
}

/// One part of a dispatch, held by whoever works on it. See the [module](self).
pub struct Delivery {
    dispatch: Arc<Dispatch>,
    part: u32,
    member: Arc<Member>,
    listeners: Arc<[ListenerId]>,
    /// It takes room in its member's mailbox.
    waits: bool,
}

impl Delivery {
    /// The caller has taken the room for it.
    fn new(
        dispatch: &Arc<Dispatch>,
        part: u32,
        member: Arc<Member>,
        listeners: Arc<[ListenerId]>,
    ) -> Self {
        member.taken_on();
        Delivery { dispatch: dispatch.clone(), part, member, listeners, waits: true }
    }

    /// What it is a part of.
    pub fn dispatch(&self) -> &Arc<Dispatch> {
        &self.dispatch
    }

    /// To whom it goes.
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Whose event it is.
    pub fn emitter(&self) -> &Arc<Member> {
        &self.dispatch.emitter
    }

    /// Which listeners of that member, in the order in which they are to be called.
    pub fn listeners(&self) -> &[ListenerId] {
        &self.listeners
    }

    /// The event.
    pub fn event(&self) -> &str {
        self.dispatch.event()
    }

    /// Its arguments, encoded.
    pub fn payload(&self) -> &[u8] {
        self.dispatch.payload()
    }

    /// Whether the listener's value is wanted.
    pub fn is_request(&self) -> bool {
        self.dispatch.to_one
    }

    /// Whether [`start`](Self::start) has to be called before the first listener is.
    pub fn must_start(&self) -> bool {
        self.dispatch.limited
    }

    /// The listeners are about to be called. False if they must not be: the time is over, or the
    /// emitter gave up. Once started, it is not given to another member.
    #[must_use = "false means that the listeners must not be called"]
    pub fn start(&self) -> bool {
        let mut state = lock(&self.dispatch.state);
        let withdrawn = state.withdrawn;
        let part = &mut state.parts[self.part as usize];
        if withdrawn || part.unsettled == 0 {
            return false;
        }
        part.started = true;
        true
    }

    /// The listener at `index` fails with [`Cause::TimedOut`] if it has not settled in `ms`.
    pub fn limit(&self, index: u32, ms: u32) {
        let dispatch: Weak<Dispatch> = Arc::downgrade(&self.dispatch);
        let part = self.part;
        self.dispatch.set_deadline(ms, move || {
            if let Some(dispatch) = dispatch.upgrade() {
                dispatch.settle(part, index, Err(Cause::TimedOut(ms)));
            }
        });
    }

    /// The listener at `index` is done, with what it returned if that is [wanted](Self::is_request).
    /// A listener that had settled before is not counted again.
    pub fn succeed(&self, index: u32, answer: Option<Vec<u8>>) {
        self.dispatch.settle(self.part, index, Ok(answer));
    }

    /// The listener at `index` failed, with an encoded error.
    pub fn fail(&self, index: u32, error: Vec<u8>) {
        self.dispatch.settle(self.part, index, Err(Cause::Failed(error)));
    }

    /// The listener at `index` will never be done: it is [gone](Cause::Gone), and the others are not.
    pub fn lose(&self, index: u32) {
        self.dispatch.settle(self.part, index, Err(Cause::Gone));
    }

    /// The listener at `index` was removed before the event came to it, by a removal that holds for
    /// it: it counts for nothing.
    pub fn withdraw(&self, index: u32) {
        let finished = {
            let mut state = lock(&self.dispatch.state);
            let part = &mut state.parts[self.part as usize];
            if !part.settle(index) || part.unsettled > 0 {
                return;
            }
            state.open -= 1;
            state.finish()
        };
        self.dispatch.finished(finished);
    }

    /// It was taken out of the mailbox.
    pub(super) fn collected(&mut self) {
        if std::mem::replace(&mut self.waits, false) {
            self.member.collected(1, self.dispatch.payload.len());
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.collected();
        self.dispatch.let_go(self.part);
        self.dispatch.abandon(self.part, &self.member);
    }
}
