//! Events for listeners there that end before their end: too many, too late, cancelled or too large.

use parallel_event_bus::cluster::host::Happened;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::payload::{Content, Payload};

use crate::common::{deliveries, delivery, emit, emit_as, full, plain, read, request};
use crate::pair::{MAX_EVENT, Pair};

#[test]
fn a_ghost_is_bounded_as_its_member_is() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.small_member(1, 2, 3));
    listening.listen("x", 1, plain());
    pair.run();
    let mut emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "x", b"")).collect();
    assert_eq!(emitted[3].outcome().unwrap().failures[0].kind, full(3));
    assert!(emitter.channel().is_congested(emitter.endpoint()));
    pair.run();
    assert!(emitter.channel().is_congested(emitter.endpoint()), "it was sent, and not settled");
    deliveries(listening.endpoint()).iter().for_each(|delivery| delivery.succeed(0, None));
    pair.run();
    assert!(!emitter.channel().is_congested(emitter.endpoint()));
    assert_eq!(emit(&emitter, "x", b"").others, 1);
}

#[test]
fn a_timeout_is_the_emitters_and_holds_on_both_sides() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let mut emitted = emit_as(&emitter, "x", b"", |emission| emission.timeout = Some(60_000));
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert!(delivery.must_start() && delivery.start());
    emitted.dispatch().expire(60_000);
    assert_eq!(emitted.outcome().unwrap().failures[0].kind, FailureKind::TimedOut(60_000));
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(pair.unsettled(), [0, 0]);
    assert_eq!(emitter.pending(), 0);
}

#[test]
fn time_that_is_over_there_starts_nothing() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let mut emitted = emit_as(&emitter, "x", b"", |emission| emission.timeout = Some(1));
    let begin = std::time::Instant::now();
    // The time is over there a moment later, so the link is not quiet before.
    pair.step(0);
    while pair.unsettled() != [0, 0] {
        assert!(begin.elapsed().as_secs() < 5);
        pair.step(1);
        pair.step(0);
    }
    assert_eq!(emitted.outcome().unwrap().failures[0].kind, FailureKind::TimedOut(1));
    assert!(deliveries(listening.endpoint()).iter().all(|delivery| !delivery.start()));
}

#[test]
fn a_cancelled_event_is_not_started_there() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let cancellable = || emit_as(&emitter, "x", b"", |emission| emission.cancellable = true);
    let (waiting, running) = (cancellable(), cancellable());
    pair.run();
    let mut came = deliveries(listening.endpoint());
    let (running_there, waiting_there) = (came.pop().unwrap(), came.pop().unwrap());
    assert!(running_there.start());
    waiting.dispatch().cancel();
    running.dispatch().cancel();
    pair.run();
    assert!(!waiting_there.start());
    running_there.succeed(0, None);
    drop((running_there, waiting_there));
    pair.run();
    assert_eq!((pair.unsettled(), emitter.pending()), ([0, 0], 0));
}

#[test]
fn an_event_that_is_cancelled_before_it_leaves_never_does() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let emitted = emit_as(&emitter, "x", b"", |emission| emission.cancellable = true);
    emitted.dispatch().cancel();
    pair.run();
    assert_eq!(deliveries(listening.endpoint()).len(), 0);
}

#[test]
fn an_event_that_is_too_large_fails_and_says_so() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let large = vec![7; MAX_EVENT + 1];
    let mut emitted = emit(&emitter, "x", &large);
    let mut fitting = emit(&emitter, "x", &large[1..]);
    let route = emitter.channel().route("x");
    route.publish_all(&emitter, &mut [Content::Lent(&large)]);
    pair.run();
    let too_large = FailureKind::TooLarge(MAX_EVENT as u64);
    assert_eq!(emitted.outcome().unwrap().failures[0].kind, too_large);
    let came = deliveries(listening.endpoint());
    assert_eq!((came.len(), came[0].payload().len()), (1, MAX_EVENT));
    came[0].succeed(0, None);
    drop(came);
    pair.run();
    assert_eq!(fitting.outcome().unwrap().success, 1);
    let lost = read(emitter.endpoint()).into_iter().filter_map(|message| match message {
        Message::Notice(Notice::Lost { lost, .. }) => Some(lost.kind),
        _ => None,
    });
    assert_eq!(lost.collect::<Vec<_>>(), [too_large.clone(), too_large]);
}

#[test]
fn an_event_that_is_too_large_for_the_peer_alone_fails_without_harm() {
    let mut pair = Pair::with_small_events(1_000);
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let mut emitted = emit(&emitter, "x", &[7; 70_000]);
    pair.run();
    assert_eq!(emitted.outcome().unwrap().failures[0].kind, FailureKind::TooLarge(1_000));
    assert_eq!(emit(&emitter, "x", &[7; 1_000]).others, 1);
    pair.run();
    assert_eq!(delivery(listening.endpoint()).payload().len(), 1_000);
}

#[test]
fn a_reply_or_an_error_that_is_too_large_fails_alone() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let mut others = emit(&emitter, "x", b"");
    let [mut replied, mut failed] = [(); 2].map(|()| request(&emitter, "x", b""));
    pair.run();
    let came = deliveries(listening.endpoint());
    let large = vec![7; 2 * MAX_EVENT];
    came[1].succeed(0, Payload::copy(&large));
    came[2].fail(0, large);
    came[0].succeed(0, None);
    drop(came);
    pair.run();
    for emitted in [&mut replied, &mut failed] {
        let kind = emitted.outcome().unwrap().failures[0].kind.clone();
        assert_eq!(kind, FailureKind::TooLarge(MAX_EVENT as u64));
    }
    assert_eq!(others.outcome().unwrap().success, 1);
    assert!(pair.happened.iter().flatten().all(|what| matches!(what, Happened::Joined(_))));
}
