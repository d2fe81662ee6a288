//! The recipients of an event, their order, and the share of the emitter itself.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Unlistened;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::{Dispatched, ListenerOptions, Own, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::{FailureKind, Report};
use parallel_event_bus::engine::payload::Payload;

#[test]
fn everybody_who_listens_gets_an_event_and_the_outcome_counts_them() {
    let emitter = member(1, "everybody");
    let (first, second) = (member(2, "everybody"), member(3, "everybody"));
    first.listen("e", 10, plain());
    first.listen("e", 11, plain());
    second.listen("e", 20, plain());
    second.listen("other", 21, plain());

    let mut emitted = emit(&emitter, "e", b"payload");
    assert_eq!(emitted.others, 3);
    let one = delivery(first.endpoint());
    assert_eq!((one.event(), &*one.payload()), ("e", b"payload".as_slice()));
    assert_eq!(one.listeners(), [10, 11]);
    assert!(!one.is_request() && !one.must_start());
    let other = delivery(second.endpoint());
    assert_eq!(other.listeners(), [20]);
    other.succeed(0, None);
    one.fail(1, b"why".into());
    assert_eq!(emitted.outcome(), None, "one is missing");
    one.succeed(0, None);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (2, 1));
    let failure = &outcome.failures[0];
    assert_eq!((failure.index, failure.thread), (1, 2));
    assert_eq!(failure.kind, FailureKind::Threw(b"why".into()));
}

#[test]
fn whoever_gets_an_event_is_woken_once_for_any_number_of_them() {
    let emitter = member(1, "wakes");
    let wakers = [(); 2].map(|()| Waker::default());
    let others = [0, 1].map(|at| {
        let endpoint = Endpoint::new(2, Arc::new(wakers[at].clone()));
        [(); 2].map(|()| endpoint.join("wakes", <_>::default()))
    });
    others.iter().flatten().for_each(|member| member.listen("plain", 1, plain()));
    others[1][0].listen("grouped", 2, in_group("g"));
    let wakes = || wakers.clone().map(|waker| waker.wakes());
    let _emitted = emit(&emitter, "grouped", b"");
    assert_eq!(wakes(), [0, 1]);
    let _emitted = emit(&emitter, "plain", b"");
    assert_eq!(wakes(), [1, 1]);
    emitter.channel().route("plain").publish(&emitter, Some(b""));
    assert_eq!(wakes(), [1, 1]);
    others.iter().for_each(|[member, _]| drop(read(member.endpoint())));
    emitter.channel().route("plain").publish(&emitter, Some(b""));
    assert_eq!(wakes(), [2, 2]);
}

#[test]
fn an_event_without_listeners_comes_to_nothing() {
    let emitter = member(1, "nobody");
    let mut emitted = emit(&emitter, "e", b"");
    assert_eq!(emitted.others, 0);
    assert!(emitted.own.is_empty() && emitted.dispatch.is_none());
    assert_eq!(emitted.outcome(), None);
    assert_eq!(emitter.pending(), 0);
}

#[test]
fn a_payload_is_asked_for_only_when_somebody_else_listens_and_before_anything_happened() {
    let (emitter, other) = (member(1, "payload"), member(2, "payload"));
    let route = emitter.channel().route("e");
    let without = || Emission {
        payload: None,
        request: false,
        timeout: None,
        cancellable: false,
        key: None,
        report: Report::None,
    };
    emitter.listen("e", 1, once());
    assert!(
        matches!(route.dispatch(&emitter, without()), Dispatched::To { own, .. } if own.len() == 1)
    );
    emitter.listen("e", 1, once());
    other.listen("e", 2, once());
    assert!(matches!(route.dispatch(&emitter, without()), Dispatched::NeedsPayload));
    assert!(other.endpoint().mailbox().is_empty());
    assert_eq!(emit(&emitter, "e", b"").own.len(), 1, "nothing was claimed");
    assert_eq!(delivery(other.endpoint()).listeners(), [2]);
}

#[test]
fn listeners_are_called_in_the_order_of_their_registration_and_prepended_ones_before() {
    let (emitter, other) = (member(1, "prepend"), member(2, "prepend"));
    other.listen("e", 1, plain());
    other.listen("e", 2, plain());
    other.listen("e", 3, ListenerOptions { prepend: true, ..plain() });
    let _emitted = emit(&emitter, "e", b"");
    assert_eq!(delivery(other.endpoint()).listeners(), [3, 1, 2]);
}

#[test]
fn a_once_listener_gets_one_event_and_is_told_of_where_it_is_the_emitters_own() {
    let (emitter, other) = (member(1, "once"), member(2, "once"));
    emitter.listen("e", 1, once());
    emitter.listen("e", 2, plain());
    other.listen("e", 3, once());
    other.listen("e", 4, plain());
    let first = emit(&emitter, "e", b"");
    assert_eq!(first.own, [Own { listener: 1, chosen: false }]);
    assert_eq!(delivery(other.endpoint()).listeners(), [3, 4]);
    let second = emit(&emitter, "e", b"");
    assert_eq!((second.others, second.own), (1, vec![]));
    assert_eq!(delivery(other.endpoint()).listeners(), [4]);
}

#[test]
fn a_once_listener_that_an_event_did_not_reach_for_want_of_room_is_not_used_up() {
    let (emitter, other) = (member(1, "once and full"), small_member(2, "once and full", 1));
    other.listen("filler", 1, plain());
    other.listen("e", 2, once());
    let _filler = emit(&emitter, "filler", b"");
    let mut refused = emit(&emitter, "e", b"");
    assert_eq!(refused.outcome().unwrap().failures[0].kind, full(1));
    drop(deliveries(other.endpoint()));
    assert_eq!(emit(&emitter, "e", b"").others, 1);
    assert_eq!(emit(&emitter, "e", b"").others, 0);
}

#[test]
fn nothing_comes_for_a_listener_behind_the_message_that_forgets_it() {
    let (emitter, other) = (member(1, "forget"), member(2, "forget"));
    other.listen("e", 1, plain());
    let _before = emit(&emitter, "e", b"");
    assert_eq!(other.unlisten(1), Unlistened::Waiting, "an event waits for it");
    assert_eq!(emit(&emitter, "e", b"").others, 0);
    assert_eq!(said(other.endpoint()), ["delivery e [1]", "forget 1"]);

    other.listen("e", 2, plain());
    let _collected = (emit(&emitter, "e", b""), read(other.endpoint()));
    assert_eq!(other.unlisten(2), Unlistened::Collected, "nothing more can come for it");
    assert_eq!(emit(&emitter, "e", b"").others, 0);
    assert!(other.endpoint().mailbox().is_empty());
}

#[test]
fn an_id_that_is_used_again_names_the_new_listener_alone() {
    let (emitter, other) = (member(1, "again"), member(2, "again"));
    other.listen("e", 1, plain());
    other.listen("f", 1, plain());
    assert_eq!((emit(&emitter, "e", b"").others, emit(&emitter, "f", b"").others), (0, 1));
    other.listen("f", 1, once());
    let _emitted = emit(&emitter, "f", b"");
    assert_eq!(deliveries(other.endpoint()).pop().unwrap().listeners(), [1]);
    other.leave();
    assert_eq!((emit(&emitter, "e", b"").others, emit(&emitter, "f", b"").others), (0, 0));
}

#[test]
fn events_of_one_emitter_arrive_in_the_order_of_their_emission_across_routes_and_forms() {
    let endpoint = endpoint(1);
    let emitters = ["order a", "order b"].map(|channel| endpoint.join(channel, <_>::default()));
    let receiver = common::endpoint(2);
    for (at, channel) in ["order a", "order b"].into_iter().enumerate() {
        let member = receiver.join(channel, <_>::default());
        for event in 0..3 {
            member.listen(&format!("plain {event}"), (at * 10 + event) as u32, plain());
            let id = (at * 10 + event + 5) as u32;
            member.listen(&format!("grouped {event}"), id, in_group("g"));
        }
    }
    let mut kept = Vec::new();
    for number in 0..500_u32 {
        let emitter = &emitters[(number / 7 % 2) as usize];
        let payload = number.to_ne_bytes();
        let plain = format!("plain {}", number % 3);
        match number % 5 {
            0 => kept.push(emit(emitter, &format!("grouped {}", number % 3), &payload)),
            1 => kept.push(emit(emitter, &plain, &payload)),
            2 => kept.push(request(emitter, &plain, &payload)),
            _ => assert_eq!(
                emitter.channel().route(&plain).publish(emitter, Some(&payload)),
                Published::To(1)
            ),
        }
    }
    let mut seen = Vec::new();
    for message in read(&receiver) {
        match message {
            Message::Delivery(delivery) => seen.push(delivery.payload().to_vec()),
            Message::Batch(batch) => {
                seen.extend((0..batch.len()).map(|event| batch.event(event).unwrap().2.to_vec()));
            }
            _ => {}
        }
    }
    assert_eq!(seen, (0..500_u32).map(|number| number.to_ne_bytes().to_vec()).collect::<Vec<_>>());
}

#[test]
fn a_request_goes_to_a_listener_whose_reply_is_in_the_outcome() {
    let (emitter, other) = (member(1, "request"), member(2, "request"));
    other.listen("e", 1, plain());
    other.listen("e", 2, plain());
    let mut requested = request(&emitter, "e", b"?");
    assert_eq!(requested.others, 1);
    let delivery = delivery(other.endpoint());
    assert_eq!(delivery.listeners(), [1]);
    assert!(delivery.is_request() && delivery.must_start() && delivery.start());
    delivery.succeed(0, Payload::copy(b"!"));
    assert_eq!(requested.outcome().unwrap().reply, Payload::copy(b"!"));
}

#[test]
fn the_emitters_own_listener_may_be_the_one_that_replies() {
    let emitter = member(1, "own reply");
    emitter.listen("e", 1, plain());
    let requested = request(&emitter, "e", b"");
    assert_eq!(requested.own, [Own { listener: 1, chosen: true }]);
    assert!(requested.dispatch.is_none());
    assert_eq!(emitter.in_flight(), 1, "it counts until the emitter says that it is done");
    emitter.done(1);
    assert_eq!(emitter.in_flight(), 0);
}

#[test]
fn a_member_without_room_refuses_and_the_others_get_the_event() {
    let emitter = member(1, "full");
    let (full, free) = (small_member(2, "full", 1), member(3, "full"));
    full.listen("e", 1, plain());
    full.listen("e", 2, plain());
    free.listen("e", 3, plain());
    let _first = emit(&emitter, "e", b"1");
    let mut second = emit(&emitter, "e", b"2");
    assert_eq!(second.others, 3);
    assert_eq!(deliveries(full.endpoint()).len(), 1);
    let _ = said(emitter.endpoint());
    for delivery in deliveries(free.endpoint()) {
        delivery.succeed(0, None);
    }
    let outcome = second.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 2));
    assert_eq!((outcome.failures[0].listeners, &outcome.failures[0].kind), (2, &common::full(1)));
    assert_eq!(emit(&emitter, "e", b"3").others, 3, "there is room again");
    assert_eq!(deliveries(full.endpoint()).len(), 1);
}

#[test]
fn an_audience_is_all_listeners_and_of_each_group_one() {
    let (emitter, other) = (member(1, "audience"), member(2, "audience"));
    let route = emitter.channel().route("event");
    assert_eq!(route.audience(), 0);
    emitter.listen("event", 1, plain());
    other.listen("event", 2, plain());
    other.listen("event", 3, in_group("one"));
    emitter.listen("event", 4, in_group("one"));
    emitter.listen("event", 5, in_group("two"));
    other.listen("another", 6, plain());
    assert_eq!(route.audience(), 4);
}

#[test]
fn the_endpoints_of_those_who_listen_are_named_once_each() {
    let (emitter, other) = (member(1, "endpoints"), member(2, "endpoints"));
    let sibling = other.endpoint().join("endpoints", MailboxLimits::default());
    let route = emitter.channel().route("e");
    emitter.listen("e", 1, plain());
    assert!(route.endpoints(&emitter).is_empty());
    other.listen("e", 2, once());
    sibling.listen("e", 3, ListenerOptions { group: Some("g".into()), ..plain() });
    member(3, "endpoints").listen("another", 4, plain());
    assert_eq!(route.endpoints(&emitter), [other.endpoint().id()]);
}
