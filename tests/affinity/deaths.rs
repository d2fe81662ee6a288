//! Events that a thread had not started when it ended, where the others have little room, or listen once only.

use std::sync::Arc;

use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::route::ListenerOptions;
use parallel_event_bus::engine::metrics;
use parallel_event_bus::engine::outcome::FailureKind;

use crate::common::*;
use crate::{emit_key, keys, numbers, of_group, request_key, work};

fn small_of_group(thread: u32, channel: &str, events: usize) -> Arc<Member> {
    let member = small_member(thread, channel, events);
    member.listen("e", 1, in_group("g"));
    member
}

fn once_of_group(thread: u32, channel: &str) -> Arc<Member> {
    let member = member(thread, channel);
    member.listen("e", 1, once_in_group());
    member
}

fn once_in_group() -> ListenerOptions {
    ListenerOptions { once: true, ..in_group("g") }
}

fn all_succeed(emitted: &mut [Emitted]) {
    assert!(emitted.iter_mut().all(|each| each.outcome().unwrap().success == 1));
}

#[test]
fn all_of_a_key_moves_where_nobody_has_room_for_all_of_it() {
    let emitter = member(1, "no room");
    let dying = small_of_group(2, "no room", 4);
    let mut emitted: Vec<_> = (0..4).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let other = small_of_group(3, "no room", 4);
    emitted.extend((4..8).map(|number| emit(&emitter, "e", &[number])));
    dying.endpoint().close();
    let held = deliveries(other.endpoint());
    assert_eq!(numbers(&held), [4, 5, 6, 7, 0, 1, 2, 3]);
    held.into_iter().for_each(work);
    all_succeed(&mut emitted);
    assert_eq!((other.capacity().events(), keys(&emitter)), (0, 0));
}

#[test]
fn room_that_is_too_little_for_all_of_a_key_serves_for_its_events_one_by_one() {
    let emitter = member(1, "one by one");
    let first = small_of_group(2, "one by one", 4);
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let dying = small_of_group(3, "one by one", 1);
    first.endpoint().close();
    let other = small_of_group(4, "one by one", 5);
    emitted.extend((3..6).map(|number| emit_key(&emitter, "b", &[number])));
    assert_eq!((dying.capacity().events(), other.capacity().events()), (3, 3));
    // Two more within its bound, and one beyond.
    dying.endpoint().close();
    let held = deliveries(other.endpoint());
    assert_eq!(numbers(&held), [3, 4, 5, 0, 1, 2]);
    held.into_iter().for_each(work);
    all_succeed(&mut emitted);
}

#[test]
fn what_has_no_key_moves_to_another_member_that_is_full() {
    let emitter = member(1, "full heir");
    let dying = small_of_group(2, "full heir", 3);
    let other = small_of_group(3, "full heir", 3);
    let mut emitted: Vec<_> = (0..6).map(|number| emit(&emitter, "e", &[number])).collect();
    dying.endpoint().close();
    assert_eq!(other.capacity().events(), 6);
    deliveries(other.endpoint()).into_iter().for_each(work);
    all_succeed(&mut emitted);
}

#[test]
fn a_mailbox_exceeds_its_bound_by_that_of_one_other_and_no_more() {
    for with_key in [true, false] {
        let channel = format!("bounded {with_key}");
        let emitter = member(1, &channel);
        let stuck = small_of_group(2, &channel, 4);
        let _there: Vec<_> = (0..4).map(|number| emit(&emitter, "e", &[number])).collect();
        let mut emitted = Vec::new();
        // It crashes, is replaced, and crashes again.
        for thread in 3..9 {
            let dying = small_of_group(thread, &channel, 4);
            emitted.extend((0..4).map(|number| match with_key {
                true => emit_key(&emitter, &format!("{thread}"), &[number]),
                false => emit(&emitter, "e", &[number]),
            }));
            dying.endpoint().close();
            assert!(stuck.capacity().events() <= 8);
        }
        let lost = emitted.iter_mut().filter_map(Emitted::outcome).inspect(|outcome| {
            assert_eq!(outcome.failures[0].kind, FailureKind::ThreadExited);
        });
        assert_eq!(lost.count(), 20);
        assert_eq!((stuck.capacity().events(), emitter.pending()), (8, 8));
    }
}

#[test]
fn as_many_of_a_key_move_as_there_is_room_for_and_those_are_the_first() {
    let emitter = member(1, "the first");
    let heir = small_of_group(2, "the first", 3);
    let _there: Vec<_> = (0..3).map(|number| emit(&emitter, "e", &[number])).collect();
    let before = small_of_group(3, "the first", 2);
    let _moved = emit_key(&emitter, "b", &[9]);
    before.endpoint().close();
    let dying = small_of_group(4, "the first", 3);
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    dying.endpoint().close();
    let held = deliveries(heir.endpoint());
    assert_eq!(numbers(&held), [0, 1, 2, 9, 0, 1]);
    let lost = emitted.pop().unwrap().outcome().unwrap();
    assert_eq!(lost.failures[0].kind, FailureKind::ThreadExited);
    held.into_iter().for_each(work);
    all_succeed(&mut emitted);
}

#[test]
fn an_event_that_a_listener_was_claimed_for_moves_before_those_behind_it() {
    for is_read in [true, false] {
        for with_key in [emit_key, request_key] {
            let channel = format!("claimed {is_read} {}", with_key as usize);
            let emitter = member(1, &channel);
            let dying = once_of_group(2, &channel);
            let mut emitted = vec![with_key(&emitter, "a", &[0])];
            let other = of_group(3, &channel);
            emitted.extend((1..4).map(|number| with_key(&emitter, "a", &[number])));
            let held = if is_read { deliveries(dying.endpoint()) } else { Vec::new() };
            if is_read {
                // As a thread does that has read it.
                let _ = dying.unlisten(1);
            }
            dying.endpoint().close();
            drop(held);
            for expected in [vec![0], vec![1, 2, 3]] {
                let held = deliveries(other.endpoint());
                assert_eq!(numbers(&held), expected);
                held.into_iter().for_each(work);
            }
            all_succeed(&mut emitted);
            assert_eq!((other.in_flight(), keys(&emitter)), (0, 0));
        }
    }
}

#[test]
fn events_of_a_key_move_to_listeners_for_one_event_one_after_the_other() {
    let emitter = member(1, "once each");
    let dying = of_group(2, "once each");
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let others = [3, 4].map(|thread| once_of_group(thread, "once each"));
    dying.endpoint().close();
    let arrived = || others.each_ref().map(|member| deliveries(member.endpoint()));
    let [first, second] = arrived();
    assert_eq!((numbers(&first), second.len()), (vec![0], 0));
    first.into_iter().for_each(work);
    let [first, second] = arrived();
    assert_eq!((first.len(), numbers(&second)), (0, vec![1]));
    second.into_iter().for_each(work);
    assert_eq!(emitted.pop().unwrap().outcome().unwrap().failed(), 1, "nobody is left");
    all_succeed(&mut emitted);
    assert_eq!(keys(&emitter), 0);
}

#[test]
fn what_waits_for_a_listener_that_was_claimed_stays_when_its_bus_leaves() {
    let emitter = member(1, "claimed and left");
    let first = of_group(2, "claimed and left");
    let _running = emit_key(&emitter, "a", &[0]);
    let running = delivery(first.endpoint());
    assert!(running.start());
    let leaving = member(3, "claimed and left");
    leaving.listen("e", 1, once_in_group());
    leaving.listen("e", 2, in_group("g"));
    let _ = first.unlisten(1);
    // Both wait for the one that runs.
    let mut emitted: Vec<_> = (1..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let other = of_group(4, "claimed and left");
    leaving.leave();
    running.succeed(0, None);
    let held = deliveries(leaving.endpoint());
    assert_eq!(numbers(&held), [1]);
    assert!(deliveries(other.endpoint()).is_empty());
    held.into_iter().for_each(work);
    assert_eq!(numbers(&deliveries(other.endpoint())), [2]);
    all_succeed(&mut emitted[..1]);
}

#[test]
fn what_came_before_an_event_that_a_listener_was_claimed_for_is_not_moved_behind_it() {
    let emitter = member(1, "before the claimed");
    let leaving = of_group(2, "before the claimed");
    let mut emitted = vec![emit_key(&emitter, "a", &[0])];
    leaving.listen("e", 2, ListenerOptions { prepend: true, ..once_in_group() });
    emitted.extend((1..3).map(|number| emit_key(&emitter, "a", &[number])));
    let other = of_group(3, "before the claimed");
    leaving.leave();
    let held = deliveries(leaving.endpoint());
    let started: Vec<_> = held.iter().filter(|delivery| delivery.start()).collect();
    assert_eq!(started.len(), 2);
    started.iter().for_each(|delivery| delivery.succeed(0, None));
    let held = deliveries(other.endpoint());
    assert_eq!(numbers(&held), [2]);
    held.into_iter().for_each(work);
    all_succeed(&mut emitted);
}

#[test]
fn a_death_costs_the_same_for_each_event_however_many_wait() {
    for has_heir in [true, false] {
        let visits = |count: usize| {
            let channel = format!("death {has_heir} {count}");
            let emitter = member(1, &channel);
            let dying = small_of_group(2, &channel, count);
            let emitted: Vec<_> = (0..count).map(|_| emit_key(&emitter, "a", b"x")).collect();
            let held = deliveries(dying.endpoint());
            let other = has_heir.then(|| small_of_group(3, &channel, 1));
            let before = metrics::VISITS.get();
            dying.endpoint().close();
            drop(held);
            let moved = other.map_or(0, |other| other.in_flight());
            assert_eq!(moved, if has_heir { count } else { 0 });
            drop(emitted);
            (metrics::VISITS.get() - before) as f64 / count as f64
        };
        let (few, many) = (visits(500), visits(10_000));
        assert!(many < 2.0 * few + 5.0, "{few} visits for each of few, {many} for each of many");
    }
}
