//! Stalls: a thread that has not turned its event loop for long, whether or not something waits for it.
//!
//! An endpoint is looked at a few times in the time that it may take. It shows life by a look into its mailbox, or by time
//! that it was [idle](Wake::idle). One that shows none is woken, so that it looks if it can. The time that it was
//! silent is told as soon as it is over, so late by no more than a quarter, and
//! again each time that it has lasted twice as long.
//!
//! Of an owner that cannot tell when it is idle, only one with something to do is expected to look.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use crate::engine::mailbox::Wake;
use crate::engine::timer;

/// Number of times that an endpoint is looked at in the time that it may take.
const LOOKS: u32 = 5;

/// The signs of life of an endpoint.
pub(super) struct Pulse {
    /// The time that it may be silent; zero for any.
    limit: Duration,
    /// The signs that were seen last, and when.
    looks: u64,
    idle: Option<Duration>,
    seen_at: Instant,
    silence: Duration,
    /// The silence that is told of next.
    told_at: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse {
            limit: Duration::ZERO,
            looks: 0,
            idle: None,
            seen_at: Instant::now(),
            silence: Duration::ZERO,
            told_at: Duration::ZERO,
        }
    }
}

impl Endpoint {
    /// Others of its channels are told when it has shown no life for so long. The shortest of several counts.
    pub fn watch_for_stalls(self: &Arc<Self>, after: Duration) {
        let after = after.max(Duration::from_millis(1));
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        if !pulse.limit.is_zero() && pulse.limit <= after {
            return;
        }
        (pulse.limit, pulse.told_at, pulse.seen_at) = (after, after, Instant::now());
        drop(pulse);
        // Looks for a longer limit end by themselves.
        self.look_at_it_in(after / LOOKS, after);
    }

    /// Returns for how long it has been silent; zero if that is not as long as it may.
    pub fn stalled_for(&self) -> Duration {
        let pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = !pulse.limit.is_zero() && pulse.silence >= pulse.limit;
        if is_over { pulse.silence + pulse.seen_at.elapsed() } else { Duration::ZERO }
    }

    fn look_at_it_in(self: &Arc<Self>, delay: Duration, limit: Duration) {
        let endpoint = Arc::downgrade(self);
        timer::schedule_quietly(delay, move || {
            if let Some(endpoint) = endpoint.upgrade()
                && !endpoint.mailbox().is_closed()
            {
                endpoint.feel_pulse(limit);
            }
        });
    }

    fn feel_pulse(self: &Arc<Self>, limit: Duration) {
        let (idle, looks) = (self.mailbox().waker().idle(), self.looks());
        let has_to_look = self.mailbox().is_wake_pending();
        let (next, silence, is_news) = {
            let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            if limit != pulse.limit {
                return;
            }
            let is_alive = looks != pulse.looks
                || idle > pulse.idle
                || (idle.is_none() && !has_to_look && !self.has_unsettled());
            let (every, now) = (limit / LOOKS, Instant::now());
            // A process that was suspended has seen nothing of its threads.
            let passed = now.duration_since(pulse.seen_at).min(2 * every);
            pulse.silence = if is_alive { Duration::ZERO } else { pulse.silence + passed };
            (pulse.looks, pulse.idle, pulse.seen_at) = (looks, idle, now);
            if is_alive {
                pulse.told_at = limit;
            }
            let is_news = pulse.silence >= pulse.told_at;
            if is_news {
                pulse.told_at = 2 * pulse.silence;
            }
            let next = every.min(pulse.told_at - pulse.silence);
            (next, pulse.silence, is_news)
        };
        if !silence.is_zero() && !has_to_look && self.mailbox().claim_wake() {
            self.mailbox().send_wake();
        }
        if is_news {
            self.tell_of_stall(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX));
        }
        self.look_at_it_in(next, limit);
    }
}
