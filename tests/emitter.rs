//! Emitting from Rust: outcomes as futures, requests that are taken back, waiting for room.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use futures::{FutureExt, StreamExt};
use parallel_event_bus::core::emitter::{Emitter, Unanswered};
use parallel_event_bus::core::endpoint::Letter;
use parallel_event_bus::core::member::Member;
use parallel_event_bus::core::outcome::{Cause, Outcome};
use parallel_event_bus::core::quota::Limits;
use parallel_event_bus::core::receiver::Receiver;

fn emitter(channel: &str) -> Emitter {
    Emitter::join(&endpoint(1), channel)
}

fn letters_of(emitter: &Emitter) -> Vec<String> {
    said(emitter.member().endpoint())
}

fn listening(channel: &str) -> Arc<Member> {
    let member = member(2, channel);
    member.listen("e", 1, plain());
    member
}

#[tokio::test]
async fn the_outcome_comes_when_all_have_settled() {
    let (emitter, other) = (emitter("outcome"), listening("outcome"));
    let mut emitted = emitter.emit("e", b"payload");
    assert_eq!(emitted.listeners(), 1);
    assert_eq!((&mut emitted).now_or_never(), None);
    let delivery = delivery(other.endpoint());
    assert_eq!(*delivery.payload(), *b"payload");
    delivery.fail(0, b"no".into());
    let outcome = soon(emitted).await;
    assert_eq!((outcome.success, outcome.failed()), (0, 1));
    assert_eq!(emitter.member().pending(), 0);
}

#[tokio::test]
async fn an_event_that_nobody_hears_has_an_empty_outcome_and_a_request_says_so() {
    let emitter = emitter("nobody");
    assert_eq!(soon(emitter.emit("e", b"")).await, Outcome::default());
    assert_eq!(soon(emitter.request("e", b"")).await, Err(Unanswered::NoListeners));
    assert_eq!(emitter.post("e", b""), 0);
}

#[tokio::test]
async fn listeners_of_the_emitters_own_endpoint_are_addressed_as_all_others_are() {
    let endpoint = endpoint(1);
    let emitter = Emitter::join(&endpoint, "own");
    let member = endpoint.join("own", Limits::default());
    member.listen("e", 1, once());
    let emitted = emitter.emit("e", b"");
    delivery(&endpoint).succeed(0, None);
    assert_eq!(soon(emitted).await.success, 1);
}

#[tokio::test]
async fn a_request_is_answered_or_fails_with_what_the_listener_said() {
    let (emitter, other) = (emitter("request"), listening("request"));
    let answer = emitter.request("e", b"?");
    let delivery = delivery(other.endpoint());
    assert!(delivery.is_request() && delivery.start());
    delivery.succeed(0, Some(b"!".into()));
    assert_eq!(soon(answer).await, Ok(b"!".into()));

    let answer = emitter.request("e", b"?");
    let delivery = self::delivery(other.endpoint());
    assert!(delivery.start());
    delivery.fail(0, b"no".into());
    let Err(Unanswered::Failed(failure)) = soon(answer).await else { panic!("no failure") };
    assert_eq!((failure.thread, failure.cause), (2, Cause::Failed(b"no".into())));
}

#[tokio::test]
async fn a_request_whose_future_is_dropped_is_taken_back_and_an_event_is_not() {
    let (emitter, other) = (emitter("taken back"), listening("taken back"));
    drop(emitter.request("e", b""));
    assert!(!delivery(other.endpoint()).start());
    assert_eq!(emitter.member().pending(), 0);
    drop(emitter.emit("e", b""));
    let delivery = delivery(other.endpoint());
    assert_eq!(emitter.member().pending(), 1);
    delivery.succeed(0, None);
    assert_eq!((emitter.member().pending(), emitter.member().failed()), (0, 0));
}

#[tokio::test]
async fn a_limit_on_the_time_ends_what_hangs() {
    let (emitter, other) = (emitter("limit"), listening("limit"));
    let limited = emitter.within(Duration::from_millis(1));
    let outcome = soon(limited.emit("e", b"")).await;
    assert_eq!(outcome.failures[0].cause, Cause::TimedOut(1));
    let Err(Unanswered::Failed(failure)) = soon(limited.request("e", b"")).await else {
        panic!("no failure")
    };
    assert_eq!(failure.cause, Cause::TimedOut(1));
    // What is over may be swept before it is collected, so this one has time.
    assert_eq!(emitter.within(Duration::from_secs(60)).post("e", b""), 1);
    assert!(deliveries(other.endpoint()).iter().all(|delivery| delivery.must_start()));
}

#[tokio::test]
async fn a_post_is_plain_where_it_can_be_and_an_emission_where_it_has_to() {
    let (emitter, other) = (emitter("post"), listening("post"));
    assert_eq!(emitter.post("e", b""), 1);
    other.listen("e", 2, once());
    assert_eq!(emitter.post("e", b""), 2);
    let said = said(other.endpoint());
    assert_eq!(said, ["packet of 1", "delivery e [1, 2]"]);
    assert_eq!(letters_of(&emitter), ["lost e Gone × 1", "lost e Gone × 2"]);
}

#[tokio::test]
async fn an_emitter_that_has_left_reaches_nobody() {
    let (emitter, other) = (emitter("left"), listening("left"));
    emitter.member().leave();
    assert_eq!(soon(emitter.emit("e", b"")).await, Outcome::default());
    assert_eq!(soon(emitter.request("e", b"")).await, Err(Unanswered::NoListeners));
    assert_eq!(emitter.post("e", b""), 0);
    soon(emitter.room()).await;
    assert!(other.endpoint().mailbox().is_empty());
}

#[tokio::test]
async fn an_emitter_that_waits_for_room_goes_on_when_there_is_some() {
    let mut letters = Receiver::new(1);
    let emitter = Emitter::join(letters.endpoint(), "room");
    let other = small_member(2, "room", 4);
    other.listen("e", 1, plain());
    soon(emitter.room()).await;
    while !emitter.is_congested() {
        emitter.post("e", b"");
    }
    let mut waiting = Box::pin(emitter.room());
    assert_eq!((&mut waiting).now_or_never(), None);
    for mut packet in packets(other.endpoint()) {
        packet.settle(0, packet.len(), 0);
    }
    let Some(Letter::Drained(member)) = soon(letters.next()).await else { panic!("no room") };
    assert_eq!(member, emitter.member().id());
    emitter.drained();
    soon(waiting).await;
}
