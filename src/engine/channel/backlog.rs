//! Deliveries that were chosen among several listeners and have not started, in the order of emission: a member that
//! has nothing to do may take them over from those that hold them.
//!
//! That a delivery has started is not said here: to begin with one must not cost a lock that emitters hold. What has
//! started, settled or is gone is dropped when it is met, so that the memory is bounded by what is in flight, and a
//! delivery costs the same however many there are.
//!
//! A delivery is *ripe* at a [tick](Backlog::ripen) if it was there when that was scheduled. Its member had the time of
//! a wake to begin with it, so to take it over is no race against that.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::Dispatch;
use super::member::Member;
use crate::engine::delivery::recipient::Choice;
use crate::engine::ids::ListenerId;
use crate::engine::metrics;

/// Number of deliveries from which on those that are not needed are looked for.
const FIRST_SWEEP: usize = 256;

/// Number of deliveries that are looked at to find some for one member.
const MOST_LOOKED_AT: usize = 256;

/// Deliveries of one choice. See the [module](self).
pub(super) struct Backlog {
    choice: Choice,
    waiting: VecDeque<Waiting>,
    /// Number of deliveries that were added.
    added: u64,
    /// Number of those of them that are ripe, or gone.
    ripe: u64,
    /// Number of those that are at the next tick.
    marked: u64,
    /// Number of those that were at the last but one.
    overdue: u64,
    sweep_at: usize,
}

#[derive(Clone)]
struct Waiting {
    dispatch: Weak<Dispatch>,
    recipient: u32,
    /// Its number among all that were added.
    number: u64,
}

/// A delivery that has not started.
pub(super) struct Unstarted {
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) recipient: u32,
    /// The member that holds it.
    pub(super) victim: Arc<Member>,
    /// The listener that it is for.
    pub(super) listener: ListenerId,
    /// Its number among all of the backlog.
    number: u64,
}

impl Unstarted {
    /// Returns whether the member still holds it. One that has moved may be in a backlog twice, so a caller may have
    /// moved it already, for the first of the two.
    pub(super) fn is_current(&self) -> bool {
        let held = self.dispatch.victim(self.recipient);
        held.is_some_and(|(member, _)| Arc::ptr_eq(&member, &self.victim))
    }
}

impl Backlog {
    pub(super) fn new(choice: Choice) -> Self {
        Backlog {
            choice,
            waiting: VecDeque::new(),
            added: 0,
            ripe: 0,
            marked: 0,
            overdue: 0,
            sweep_at: FIRST_SWEEP,
        }
    }

    pub(super) fn choice(&self) -> &Choice {
        &self.choice
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the number of deliveries, with those that are gone and have not been met.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_ripe(&self, unstarted: &Unstarted) -> bool {
        unstarted.number < self.ripe
    }

    /// Adds a delivery.
    pub(super) fn push(&mut self, dispatch: &Arc<Dispatch>, recipient: u32) {
        // Two for one, so that none of those at the front stays that are gone.
        for _ in 0..2 {
            if self.waiting.front().is_some_and(|first| first.dispatch.strong_count() == 0) {
                self.waiting.pop_front();
            }
        }
        if self.waiting.len() >= self.sweep_at {
            self.waiting.retain(|waiting| waiting.dispatch.strong_count() > 0);
            self.sweep_at = FIRST_SWEEP.max(2 * self.waiting.len());
        }
        let (dispatch, number) = (Arc::downgrade(dispatch), self.added);
        self.waiting.push_back(Waiting { dispatch, recipient, number });
        self.added += 1;
    }

    /// Returns those that have not started, in order: all behind the last one that has to stay. `met` gets dispatches to be
    /// dropped when no lock is held.
    pub(super) fn unstarted(&self, met: &mut Vec<Arc<Dispatch>>) -> Vec<Unstarted> {
        let mut found = Vec::new();
        for waiting in &self.waiting {
            match waiting.find(met) {
                Some(unstarted) => found.push(unstarted),
                None if waiting.is_bound(met) => found.clear(),
                None => {}
            }
        }
        found
    }

    /// Notes that a tick is scheduled.
    pub(super) fn mark(&mut self) {
        self.marked = self.added;
    }

    /// Notes a tick. Returns whether some is ripe, and whether some is not, or not for long. `met` gets what is to be
    /// dropped when no lock is held.
    pub(super) fn ripen(&mut self, met: &mut Vec<Arc<Dispatch>>) -> (bool, bool) {
        while self.waiting.front().is_some_and(|first| first.find(met).is_none()) {
            self.waiting.pop_front();
        }
        (self.overdue, self.ripe) = (self.ripe, self.marked);
        let has_ripe = self.waiting.front().is_some_and(|first| first.number < self.ripe);
        (has_ripe, self.overdue < self.added && !self.waiting.is_empty())
    }

    /// Returns the first ripe deliveries that may be taken, at most so many. `may_take` is told whether one was ripe at
    /// the tick before, too.
    pub(super) fn ripe(
        &mut self,
        most: usize,
        may_take: impl Fn(&Unstarted, bool) -> bool,
        met: &mut Vec<Arc<Dispatch>>,
    ) -> Vec<Unstarted> {
        let (mut found, mut passed) = (Vec::new(), Vec::new());
        while found.len() < most && passed.len() < MOST_LOOKED_AT {
            let is_ripe = self.waiting.front().is_some_and(|first| first.number < self.ripe);
            let Some(first) = is_ripe.then(|| self.waiting.pop_front()).flatten() else { break };
            if let Some(unstarted) = first.find(met) {
                if may_take(&unstarted, first.number < self.overdue) {
                    found.push(unstarted);
                }
                passed.push(first);
            }
        }
        // In their places again: they have not started yet.
        passed.into_iter().rev().for_each(|waiting| self.waiting.push_front(waiting));
        found
    }
}

impl Waiting {
    /// Returns whether the delivery has not started, and has to stay with its member.
    fn is_bound(&self, met: &mut Vec<Arc<Dispatch>>) -> bool {
        self.dispatch.upgrade().is_some_and(|dispatch| {
            met.push(dispatch.clone());
            dispatch.is_bound(self.recipient)
        })
    }

    /// Returns the delivery, if it has not started.
    fn find(&self, met: &mut Vec<Arc<Dispatch>>) -> Option<Unstarted> {
        metrics::VISITS.add(1);
        let dispatch = self.dispatch.upgrade()?;
        met.push(dispatch.clone());
        let (victim, listener) = dispatch.victim(self.recipient)?;
        Some(Unstarted {
            dispatch,
            recipient: self.recipient,
            victim,
            listener,
            number: self.number,
        })
    }
}
