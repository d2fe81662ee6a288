//! Events with a key: in a group, those of one key go to one member, in order.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod random;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::{Bound, MailboxLimits};
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::queue::Queue;
use parallel_event_bus::engine::metrics;
use parallel_event_bus::engine::outcome::FailureKind;

fn of_group(thread: u32, channel: &str) -> Arc<Member> {
    let member = member(thread, channel);
    member.listen("e", 1, in_group("g"));
    member
}

fn emit_key(emitter: &Arc<Member>, key: &str, payload: &[u8]) -> Emitted {
    emit_as(emitter, "e", payload, |emission| emission.key = Some(key.into()))
}

fn request_key(emitter: &Arc<Member>, key: &str, payload: &[u8]) -> Emitted {
    emit_as(emitter, "e", payload, |emission| {
        emission.key = Some(key.into());
        emission.request = true;
    })
}

fn numbers(deliveries: &[Delivery]) -> Vec<u8> {
    deliveries.iter().map(|delivery| delivery.payload()[0]).collect()
}

fn keys(member: &Arc<Member>) -> usize {
    member.channel().route("e").keys()
}

fn work(delivery: Delivery) {
    assert!(delivery.start());
    delivery.succeed(0, None);
}

#[test]
fn events_of_a_key_go_to_the_same_member_however_they_are_emitted_and_by_whom() {
    let emitters = [member(1, "one member"), member(2, "one member")];
    let members = [of_group(3, "one member"), of_group(4, "one member")];
    for (number, key) in ["a", "b", "a", "a", "b", "a"].iter().enumerate() {
        let emitter = &emitters[number % 2];
        let with_key = if number % 3 == 0 { emit_key } else { request_key };
        let _emitted = with_key(emitter, key, &[number as u8]);
    }
    let heard = members.each_ref().map(|member| deliveries(member.endpoint()));
    assert_eq!(heard.each_ref().map(|held| numbers(held)), [vec![0, 2, 3, 5], vec![1, 4]]);
    assert_eq!(keys(&emitters[0]), 2);
    heard.into_iter().flatten().for_each(work);
    assert_eq!(keys(&emitters[0]), 0, "they are forgotten");
}

#[test]
fn a_key_with_nothing_in_flight_goes_where_there_is_the_least_to_do() {
    let emitter = member(1, "idle key");
    let (first, second) = (of_group(2, "idle key"), of_group(3, "idle key"));
    let _one = emit_key(&emitter, "a", &[1]);
    work(delivery(first.endpoint()));
    let _other = emit(&emitter, "e", &[2]);
    let _keyed = [emit_key(&emitter, "a", &[3]), emit_key(&emitter, "a", &[4])];
    let held = [&first, &second].map(|member| deliveries(member.endpoint()));
    assert_eq!(held.each_ref().map(|held| numbers(held)), [vec![3, 4], vec![2]]);
}

#[test]
fn a_key_means_nothing_to_listeners_without_a_group() {
    let emitter = member(1, "no group");
    let members = [2, 3].map(|thread| member(thread, "no group"));
    members.iter().for_each(|member| member.listen("e", 1, plain()));
    let _emitted: Vec<_> = (0..4).map(|number| request_key(&emitter, "a", &[number])).collect();
    let held = members.map(|member| deliveries(member.endpoint()));
    assert_eq!(held.each_ref().map(Vec::len), [2, 2]);
    assert_eq!(keys(&emitter), 0);
}

#[test]
fn what_has_a_key_is_not_taken_over() {
    let emitter = member(1, "not alone");
    let _victim = of_group(2, "not alone");
    let _emitted: Vec<_> = (0..9).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let thief = of_group(3, "not alone");
    for _ in 0..3 {
        thief.channel().tick();
    }
    let mut stolen = Vec::new();
    thief.endpoint().steal(&[], &mut stolen);
    assert!(stolen.is_empty());
}

#[test]
fn a_key_without_room_at_its_member_is_refused_and_not_sent_elsewhere() {
    let emitter = member(1, "full key");
    let small = small_member(2, "full key", 2);
    small.listen("e", 1, in_group("g"));
    let _held: Vec<_> = (0..2).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let other = of_group(3, "full key");
    let mut refused = emit_key(&emitter, "a", &[2]);
    assert_eq!(refused.outcome().unwrap().failures[0].kind, full(2));
    assert!(deliveries(other.endpoint()).is_empty());
}

#[test]
fn the_bound_of_what_waits_for_all_holds_for_a_key_too() {
    let emitter = member(1, "queue of keys");
    let member = of_group(2, "queue of keys");
    member.bound_queue(Queue { max_waiting: 1, takes: 1 });
    let _held: Vec<_> = (0..2).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let mut refused = emit_key(&emitter, "a", &[2]);
    let kind = FailureKind::MailboxFull(Bound::Queue(1));
    assert_eq!(refused.outcome().unwrap().failures[0].kind, kind);
}

#[test]
fn what_a_dying_thread_has_not_started_moves_in_order_to_the_same_other_behind_what_runs() {
    let emitter = member(1, "dying");
    let dying = of_group(2, "dying");
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let held = deliveries(dying.endpoint());
    assert!(held[0].start());
    // These are in its mailbox.
    emitted.extend((3..6).map(|number| emit_key(&emitter, "a", &[number])));
    let others = [of_group(3, "dying"), of_group(4, "dying")];
    dying.endpoint().close();
    emitted.push(emit_key(&emitter, "a", &[6]));
    let arrived = || others.each_ref().map(|member| deliveries(member.endpoint()));
    assert!(arrived().iter().all(Vec::is_empty), "one of them runs");
    drop(held);
    let [first, second] = arrived();
    assert_eq!((numbers(&first), second.len()), (vec![1, 2, 3, 4, 5, 6], 0));
    first.into_iter().for_each(work);
    assert_eq!(emitted[0].outcome().unwrap().failed(), 1);
    assert!(emitted[1..].iter_mut().all(|emitted| emitted.outcome().unwrap().success == 1));
    assert_eq!(keys(&emitter), 0);
}

#[test]
fn what_a_member_that_leaves_has_not_started_moves_when_it_is_through_with_the_rest() {
    for leaves in [true, false] {
        let channel = format!("leaving {leaves}");
        let emitter = member(1, &channel);
        let leaving = of_group(2, &channel);
        let _emitted: Vec<_> = (0..4).map(|number| emit_key(&emitter, "a", &[number])).collect();
        let mut held = deliveries(leaving.endpoint());
        assert!(held[0].start() && held[1].start());
        let other = of_group(3, &channel);
        if leaves {
            leaving.leave()
        } else {
            _ = leaving.unlisten(1)
        }
        assert!(!held[2].start() && held[2].is_over());
        let _late = emit_key(&emitter, "a", &[4]);
        held.remove(0).succeed(0, None);
        assert!(deliveries(other.endpoint()).is_empty());
        held.remove(0).succeed(0, None);
        assert_eq!(numbers(&deliveries(other.endpoint())), [2, 3, 4]);
    }
}

#[test]
fn where_no_other_has_room_for_all_they_stay_and_later_ones_wait() {
    let emitter = member(1, "no heir");
    let leaving = of_group(2, "no heir");
    let _emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, "a", &[number])).collect();
    let small = small_member(3, "no heir", 2);
    small.listen("e", 1, in_group("g"));
    leaving.leave();
    let _late = emit_key(&emitter, "a", &[3]);
    assert_eq!(small.capacity().events(), 1);
    let held = deliveries(leaving.endpoint());
    assert_eq!(numbers(&held), [0, 1, 2]);
    assert!(deliveries(small.endpoint()).is_empty());
    held.into_iter().for_each(work);
    assert_eq!(numbers(&deliveries(small.endpoint())), [3]);
}

#[test]
fn an_emitter_that_calls_its_own_listener_holds_the_key_too() {
    let emitter = of_group(1, "own");
    let own = emit_key(&emitter, "a", &[0]);
    assert_eq!((own.own.len(), own.in_line.len()), (1, 1));
    let other = of_group(2, "own");
    let mut late = emit_key(&emitter, "a", &[1]);
    assert_eq!((late.own.len(), deliveries(other.endpoint()).len()), (0, 0), "behind the first");
    work(delivery(emitter.endpoint()));
    assert_eq!(late.outcome().unwrap().success, 1);
    emitter.done(1);
    own.end();
    assert_eq!(keys(&emitter), 0);
}

#[test]
fn what_waits_for_another_member_and_is_cancelled_does_not_pile_up() {
    let emitter = member(1, "pile");
    let stuck = of_group(2, "pile");
    let _running = emit_key(&emitter, "a", &[0]);
    let held = delivery(stuck.endpoint());
    assert!(held.start());
    let other = of_group(3, "pile");
    stuck.leave();
    let before = metrics::DISPATCHES.get();
    for _ in 0..20_000 {
        let emitted = emit_as(&emitter, "e", b"x", |emission| {
            emission.key = Some("a".into());
            emission.cancellable = true;
        });
        emitted.dispatch().cancel();
    }
    assert!(metrics::DISPATCHES.get() < before + 2_000);
    assert_eq!(other.capacity().events(), 0);
    drop(held);
    assert_eq!(keys(&emitter), 0);
}

#[test]
fn an_event_costs_the_same_however_many_keys_are_in_flight() {
    let visits = |count: usize| {
        let channel = format!("keys {count}");
        let emitter = member(1, &channel);
        let limits = MailboxLimits { max_messages: 100_000, max_bytes: 1 << 24 };
        let member = endpoint(2).join(&channel, limits);
        member.listen("e", 1, in_group("g"));
        let before = metrics::VISITS.get();
        for key in 0..count {
            let _emitted = emit_key(&emitter, &format!("{key}"), b"x");
        }
        assert_eq!(keys(&emitter), count);
        deliveries(member.endpoint()).into_iter().for_each(work);
        (metrics::VISITS.get() - before) as f64 / count as f64
    };
    let (few, many) = (visits(500), visits(20_000));
    assert!(many < 2.0 * few + 5.0, "{few} visits for each of few keys, {many} for each of many");
}

#[test]
fn to_listen_costs_the_same_however_many_keys_are_in_flight() {
    let visits = |count: usize| {
        let channel = format!("listening {count}");
        let emitter = member(1, &channel);
        let member = of_group(2, &channel);
        let _emitted: Vec<_> =
            (0..count).map(|key| emit_key(&emitter, &format!("{key}"), b"x")).collect();
        let before = metrics::VISITS.get();
        for _ in 0..10 {
            member.listen("e", 2, plain());
            let _ = member.unlisten(2);
        }
        metrics::VISITS.get() - before
    };
    let (few, many) = (visits(10), visits(5_000));
    assert!(many < few + 1_000, "{few} visits for few keys, {many} for many");
}
