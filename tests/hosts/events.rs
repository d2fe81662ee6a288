//! Events for listeners there: delivered, settled, and accounted for as any others.

use parallel_event_bus::engine::channel::route::Published;
use parallel_event_bus::engine::outcome::{FailureKind, Outcome};
use parallel_event_bus::engine::payload::{Content, Payload};

use crate::common::{
    self, deliveries, delivery, emit, emit_as, full, in_group, once, plain, read, request,
};
use crate::pair::Pair;

#[test]
fn an_awaited_event_settles_listener_by_listener() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    (0..3).for_each(|id| listening.listen("x", id, plain()));
    pair.run();
    let mut emitted = emit(&emitter, "x", b"payload");
    assert_eq!(emitted.others, 3);
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert_eq!((&*delivery.payload(), delivery.listeners()), (&b"payload"[..], &[0, 1, 2][..]));
    assert!(delivery.token().is_some(), "its failures are heard");
    delivery.succeed(1, None);
    delivery.fail(0, b"no".to_vec());
    pair.run();
    assert_eq!(emitted.outcome(), None);
    delivery.succeed(2, None);
    drop(delivery);
    pair.run();
    let outcome = emitted.outcome().unwrap();
    assert_eq!(outcome.success, 2);
    assert_eq!(outcome.failures[0].kind, FailureKind::Threw(b"no".to_vec()));
    assert!(outcome.failures[0].thread > 1 << 31, "it names a thread elsewhere");
    assert_eq!(pair.unsettled(), [0, 0]);
    assert!(emitter.is_idle() && listening.in_flight() == 0);
}

#[test]
fn a_request_has_the_reply_of_a_listener_there() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 3, plain());
    pair.run();
    let mut emitted = request(&emitter, "x", b"?");
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert!(delivery.is_request() && delivery.must_start() && delivery.start());
    delivery.succeed(0, Payload::copy(b"!"));
    drop(delivery);
    pair.run();
    let reply = emitted.outcome().unwrap().reply.unwrap();
    assert_eq!(&*reply, b"!");
}

#[test]
fn published_events_come_in_order_and_settle() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 3, plain());
    listening.listen("y", 4, plain());
    pair.run();
    let mut sent = Vec::new();
    for number in 0..100_u8 {
        let route = emitter.channel().route(if number % 3 == 0 { "y" } else { "x" });
        assert_eq!(route.publish(&emitter, Some(&[number])), Published::To(1));
        sent.push(number);
    }
    assert_eq!(emitter.pending(), 100);
    pair.run();
    let mut came = Vec::new();
    for delivery in deliveries(listening.endpoint()) {
        came.push(delivery.payload()[0]);
        assert!(delivery.token().is_none(), "nobody hears of its failures");
        if came.len() % 10 == 0 { delivery.fail(0, vec![]) } else { delivery.succeed(0, None) }
    }
    assert_eq!(came, sent);
    pair.run();
    assert_eq!((emitter.pending(), emitter.failed(), emitter.addressed()), (0, 10, 100));
    assert_eq!(pair.unsettled(), [0, 0]);
}

#[test]
fn a_once_listener_gets_one_of_two_events_that_race() {
    let mut pair = Pair::new();
    let (emitter, listening, other) = (pair.member(0, 1), pair.member(1, 2), pair.member(1, 3));
    listening.listen("x", 7, once());
    pair.run();
    let (mut first, mut second) = (emit(&other, "x", b"1"), emit(&emitter, "x", b"2"));
    assert_eq!((first.others, second.others), (1, 1));
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert_eq!(&*delivery.payload(), b"1");
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(first.outcome().unwrap().success, 1);
    assert_eq!(second.outcome(), Some(Outcome::default()), "the later one counts for nothing");
    assert_eq!(emit(&emitter, "x", b"3").others, 0);
}

#[test]
fn an_event_does_not_come_to_a_later_listener_with_the_same_id() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 7, plain());
    pair.run();
    let mut emitted = emit(&emitter, "x", b"");
    listening.unlisten(7);
    listening.listen("x", 7, plain());
    pair.run();
    assert_eq!(deliveries(listening.endpoint()).len(), 0);
    assert_eq!(emitted.outcome(), Some(Outcome::default()));
}

#[test]
fn a_group_prefers_this_process_and_then_who_has_less_to_do() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (here, there) = (pair.member(0, 2), pair.member(1, 3));
    here.listen("x", 1, in_group("g"));
    there.listen("x", 1, in_group("g"));
    pair.run();
    let _events: Vec<_> = (0..4).map(|_| emit(&emitter, "x", b"")).collect();
    pair.run();
    let (here_has, there_has) = (deliveries(here.endpoint()), deliveries(there.endpoint()));
    assert_eq!((here_has.len(), there_has.len()), (2, 2));
    here_has.iter().chain(&there_has).for_each(|delivery| delivery.succeed(0, None));
    drop((here_has, there_has));
    pair.run();
    let _one = emit(&emitter, "x", b"");
    assert_eq!(deliveries(here.endpoint()).len(), 1);
}

#[test]
fn a_group_knows_what_others_have_given_to_a_member_there() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (here, there, other) = (pair.member(0, 2), pair.member(1, 3), pair.member(1, 4));
    here.listen("x", 1, in_group("g"));
    there.listen("x", 1, in_group("g"));
    there.listen("y", 2, plain());
    pair.run();
    let _busy: Vec<_> = (0..5).map(|_| emit(&other, "y", b"")).collect();
    pair.pass(1_000);
    let _events: Vec<_> = (0..4).map(|_| emit(&emitter, "x", b"")).collect();
    assert_eq!(deliveries(here.endpoint()).len(), 4);
}

#[test]
fn an_event_that_was_refused_there_goes_to_the_next_candidate() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (full, free) = (pair.small_member(1, 3, 1), pair.member(1, 4));
    let other = pair.member(1, 5);
    full.listen("y", 1, plain());
    full.listen("x", 2, in_group("g"));
    pair.run();
    // Its room is taken by an event that the emitter knows nothing of.
    let _busy = emit(&other, "y", b"");
    let mut emitted = emit(&emitter, "x", b"");
    pair.run();
    let refused = emitted.outcome().unwrap();
    assert_eq!(refused.failures[0].kind, self::full(1), "there was no other one");
    free.listen("x", 3, in_group("g"));
    pair.run();
    let mut emitted = [emit(&emitter, "x", b""), emit(&emitter, "x", b"")];
    pair.run();
    let came = deliveries(free.endpoint());
    assert_eq!(came.len(), 2);
    for delivery in came {
        assert!(delivery.start());
        delivery.succeed(0, None);
    }
    pair.run();
    assert!(emitted.iter_mut().all(|emitted| emitted.outcome().unwrap().success == 1));
}

#[test]
fn a_listener_that_is_removed_before_its_event_comes_keeps_nobody_waiting() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    (0..3).for_each(|id| listening.listen("x", id, plain()));
    pair.run();
    let mut emitted = emit(&emitter, "x", b"");
    let _ = listening.unlisten(1);
    pair.run();
    let came = delivery(listening.endpoint());
    assert_eq!(came.listeners(), [0, 2]);
    came.succeed(0, None);
    came.fail(1, b"no".to_vec());
    drop(came);
    pair.run();
    let Outcome { success, failures, .. } = emitted.outcome().unwrap();
    assert_eq!((success, failures.len(), failures[0].index), (1, 1, 2));
}

#[test]
fn a_codebook_comes_before_the_event_that_needs_it() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    for book in [&b"one"[..], b"one and two"] {
        emitter.endpoint().share_codebook(book.into());
        let _emitted = emit(&emitter, "x", b"");
        pair.run();
        let delivery = delivery(listening.endpoint());
        assert_eq!(&*delivery.emitter().endpoint().codebook(), book);
    }
}

#[test]
fn long_parts_come_with_their_event() {
    use parallel_event_bus::engine::blocks::Block;
    use parallel_event_bus::engine::payload::Part;

    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    let block = || Block::copy(&[9; 50_000]).unwrap().into();
    let parts = vec![Part::Bytes(block()), Part::Wide(vec![1, 2, 3].into())];
    let payload = Payload::copy(b"head").unwrap().with_parts(parts);
    let mut emitted = emit_as(&emitter, "x", b"", |emission| {
        emission.payload = Some(Content::Kept(payload.clone()))
    });
    pair.run();
    let delivery = delivery(listening.endpoint());
    assert!(delivery.payload() == payload);
    delivery.succeed(0, None);
    drop(delivery);
    pair.run();
    assert_eq!(emitted.outcome().unwrap().success, 1);
}

#[test]
fn a_stall_there_is_told_here_once() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 1, plain());
    pair.run();
    drop(read(emitter.endpoint()));
    listening.endpoint().tell_of_stall_of(5, 1_000);
    pair.run();
    let said = common::said(emitter.endpoint());
    assert!(said.len() == 1 && said[0].starts_with("stall"), "{said:?}");
}
