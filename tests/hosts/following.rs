//! Listeners there that are running, and want to know when nobody here waits for them any more.

use std::sync::Arc;

use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::member::Member;

use crate::common::{Emitted, delivery, emit, plain, said};
use crate::pair::Pair;

/// An event that runs there and is followed by token 7, its emitter here, and its listener.
fn followed(pair: &mut Pair, timeout: Option<u32>) -> (Emitted, Delivery, [Arc<Member>; 2]) {
    let (emitted, [emitter, listening]) = pair.emit_across(0, timeout);
    let delivery = delivery(listening.endpoint());
    assert!(delivery.start());
    delivery.follow(7);
    (emitted, delivery, [emitter, listening])
}

#[test]
fn they_are_told_the_reason_of_a_cancellation() {
    let mut pair = Pair::new();
    let (emitted, delivery, [emitter, listening]) = followed(&mut pair, None);
    pair.run();
    emitted.dispatch().cancel();
    assert!(emitted.dispatch().is_running());
    emitted.dispatch().tell_cancelled(b"why".to_vec());
    pair.run();
    assert_eq!(said(listening.endpoint()), ["over 7 Threw([119, 104, 121])"]);
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!((pair.unsettled(), emitter.pending()), ([0, 0], 0));
}

#[test]
fn they_are_told_of_a_cancellation_that_was_before_they_asked() {
    let mut pair = Pair::new();
    let (emitted, _delivery, [_, listening]) = followed(&mut pair, None);
    emitted.dispatch().cancel();
    emitted.dispatch().tell_cancelled(vec![1]);
    pair.run();
    assert_eq!(said(listening.endpoint()), ["over 7 Threw([1])"]);
}

#[test]
fn they_are_told_once_that_the_time_is_over() {
    let mut pair = Pair::new();
    let (emitted, _delivery, [_, listening]) = followed(&mut pair, Some(60_000));
    pair.run();
    emitted.dispatch().expire(60_000);
    pair.run();
    emitted.dispatch().tell_cancelled(vec![1]);
    pair.run();
    assert_eq!(said(listening.endpoint()), ["over 7 TimedOut(60000)"]);
}

#[test]
fn they_are_told_that_the_thread_of_the_emitter_has_ended() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let _emitted = emit(&emitter, "x", b"");
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert!(!delivery.must_start(), "nobody says that it starts");
    delivery.follow(7);
    pair.run();
    emitter.endpoint().close();
    pair.run();
    assert_eq!(said(listening.endpoint()), ["over 7 ThreadExited"]);
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(pair.unsettled(), [0, 0]);
}

#[test]
fn they_are_told_that_the_process_of_the_emitter_is_gone() {
    let mut pair = Pair::new();
    let (_emitted, [_emitter, listening]) = pair.emit_across(1, None);
    let delivery = delivery(listening.endpoint());
    assert!(delivery.start());
    delivery.follow(7);
    pair.kill(1);
    let over = |said: Vec<String>| said.into_iter().filter(|text| text.starts_with("over"));
    assert_eq!(over(said(listening.endpoint())).collect::<Vec<_>>(), ["over 7 PeerGone(No)"]);
    delivery.follow(8);
    assert_eq!(said(listening.endpoint()), ["over 8 PeerGone(No)"], "also later");
}

#[test]
fn to_follow_costs_nothing_once_the_event_has_settled() {
    let mut pair = Pair::new();
    let (emitted, delivery, [emitter, listening]) = followed(&mut pair, None);
    pair.run();
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    emitted.dispatch().cancel();
    emitter.endpoint().close();
    pair.run();
    assert!(!said(listening.endpoint()).iter().any(|text| text.starts_with("over")));
}
