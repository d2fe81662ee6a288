//! Timers are met in order, and those that are taken back are gone.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::mpsc;
use std::time::Duration;

use common::{WATCHDOG, alone};
use parallel_event_bus::engine::metrics::TIMERS;
use parallel_event_bus::engine::timer::{cancel, schedule};

const AN_HOUR: Duration = Duration::from_secs(3_600);

/// Keeps the thread of the timers busy until the result is dropped, so that a test can set several as if at
/// one moment.
fn hold() -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    schedule(Duration::ZERO, move || {
        begin.send(()).unwrap();
        let _ = released.recv();
    });
    begun.recv_timeout(WATCHDOG).unwrap();
    release
}

#[test]
fn they_are_met_in_the_order_of_their_times_whatever_the_order_in_which_they_were_set() {
    let _alone = alone();
    let (met, seen) = mpsc::channel();
    let held = hold();
    for ms in [30, 10, 20, 10] {
        let met = met.clone();
        schedule(Duration::from_millis(ms), move || met.send(ms).unwrap());
    }
    drop(held);
    let order: Vec<_> = (0..4).map(|_| seen.recv_timeout(WATCHDOG).unwrap()).collect();
    assert_eq!(order, [10, 10, 20, 30]);
}

#[test]
fn an_earlier_one_does_not_wait_for_a_later_one() {
    let _alone = alone();
    let (met, seen) = mpsc::channel();
    let late = schedule(AN_HOUR, || {});
    schedule(Duration::from_millis(1), move || met.send(()).unwrap());
    seen.recv_timeout(WATCHDOG).unwrap();
    cancel(late);
}

#[test]
fn one_that_is_taken_back_is_gone_with_whatever_it_held() {
    let _alone = alone();
    let before = TIMERS.get();
    let (held, dropped) = mpsc::channel::<()>();
    let timer = schedule(AN_HOUR, move || drop(held));
    assert_eq!(TIMERS.get(), before + 1);
    cancel(timer);
    assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    assert_eq!(TIMERS.get(), before);
    cancel(timer);
    assert_eq!(TIMERS.get(), before, "taking back twice is harmless");
}

#[test]
fn one_that_was_taken_back_in_time_is_never_met() {
    let _alone = alone();
    let (met, seen) = mpsc::channel();
    let held = hold();
    let cancelled = met.clone();
    let timer = schedule(Duration::ZERO, move || cancelled.send("taken back").unwrap());
    schedule(Duration::from_millis(1), move || met.send("kept").unwrap());
    cancel(timer);
    drop(held);
    assert_eq!(seen.recv_timeout(WATCHDOG), Ok("kept"));
    assert!(seen.recv_timeout(WATCHDOG).is_err());
}

#[test]
fn a_panic_at_one_timer_does_not_cost_the_next() {
    let _alone = alone();
    let (met, seen) = mpsc::channel();
    schedule(Duration::ZERO, || panic!("on purpose"));
    schedule(Duration::from_millis(1), move || met.send(()).unwrap());
    seen.recv_timeout(WATCHDOG).unwrap();
}

#[test]
fn a_timer_may_be_further_away_than_a_clock_can_count() {
    let _alone = alone();
    cancel(schedule(Duration::MAX, || unreachable!("in another century")));
}
