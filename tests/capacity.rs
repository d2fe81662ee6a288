//! Both bounds of a member's room, and the marks of how much of it is used.
#![cfg(not(feature = "loom"))]

use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_event_bus::engine::capacity::{Bound, Capacity, Crossed, MailboxLimits};

fn capacity(events: usize, bytes: usize) -> Capacity {
    Capacity::new(MailboxLimits { max_messages: events, max_bytes: bytes })
}

/// Whether there was room.
fn take(capacity: &Capacity, bytes: usize) -> bool {
    capacity.take(bytes).is_ok()
}

#[test]
fn there_is_room_for_exactly_so_many_events() {
    let capacity = capacity(3, 1_000);
    assert!((0..3).all(|_| take(&capacity, 1)));
    assert!(!take(&capacity, 0));
    assert_eq!(capacity.events(), 3);
    capacity.give_back(2, 2);
    assert_eq!(capacity.events(), 1);
    assert!((0..2).all(|_| take(&capacity, 1)));
    assert!(!take(&capacity, 1));
    assert!(!take(&self::capacity(0, 1_000), 0), "no events at all");
}

#[test]
fn there_is_room_for_exactly_so_many_bytes() {
    let capacity = capacity(100, 10);
    assert!(take(&capacity, 4) && take(&capacity, 6));
    assert!(!take(&capacity, 1));
    assert!(take(&capacity, 0), "which is no byte more");
    capacity.give_back(1, 6);
    assert!(!take(&capacity, 7) && take(&capacity, 6));
}

#[test]
fn a_refusal_names_the_bound_that_was_exceeded() {
    let capacity = capacity(2, 10);
    assert!(take(&capacity, 4));
    assert_eq!(capacity.take(7), Err(Bound::Bytes(10)));
    assert!(take(&capacity, 0));
    assert_eq!(capacity.take(7), Err(Bound::Messages(2)), "neither would do");
}

#[test]
fn one_event_may_be_larger_if_nothing_else_waits() {
    let capacity = capacity(100, 10);
    assert!(take(&capacity, 1_000_000));
    assert!(!take(&capacity, 1));
    capacity.give_back(1, 1_000_000);
    assert!(take(&capacity, 1));
    assert!(!take(&capacity, 1_000_000), "something else waits");
    assert!(take(&capacity, 9));
}

#[test]
fn a_deposit_that_was_refused_has_taken_nothing() {
    let capacity = capacity(2, 10);
    assert!(take(&capacity, 5));
    assert!(!take(&capacity, 6));
    assert!(!take(&capacity, usize::MAX));
    assert_eq!(capacity.events(), 1);
    assert!(take(&capacity, 5));
}

#[test]
fn the_marks_are_at_more_than_half_and_at_no_more_than_a_quarter_of_either_bound() {
    let capacity = capacity(8, 80);
    let take = |bytes| capacity.take(bytes).unwrap();
    for _ in 0..4 {
        assert_eq!(take(0), Crossed::Nothing);
    }
    assert!(!capacity.is_high());
    assert_eq!(take(0), Crossed::IntoHigh);
    assert!(capacity.is_high());
    assert_eq!(take(0), Crossed::Nothing, "it was high before");
    assert_eq!(capacity.give_back(1, 0), Crossed::Nothing);
    assert_eq!(capacity.give_back(1, 0), Crossed::OutOfHigh);
    assert!(!capacity.is_high());
    assert_eq!(capacity.give_back(1, 0), Crossed::Nothing);
    assert_eq!(capacity.give_back(1, 0), Crossed::IntoLow);
    assert_eq!(capacity.give_back(2, 0), Crossed::Nothing);

    assert_eq!(take(40), Crossed::Nothing);
    assert_eq!(take(1), Crossed::IntoHigh, "in bytes");
    assert_eq!(take(1), Crossed::Nothing);
    assert_eq!(capacity.give_back(1, 2), Crossed::OutOfHigh);
    assert_eq!(capacity.give_back(1, 19), Crossed::Nothing);
    assert_eq!(capacity.give_back(1, 1), Crossed::IntoLow);
    assert_eq!((take(20), take(40)), (Crossed::Nothing, Crossed::IntoHigh));
    assert_eq!(capacity.give_back(2, 60), Crossed::IntoLow, "past both marks");
}

#[test]
fn a_capacity_is_high_without_some_of_its_events_if_the_rest_is_more_than_half() {
    let capacity = capacity(8, 80);
    assert!(!capacity.is_high_without(0), "nothing is used");
    assert!((0..6).all(|_| take(&capacity, 0)));
    assert!(capacity.is_high_without(1));
    assert!(!capacity.is_high_without(2) && !capacity.is_high_without(100));
    capacity.give_back(6, 0);
    assert!(take(&capacity, 20) && take(&capacity, 40));
    assert!(capacity.is_high_without(0));
    assert!(!capacity.is_high_without(1), "half of the bytes are not more than half");
}

#[test]
fn of_several_threads_that_change_it_at_once_one_crosses_each_mark() {
    let capacity = capacity(8, 1_000);
    let (up, down) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let taken: Vec<_> = (0..3).filter_map(|_| capacity.take(1).ok()).collect();
                    for crossed in taken {
                        up.fetch_add(usize::from(crossed == Crossed::IntoHigh), Ordering::Relaxed);
                        let high = matches!(capacity.give_back(1, 1), Crossed::OutOfHigh);
                        down.fetch_add(usize::from(high), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(up.into_inner(), down.into_inner(), "it went up as often as it went down");
    assert!(!capacity.is_high());
}

#[test]
fn bounds_beyond_what_can_be_counted_are_as_much_as_can_be() {
    let capacity = capacity(usize::MAX, usize::MAX);
    assert!((0..1_000).all(|_| take(&capacity, 1 << 20)));
    assert!(!capacity.is_high());
    capacity.give_back(1_000, 1_000 << 20);
    assert_eq!(capacity.events(), 0);
}

#[test]
fn threads_that_take_and_give_back_never_have_more_than_the_bounds_allow() {
    let capacity = capacity(3, 8);
    let taken = AtomicUsize::new(0);
    let (most_events, most_bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (capacity, taken) = (&capacity, &taken);
            let (most_events, most_bytes) = (&most_events, &most_bytes);
            scope.spawn(move || {
                for round in 0..20_000 {
                    let bytes = (thread + round) % 5;
                    if take(capacity, bytes) {
                        // Events above, bytes below, as one number so that both are of one moment.
                        let share = (1 << 16) + bytes;
                        let now = taken.fetch_add(share, Ordering::SeqCst) + share;
                        most_events.fetch_max(now >> 16, Ordering::SeqCst);
                        most_bytes.fetch_max(now & 0xffff, Ordering::SeqCst);
                        taken.fetch_sub(share, Ordering::SeqCst);
                        capacity.give_back(1, bytes);
                    }
                }
            });
        }
    });
    assert!(most_events.into_inner() <= 3 && most_bytes.into_inner() <= 8);
    assert_eq!(capacity.events(), 0);
    assert!(take(&capacity, 8), "no byte is missing");
}

#[test]
fn what_another_one_had_may_exceed_the_bounds_by_those_of_that_one() {
    let (full, gone) = (capacity(2, 100), capacity(3, 50));
    assert!(take(&full, 40) && take(&full, 40));
    let take_over = |bytes| full.take_over(bytes, &gone);
    assert!((0..3).all(|_| take_over(10).is_ok()));
    assert_eq!(take_over(1), Err(Bound::Messages(2)));
    full.give_back(1, 10);
    assert!(take_over(50).is_ok());
    full.give_back(1, 0);
    assert!(take_over(1).is_err(), "of the bytes, too");
    assert!(!take(&full, 0), "for others the bounds are the same");
    assert_eq!((full.events(), full.bytes()), (4, 150));
}

#[test]
fn an_event_that_was_alone_in_its_mailbox_finds_room_elsewhere_however_large_it_is() {
    let (full, gone) = (capacity(2, 100), capacity(3, 50));
    assert!(take(&full, 100));
    assert!(full.take_over(5_000, &gone).is_ok());
}

#[test]
fn more_than_can_be_counted_is_not_taken_over() {
    let (all, gone) = (capacity(usize::MAX, usize::MAX), capacity(usize::MAX, usize::MAX));
    assert!(take(&all, (1 << 40) - 1));
    assert!(all.take_over(1, &gone).is_err());
    assert!(all.take_over(0, &gone).is_ok());
}
