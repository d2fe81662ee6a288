//! Ends: of threads there, of the process there, of the link.

use parallel_event_bus::cluster::bridge::Input;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::metrics;
use parallel_event_bus::engine::outcome::{FailureKind, Started};

use crate::common::{deliveries, delivery, emit, emit_as, in_group, plain, read, request};
use crate::pair::Pair;

const GONE: fn(Started) -> FailureKind = FailureKind::PeerGone;

#[test]
fn what_a_process_owed_settles_when_it_is_gone() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    (0..2).for_each(|id| listening.listen("x", id, plain()));
    pair.run();
    let mut half = emit(&emitter, "x", b"");
    let mut running = emit_as(&emitter, "x", b"", |emission| emission.cancellable = true);
    pair.run();
    let came = deliveries(listening.endpoint());
    came[0].succeed(1, None);
    assert!(came[1].start());
    pair.run();
    let mut waiting = emit(&emitter, "x", b"");
    pair.kill(1);
    let outcome = half.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 1));
    assert_eq!(outcome.failures[0].kind, GONE(Started::Unknown));
    assert_eq!(running.outcome().unwrap().failures[0].kind, GONE(Started::Yes));
    assert_eq!(waiting.outcome().unwrap().failures[0].kind, GONE(Started::No));
    assert_eq!((pair.unsettled()[0], emitter.pending()), (0, 0));
    assert_eq!(emit(&emitter, "x", b"").others, 0);
}

#[test]
fn a_process_that_exits_sends_all_that_it_has_emitted() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    // Far more than it takes out of a mailbox in one turn.
    let emitted: Vec<_> = (0..1_000).map(|_| emit(&emitter, "x", b"")).collect();
    pair.exit(0);
    pair.run();
    assert_eq!(deliveries(listening.endpoint()).len(), emitted.len());
}

#[test]
fn published_events_of_a_process_that_is_gone_are_told_of_with_their_payload() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let route = emitter.channel().route("x");
    for number in 0..4 {
        route.publish(&emitter, Some(&[number]));
    }
    pair.run();
    // The third one is done: the losses that are told of are the others.
    deliveries(listening.endpoint()).into_iter().enumerate().for_each(|(at, delivery)| {
        if at == 2 {
            delivery.succeed(0, None);
            drop(delivery);
        } else {
            std::mem::forget(delivery);
        }
    });
    pair.run();
    pair.kill(1);
    let lost = read(emitter.endpoint()).into_iter().filter_map(|message| match message {
        Message::Notice(Notice::Lost { lost, .. }) => Some((lost.payload.unwrap()[0], lost.kind)),
        _ => None,
    });
    let gone = GONE(Started::Unknown);
    let expected = [0, 1, 3].map(|number| (number, gone.clone()));
    assert_eq!(lost.collect::<Vec<_>>(), expected);
    assert_eq!(emitter.pending(), 0);
}

#[test]
fn work_of_a_group_that_was_not_sent_moves_and_what_was_sent_does_not() {
    let mut pair = Pair::new();
    let (emitter, there) = (pair.member(0, 1), pair.member(1, 2));
    there.listen("x", 1, in_group("g"));
    pair.run();
    let mut sent = emit(&emitter, "x", b"1");
    pair.run();
    let mut waiting = emit(&emitter, "x", b"2");
    let here = pair.member(0, 3);
    here.listen("x", 1, in_group("g"));
    pair.kill(1);
    assert_eq!(sent.outcome().unwrap().failures[0].kind, GONE(Started::Unknown));
    let delivery = delivery(here.endpoint());
    assert_eq!(&*delivery.payload(), b"2");
    assert!(delivery.start());
    delivery.succeed(0, None);
    drop(delivery);
    assert_eq!(waiting.outcome().unwrap().success, 1);
}

#[test]
fn a_thread_that_ends_there_gives_back_what_it_has_not_started() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (there, other) = (pair.member(1, 2), pair.member(1, 3));
    there.listen("x", 1, in_group("g"));
    pair.run();
    let (mut started, mut waiting) = (request(&emitter, "x", b"1"), request(&emitter, "x", b"2"));
    pair.run();
    let came = deliveries(there.endpoint());
    assert!(came[0].start());
    other.listen("x", 1, in_group("g"));
    pair.run();
    there.endpoint().close();
    drop(came);
    pair.run();
    assert_eq!(started.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);
    let delivery = delivery(other.endpoint());
    assert_eq!(&*delivery.payload(), b"2");
    assert!(delivery.start());
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(waiting.outcome().unwrap().success, 1);
    assert_eq!(pair.unsettled(), [0, 0]);
}

#[test]
fn the_emitters_process_is_gone_and_nothing_more_of_it_starts() {
    let mut pair = Pair::new();
    let (_emitted, [_emitter, listening]) = pair.emit_across(1, None);
    pair.kill(1);
    assert!(!delivery(listening.endpoint()).start());
    assert_eq!(listening.in_flight(), 0);
}

#[test]
fn the_emitters_thread_has_ended_and_its_events_are_still_settled() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let _emitted = emit(&emitter, "x", b"");
    emitter.endpoint().close();
    pair.run();
    let delivery = delivery(listening.endpoint());
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(pair.unsettled(), [0, 0]);
}

#[test]
fn events_wait_for_a_link_that_is_away_and_their_time_runs() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.small_member(1, 2, 10));
    listening.listen("x", 1, plain());
    pair.run();
    pair.turn(0, vec![Input::Down]);
    let mut emitted: Vec<_> = (0..11).map(|_| emit(&emitter, "x", b"")).collect();
    let full = emitted.pop().and_then(|mut last| last.outcome()).unwrap();
    assert!(matches!(full.failures[0].kind, FailureKind::MailboxFull(_)));
    pair.run();
    pair.lose_messages_to(1);
    pair.turn(0, vec![Input::Up]);
    pair.pass(2_000);
    let came = deliveries(listening.endpoint());
    assert_eq!(came.len(), 10);
    came.iter().for_each(|delivery| delivery.succeed(0, None));
    drop(came);
    pair.run();
    assert!(emitted.iter_mut().all(|emitted| emitted.outcome().unwrap().success == 1));
}

#[test]
fn a_process_that_retires_is_addressed_no_more_and_ends_what_it_has() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let mut emitted = emit(&emitter, "x", b"");
    pair.run();
    pair.hosts[1].as_mut().unwrap().retire();
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 0);
    assert_eq!(pair.unsettled(), [1, 1]);
    let delivery = delivery(listening.endpoint());
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(emitted.outcome().unwrap().success, 1);
    pair.turn(1, vec![Input::Bye]);
    pair.run();
    assert_eq!(pair.hosts[0].as_ref().unwrap().peers(), []);
}

#[test]
fn nothing_is_left_of_a_process_that_is_gone() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let before = (metrics::MEMBERS.get(), metrics::DISPATCHES.get());
    let listening = pair.member(1, 2);
    listening.listen("x", 1, plain());
    pair.run();
    let route = emitter.channel().route("x");
    for _ in 0..9 {
        route.publish(&emitter, Some(b"payload"));
    }
    let emitted = emit(&emitter, "x", b"");
    pair.run();
    listening.endpoint().close();
    drop(listening);
    pair.kill(1);
    drop((read(emitter.endpoint()), emitted));
    assert_eq!((metrics::MEMBERS.get(), metrics::DISPATCHES.get()), before);
}
