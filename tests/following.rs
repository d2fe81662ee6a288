//! A listener that is running may follow its event: it is told, once, when nobody waits for it any more.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::member::Member;

/// An event that may be cancelled, and the delivery of it, which was started and is followed by this token.
fn followed(emitter: &Arc<Member>, listener: &Arc<Member>, token: u32) -> (Emitted, Delivery) {
    let emitted = emit_as(emitter, "e", b"x", |emission| emission.cancellable = true);
    let delivery = delivery(listener.endpoint());
    assert!(delivery.start());
    delivery.follow(token);
    (emitted, delivery)
}

fn pair(channel: &str) -> (Arc<Member>, Arc<Member>) {
    let (emitter, listener) = (member(1, channel), member(2, channel));
    listener.listen("e", 1, plain());
    (emitter, listener)
}

#[test]
fn it_is_told_that_the_time_is_over() {
    let (emitter, listener) = pair("late");
    let (emitted, delivery) = followed(&emitter, &listener, 5);
    emitted.dispatch().expire(7);
    assert_eq!(said(listener.endpoint()), ["over 5 TimedOut(7)"]);
    emitted.dispatch().tell_cancelled(b"why".to_vec());
    emitter.endpoint().close();
    assert_eq!(said(listener.endpoint()), ["exit of 1"], "once");
    drop(delivery);
}

#[test]
fn it_is_told_the_reason_of_a_cancellation_also_if_it_follows_only_then() {
    let (emitter, listener) = pair("cancelled");
    let (emitted, first) = followed(&emitter, &listener, 5);
    emitted.dispatch().cancel();
    assert!(emitted.dispatch().is_running());
    assert!(said(listener.endpoint()).is_empty());
    emitted.dispatch().tell_cancelled(vec![1]);
    assert_eq!(said(listener.endpoint()), ["over 5 Threw([1])"]);
    first.follow(6);
    assert_eq!(said(listener.endpoint()), ["over 6 Threw([1])"]);
}

#[test]
fn nothing_is_running_that_has_not_started_or_has_settled() {
    let (emitter, listener) = pair("running");
    let emitted = emit_as(&emitter, "e", b"x", |emission| emission.cancellable = true);
    assert!(!emitted.dispatch().is_running());
    let delivery = delivery(listener.endpoint());
    assert!(delivery.start());
    assert!(emitted.dispatch().is_running());
    delivery.succeed(0, None);
    assert!(!emitted.dispatch().is_running());
}

#[test]
fn it_is_told_that_the_thread_of_the_emitter_is_gone_also_when_it_has_left_the_channel() {
    let (emitter, listener) = pair("gone");
    let (_, delivery) = followed(&emitter, &listener, 5);
    listener.leave();
    emitter.endpoint().close();
    assert_eq!(said(listener.endpoint()), ["over 5 ThreadExited"]);
    delivery.follow(6);
    assert_eq!(said(listener.endpoint()), ["over 6 ThreadExited"]);
}

#[test]
fn each_of_several_members_is_told_by_its_own_token() {
    let (emitter, first) = pair("several");
    let second = member(3, "several");
    second.listen("e", 1, plain());
    let emitted = emit_as(&emitter, "e", b"x", |emission| emission.cancellable = true);
    let held = [&first, &second].map(|member| delivery(member.endpoint()));
    for (token, delivery) in (5..).zip(&held) {
        assert!(delivery.start());
        delivery.follow(token);
    }
    emitted.dispatch().expire(7);
    assert_eq!(said(first.endpoint()), ["over 5 TimedOut(7)"]);
    assert_eq!(said(second.endpoint()), ["over 6 TimedOut(7)"]);
}

#[test]
fn nothing_is_told_or_kept_once_the_delivery_is_gone() {
    let (emitter, listener) = pair("kept");
    let strong = Arc::weak_count(listener.endpoint());
    for token in 0..1_000 {
        let (_, delivery) = followed(&emitter, &listener, token);
        assert_eq!(Arc::weak_count(listener.endpoint()), strong + 1, "it is followed");
        delivery.succeed(0, None);
        drop(delivery);
    }
    assert_eq!(Arc::weak_count(listener.endpoint()), strong);
    emitter.endpoint().close();
    assert_eq!(said(listener.endpoint()), ["exit of 1"]);
}

#[test]
fn an_event_has_one_name_and_no_other_has_it() {
    let (emitter, listener) = pair("names");
    let [one, other] = [(); 2].map(|()| emit(&emitter, "e", b"x"));
    assert_eq!(one.dispatch().id(), one.dispatch().id());
    assert_ne!(one.dispatch().id(), other.dispatch().id());
    let held = deliveries(listener.endpoint());
    assert_eq!(held[1].dispatch().id(), other.dispatch().id());
}
