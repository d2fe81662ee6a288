//! Both bounds of what may wait, and what counts as much and as little of it.
#![cfg(not(feature = "loom"))]

use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_event_bus::core::quota::{Limits, Quota};

fn quota(messages: usize, bytes: usize) -> Quota {
    Quota::new(Limits { messages, bytes })
}

#[test]
fn there_is_room_for_exactly_so_many_messages() {
    let quota = quota(3, 1_000);
    assert!((0..3).all(|_| quota.take(1)));
    assert!(!quota.take(0));
    assert_eq!(quota.messages(), 3);
    quota.give_back(2, 2);
    assert_eq!(quota.messages(), 1);
    assert!((0..2).all(|_| quota.take(1)));
    assert!(!quota.take(1));
    assert!(!self::quota(0, 1_000).take(0), "no messages at all");
}

#[test]
fn there_is_room_for_exactly_so_many_bytes() {
    let quota = quota(100, 10);
    assert!(quota.take(4) && quota.take(6));
    assert!(!quota.take(1));
    assert!(quota.take(0), "which is no byte more");
    quota.give_back(1, 6);
    assert!(!quota.take(7) && quota.take(6));
}

#[test]
fn one_message_may_be_larger_if_nothing_else_waits() {
    let quota = quota(100, 10);
    assert!(quota.take(1_000_000));
    assert!(!quota.take(1));
    quota.give_back(1, 1_000_000);
    assert!(quota.take(1));
    assert!(!quota.take(1_000_000), "something else waits");
    assert!(quota.take(9));
}

#[test]
fn a_deposit_that_was_refused_has_taken_nothing() {
    let quota = quota(2, 10);
    assert!(quota.take(5));
    assert!(!quota.take(6));
    assert!(!quota.take(usize::MAX));
    assert_eq!(quota.messages(), 1);
    assert!(quota.take(5));
}

#[test]
fn much_is_more_than_half_and_little_no_more_than_a_quarter_of_either_bound() {
    let quota = quota(8, 80);
    let take = |count: usize, bytes| (0..count).for_each(|_| assert!(quota.take(bytes)));
    assert!(quota.is_low() && !quota.is_high());
    take(2, 0);
    assert!(quota.is_low());
    take(1, 0);
    assert!(!quota.is_low());
    take(1, 0);
    assert!(!quota.is_high());
    take(1, 0);
    assert!(quota.is_high());
    quota.give_back(5, 0);

    take(1, 20);
    assert!(quota.is_low());
    take(1, 1);
    assert!(!quota.is_low() && !quota.is_high());
    quota.give_back(2, 21);
    take(1, 41);
    assert!(quota.is_high(), "in bytes");
}

#[test]
fn bounds_beyond_what_can_be_counted_are_as_much_as_can_be() {
    let quota = quota(usize::MAX, usize::MAX);
    assert!((0..1_000).all(|_| quota.take(1 << 20)));
    assert!(quota.is_low());
    quota.give_back(1_000, 1_000 << 20);
    assert_eq!(quota.messages(), 0);
}

#[test]
fn threads_that_take_and_give_back_never_have_more_than_the_bounds_allow() {
    let quota = quota(3, 8);
    let taken = AtomicUsize::new(0);
    let (most_messages, most_bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (quota, taken) = (&quota, &taken);
            let (most_messages, most_bytes) = (&most_messages, &most_bytes);
            scope.spawn(move || {
                for round in 0..20_000 {
                    let bytes = (thread + round) % 5;
                    if quota.take(bytes) {
                        // Messages above, bytes below, as one number so that both are of one moment.
                        let share = (1 << 16) + bytes;
                        let now = taken.fetch_add(share, Ordering::SeqCst) + share;
                        most_messages.fetch_max(now >> 16, Ordering::SeqCst);
                        most_bytes.fetch_max(now & 0xffff, Ordering::SeqCst);
                        taken.fetch_sub(share, Ordering::SeqCst);
                        quota.give_back(1, bytes);
                    }
                }
            });
        }
    });
    assert!(most_messages.into_inner() <= 3 && most_bytes.into_inner() <= 8);
    assert_eq!(quota.messages(), 0);
    assert!(quota.take(8), "no byte is missing");
}
