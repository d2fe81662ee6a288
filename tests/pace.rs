//! When a reader looks, stays awake, sleeps and yields.
#![cfg(not(feature = "loom"))]

use std::time::{Duration, Instant};

use parallel_event_bus::engine::pace::{Look, Pace};

const CORES: usize = 2;
const AT_ONCE: Look = Look::Once { after: Duration::ZERO };
/// Untracked events that are no stream yet, and that are one.
const FEW: usize = 15;
const MANY: usize = 16;

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// The pace of a reader that found so many untracked events, and when it did.
fn found(untracked: usize) -> (Pace, Instant) {
    let (mut pace, now) = (Pace::new(CORES), Instant::now());
    pace.found(now, untracked);
    (pace, now)
}

#[test]
fn a_reader_that_has_found_nothing_yet_looks_once() {
    let (mut pace, now) = (Pace::new(CORES), Instant::now());
    assert_eq!(pace.next(now, false, 1), AT_ONCE);
    pace.found_nothing();
    assert_eq!(pace.next(now, false, CORES + 1), AT_ONCE);
}

#[test]
fn a_reader_stays_awake_for_a_moment_after_messages() {
    let (mut pace, then) = found(0);
    let awake = Look::Awake { yields: false };
    assert_eq!(pace.next(then, false, CORES), awake);
    assert_eq!(pace.next(then + micros(19), true, CORES), awake);
    assert_eq!(pace.next(then + micros(20), false, CORES), AT_ONCE);
}

#[test]
fn looks_that_find_nothing_do_not_keep_it_awake() {
    let (mut pace, then) = found(0);
    pace.found_nothing();
    assert_eq!(pace.next(then + micros(19), false, 1), Look::Awake { yields: false });
    assert_eq!(pace.next(then + micros(20), false, 1), AT_ONCE);
}

#[test]
fn a_reader_that_stays_awake_yields_where_readers_share_cores() {
    let (mut pace, then) = found(FEW);
    assert_eq!(pace.next(then, false, CORES), Look::Awake { yields: false });
    assert_eq!(pace.next(then, false, CORES + 1), Look::Awake { yields: true });
}

#[test]
fn a_stream_is_left_to_gather() {
    let (mut pace, then) = found(MANY);
    for has_unread in [false, true] {
        assert_eq!(pace.next(then, has_unread, CORES), Look::Later);
        assert_eq!(pace.next(then + micros(99), has_unread, CORES), Look::Later);
        assert_eq!(pace.next(then + micros(100), has_unread, CORES), AT_ONCE);
    }
}

#[test]
fn a_reader_sleeps_while_a_stream_gathers_where_readers_share_cores() {
    let (mut pace, then) = found(MANY);
    let after = |after| Look::Once { after };
    assert_eq!(pace.next(then + micros(30), false, CORES + 1), after(micros(70)));
    assert_eq!(pace.next(then + micros(30), true, CORES + 1), Look::Later, "it has work to do");
    assert_eq!(pace.next(then + micros(100), false, CORES + 1), AT_ONCE);
}

#[test]
fn a_stream_ends_with_a_look_that_finds_little() {
    let (mut pace, then) = found(MANY);
    pace.found(then + micros(100), FEW);
    assert_eq!(pace.next(then + micros(101), false, 1), Look::Awake { yields: false });
    pace.found(then + micros(110), MANY);
    pace.found_nothing();
    assert_eq!(pace.next(then + micros(111), false, 1), Look::Awake { yields: false });
}

#[test]
fn a_clock_that_stands_or_steps_back_is_no_time() {
    let (mut pace, then) = found(0);
    let before = then.checked_sub(micros(50)).unwrap_or(then);
    assert_eq!(pace.next(before, false, 1), Look::Awake { yields: false });
}

/// Looks so long after the last messages, and finds some in that look. Returns that time, and whether it was awake.
fn find(pace: &mut Pace, then: Instant, after: u64) -> (Instant, bool) {
    let now = then + micros(after);
    let is_awake = matches!(pace.next(now, false, 1), Look::Awake { .. });
    pace.found(now, FEW);
    (now, is_awake)
}

#[test]
fn a_reader_whose_messages_come_late_again_and_again_does_not_wait_awake_for_them() {
    let (mut pace, mut then) = found(0);
    for _ in 0..3 {
        assert_ne!(pace.next(then, false, 1), AT_ONCE);
        (then, _) = find(&mut pace, then, 30);
    }
    assert_eq!(pace.next(then + micros(1), false, 1), AT_ONCE);
    let mut tries = 0;
    for _ in 0..1000 {
        let is_awake;
        (then, is_awake) = find(&mut pace, then, 30);
        assert!(!is_awake);
        tries += u32::from(pace.next(then, false, 1) != AT_ONCE);
    }
    assert!((10..20).contains(&tries), "{tries}");
}

#[test]
fn a_reader_that_gave_up_waits_awake_again_when_that_pays() {
    let (mut pace, mut then) = found(0);
    for _ in 0..3 {
        (then, _) = find(&mut pace, then, 30);
    }
    let mut awake = 0;
    for _ in 0..200 {
        let is_awake;
        (then, is_awake) = find(&mut pace, then, 5);
        awake += u32::from(is_awake);
    }
    assert!(awake > 100, "{awake}");
    assert_eq!(pace.next(then + micros(19), false, 1), Look::Awake { yields: false });
}
