//! Timers: they fire on time, although the JS threads may be stuck.
//!
//! One thread of the process sleeps until the earliest timer. It is started with the first one and lives as
//! long as the process. Timers are kept in order of time in a balanced tree, so that setting and cancelling
//! one costs O(log n). One that is cancelled is gone at once, with all that it would have touched.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::metrics;

type Act = Box<dyn FnOnce() + Send>;

/// Names one timer, for [`cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    at: Instant,
    /// Tells timers of the same moment apart.
    number: u64,
}

struct Pending {
    acts: BTreeMap<Timer, (Act, Option<metrics::Counted>)>,
    last_number: u64,
    started: bool,
}

static PENDING: LazyLock<Mutex<Pending>> =
    LazyLock::new(|| Mutex::new(Pending { acts: BTreeMap::new(), last_number: 0, started: false }));
static EARLIER: Condvar = Condvar::new();
static IS_FROZEN: AtomicBool = AtomicBool::new(false);

/// No timer is further away than this: a century, which every clock can count.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Calls `act` after `delay`, on the thread of the timers: it must neither block nor take long.
pub fn schedule(delay: Duration, act: impl FnOnce() + Send + 'static) -> Timer {
    add(delay, Box::new(act), Some(metrics::TIMERS.count()))
}

/// Schedules as [`schedule`], for a timer that is there as long as its owner, and waits for nothing. It is not counted.
pub fn schedule_quietly(delay: Duration, act: impl FnOnce() + Send + 'static) -> Timer {
    add(delay, Box::new(act), None)
}

/// Keeps all timers of the process from firing, for good: a test makes their calls itself, when it wants to.
pub fn freeze() {
    IS_FROZEN.store(true, Ordering::Release);
}

fn add(delay: Duration, act: Act, counted: Option<metrics::Counted>) -> Timer {
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    pending.last_number += 1;
    let at = Instant::now() + delay.min(LONGEST);
    let timer = Timer { at, number: pending.last_number };
    let is_earliest = pending.acts.first_key_value().is_none_or(|(first, _)| timer < *first);
    pending.acts.insert(timer, (act, counted));
    if !pending.started {
        pending.started = true;
        // Failing to start is a process out of threads. Timers then wait for the next try.
        let thread = std::thread::Builder::new().name("event-bus-timers".into());
        pending.started = thread.spawn(run).is_ok();
    } else if is_earliest {
        EARLIER.notify_one();
    }
    timer
}

/// Takes a timer back. Too late is no error: it has been met then, or is being met.
pub fn cancel(timer: Timer) {
    // Dropped outside the lock: it may be the last thing that holds a dispatch.
    let _gone = {
        let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
        pending.acts.remove(&timer)
    };
}

fn run() {
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = Instant::now();
        let wait = pending.acts.first_key_value().map(|(first, _)| first.at.duration_since(now));
        pending = match wait {
            _ if IS_FROZEN.load(Ordering::Acquire) => {
                EARLIER.wait(pending).unwrap_or_else(PoisonError::into_inner)
            }
            Some(Duration::ZERO) => {
                let due = pending.acts.pop_first();
                drop(pending);
                if let Some((_, (act, _))) = due {
                    // A panic here is a defect; it must not cost all later timers.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
                }
                PENDING.lock().unwrap_or_else(PoisonError::into_inner)
            }
            Some(wait) => {
                EARLIER.wait_timeout(pending, wait).unwrap_or_else(PoisonError::into_inner).0
            }
            None => EARLIER.wait(pending).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
