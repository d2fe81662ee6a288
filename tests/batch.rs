//! Events that nobody waits for: many in one message, each settled once.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Batch;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::{ListenerOptions, Published};
use parallel_event_bus::engine::payload::Payload;

fn publish(emitter: &Arc<Member>, event: &str, payload: &[u8]) -> Published {
    emitter.channel().route(event).publish(emitter, Some(payload))
}

fn batch(member: &Arc<Member>) -> Batch {
    let mut all = batches(member.endpoint());
    assert_eq!(all.len(), 1, "batches wait");
    all.remove(0)
}

#[test]
fn a_burst_to_a_member_is_one_message_that_reads_as_it_was_written() {
    let (emitter, other) = (member(1, "burst"), member(2, "burst"));
    other.listen("a", 1, plain());
    other.listen("b", 2, plain());
    other.listen("b", 3, plain());
    let payload: Vec<u8> = (1..=9).collect();
    for length in 0..=9 {
        assert_eq!(publish(&emitter, "a", &payload[..length]), Published::To(1));
        assert_eq!(publish(&emitter, "b", &payload[length..]), Published::To(2));
    }
    let batch = batch(&other);
    assert_eq!(batch.len(), 20);
    for length in 0..=9 {
        let (a, b) = (batch.event(2 * length).unwrap(), batch.event(2 * length + 1).unwrap());
        assert_eq!(a, ("a", [1].as_slice(), Payload::copy(&payload[..length]).unwrap()));
        assert_eq!(b, ("b", [2, 3].as_slice(), Payload::copy(&payload[length..]).unwrap()));
    }
    assert_eq!(batch.event(20), None);
    assert!(Arc::ptr_eq(batch.emitter(), &emitter) && Arc::ptr_eq(batch.member(), &other));
}

#[test]
fn an_endpoint_gets_events_that_are_published_at_once_in_their_order_whichever_member_they_are_for()
{
    let (emitter, endpoint) = (member(1, "shared"), endpoint(2));
    let members = [1, 2].map(|id| {
        let member = endpoint.join("shared", MailboxLimits::default());
        member.listen("e", id, plain());
        member
    });
    let route = emitter.channel().route("e");
    assert!(!route.has_siblings(&emitter) && route.has_siblings(&members[0]));
    assert_eq!(publish_all(&route, &emitter, &[b"a", b"b", b"c"]), Published::To(2));
    let mut heard = Vec::new();
    for message in read(&endpoint) {
        let Message::Batch(mut batch) = message else { panic!("something else") };
        for index in 0..batch.len() {
            let (_, listeners, payload) = batch.event(index).unwrap();
            heard.push((listeners[0], payload[0]));
        }
        batch.settle(0, batch.len(), 0);
    }
    assert_eq!(heard, [(1, b'a'), (2, b'a'), (1, b'b'), (2, b'b'), (1, b'c'), (2, b'c')]);
    assert_eq!((emitter.pending(), emitter.addressed()), (0, 6));
}

#[test]
fn many_events_that_are_published_at_once_are_as_if_one_by_one() {
    let (emitter, other) = (member(1, "all"), small_member(2, "all", 3));
    let free = member(3, "all");
    other.listen("e", 1, plain());
    free.listen("e", 2, plain());
    let route = emitter.channel().route("e");
    assert_eq!(publish_all(&route, &emitter, &[]), Published::NeedsPayload);
    let payloads: [&[u8]; 5] = [b"1", b"22", b"333", b"4", b"5"];
    assert_eq!(publish_all(&route, &emitter, &payloads), Published::To(2));
    assert_eq!(
        said(emitter.endpoint()),
        ["lost e MailboxFull of 3 × 1", "lost e MailboxFull of 3 × 1"]
    );
    assert_eq!((emitter.pending(), emitter.failed()), (3 + 5, 2));
    assert_eq!((other.capacity().events(), other.in_flight(), free.in_flight()), (3, 3, 5));
    let (some, all) = (batch(&other), batch(&free));
    assert_eq!((some.len(), all.len()), (3, 5));
    for (index, payload) in payloads.iter().enumerate() {
        let read = |batch: &Batch| batch.event(index).map(|(_, _, payload)| payload);
        assert_eq!(read(&all).as_deref(), Some(*payload));
        assert_eq!(read(&some).as_deref(), (index < 3).then_some(*payload));
    }
    other.endpoint().close();
    other.listen("e", 1, plain());
    assert_eq!(publish_all(&route, &emitter, &payloads), Published::To(1), "it has left");
    free.listen("e", 3, once());
    assert_eq!(publish_all(&route, &emitter, &payloads), Published::NotPlain);
    let _ = free.unlisten(3);
    drop((some, all, free.endpoint().mailbox().close()));
    said(emitter.endpoint());
    assert_eq!(publish_all(&route, &emitter, &payloads[..2]), Published::To(1));
    assert_eq!(said(emitter.endpoint()), ["lost e ThreadExited × 1", "lost e ThreadExited × 1"]);
    assert_eq!((emitter.pending(), free.in_flight()), (0, 0));
    assert_eq!(emitter.addressed(), 2 * 5 + 5 + 2);
}

#[test]
fn an_event_that_is_not_plain_is_left_to_an_emission() {
    let (emitter, other) = (member(1, "not plain"), member(2, "not plain"));
    assert_eq!(publish(&emitter, "e", b""), Published::To(0));
    other.listen("e", 1, plain());
    assert_eq!(emitter.channel().route("e").publish(&emitter, None), Published::NeedsPayload);
    let tracked = ListenerOptions { tracked: true, ..plain() };
    for options in [once(), in_group("g"), tracked] {
        other.listen("e", 2, options);
        assert_eq!(publish(&emitter, "e", b""), Published::NotPlain);
        let _ = other.unlisten(2);
        assert_eq!(publish(&emitter, "e", b""), Published::To(1));
    }
    other.listen("e", 2, once());
    let _claimed = emit(&emitter, "e", b"");
    assert_eq!(publish(&emitter, "e", b""), Published::To(1), "the once listener is used up");
    emitter.listen("e", 3, plain());
    assert_eq!(
        publish(&emitter, "e", b""),
        Published::To(1),
        "its own listener is its own business"
    );
}

#[test]
fn an_event_settles_once_and_the_emitter_counts_it() {
    let (emitter, other) = (member(1, "settle"), member(2, "settle"));
    other.listen("e", 1, plain());
    other.listen("e", 2, plain());
    (0..4).for_each(|_| assert_eq!(publish(&emitter, "e", b""), Published::To(2)));
    assert_eq!((emitter.pending(), other.in_flight(), other.capacity().events()), (4, 4, 4));
    let mut batch = batch(&other);
    assert_eq!((other.in_flight(), other.capacity().events()), (4, 4), "it was only read");
    batch.settle(1, 2, 3);
    assert_eq!((emitter.pending(), emitter.failed(), other.in_flight()), (2, 3, 2));
    assert_eq!(other.capacity().events(), 2);
    batch.settle(1, 2, 1);
    assert_eq!((emitter.pending(), emitter.failed()), (2, 3), "these had settled before");
    batch.settle(0, 100, 0);
    batch.settle(100, 1, 0);
    assert!(batch.is_settled());
    drop(batch);
    assert_eq!((emitter.pending(), emitter.failed(), other.in_flight()), (0, 3, 0));
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
}

#[test]
fn a_batch_that_is_dropped_tells_of_each_event_that_had_not_settled() {
    let (emitter, other) = (member(1, "drop"), member(2, "drop"));
    other.listen("a", 1, plain());
    other.listen("b", 2, plain());
    other.listen("b", 3, plain());
    for event in ["a", "b", "a"] {
        publish(&emitter, event, event.as_bytes());
    }
    let mut batch = batch(&other);
    batch.settle(0, 1, 0);
    drop(batch);
    assert_eq!(said(emitter.endpoint()), ["lost b ThreadExited × 2", "lost a ThreadExited × 1"]);
    assert_eq!((emitter.pending(), emitter.failed(), other.in_flight()), (0, 3, 0));
}

#[test]
fn a_member_without_room_loses_the_event_and_the_emitter_is_told() {
    let (emitter, other) = (member(1, "full batch"), small_member(2, "full batch", 2));
    let free = member(3, "full batch");
    other.listen("e", 1, plain());
    free.listen("e", 2, plain());
    (0..3).for_each(|_| assert_eq!(publish(&emitter, "e", b"!"), Published::To(2)));
    assert_eq!(said(emitter.endpoint()), ["lost e MailboxFull of 2 × 1"]);
    assert_eq!((batch(&other).len(), batch(&free).len()), (2, 3));
    assert_eq!((emitter.pending(), other.capacity().events(), other.in_flight()), (0, 0, 0));
}

#[test]
fn batches_are_bounded_in_events_and_in_size_and_events_of_any_size_fit() {
    let (emitter, other) = (member(1, "bounded"), member(2, "bounded"));
    other.listen("e", 1, plain());
    (0..1_100).for_each(|_| assert_eq!(publish(&emitter, "e", b""), Published::To(1)));
    let lengths: Vec<_> = batches(other.endpoint()).iter().map(Batch::len).collect();
    assert_eq!(lengths, [512, 512, 76]);

    let large = vec![7; 1 << 20];
    for payload in [b"small", large.as_slice(), b"small"] {
        publish(&emitter, "e", payload);
    }
    let batches = batches(other.endpoint());
    assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(batches[1].event(0).unwrap().2.to_vec(), large);
}

#[test]
fn events_of_different_emitters_and_other_messages_between_keep_their_places() {
    let channel = "places";
    let (one, two, other) = (member(1, channel), member(2, channel), member(3, channel));
    other.listen("e", 1, plain());
    let mut kept = Vec::new();
    publish(&one, "e", b"1");
    publish(&one, "e", b"2");
    publish(&two, "e", b"3");
    kept.push(emit(&two, "e", b"4"));
    publish(&two, "e", b"5");
    publish(&one, "e", b"6");
    let mut seen = String::new();
    for message in read(other.endpoint()) {
        match message {
            Message::Batch(batch) => {
                for index in 0..batch.len() {
                    seen += str::from_utf8(&batch.event(index).unwrap().2).unwrap();
                }
                seen += " ";
            }
            Message::Delivery(delivery) => seen += str::from_utf8(&delivery.payload()).unwrap(),
            _ => {}
        }
    }
    assert_eq!(seen, "12 3 45 6 ");
}

#[test]
fn events_for_two_places_of_one_endpoint_are_in_batches_of_their_own() {
    let (emitter, endpoint) = (member(1, "two places"), endpoint(2));
    let places = [1, 2].map(|id| {
        let place = endpoint.join("two places", <_>::default());
        place.listen("e", id, plain());
        place
    });
    (0..2).for_each(|_| assert_eq!(publish(&emitter, "e", b""), Published::To(2)));
    let batches = batches(&endpoint);
    let of: Vec<_> = batches.iter().map(|batch| batch.member().id()).collect();
    let [one, two] = places.map(|place| place.id());
    assert_eq!(of, [one, two, one, two]);
    assert!(batches.iter().all(|batch| batch.len() == 1));
}

#[test]
fn a_batch_that_was_collected_is_written_to_no_more() {
    let (emitter, other) = (member(1, "collected"), member(2, "collected"));
    other.listen("e", 1, plain());
    publish(&emitter, "e", b"1");
    let first = batch(&other);
    publish(&emitter, "e", b"2");
    assert_eq!((first.len(), batch(&other).len()), (1, 1));
}

#[test]
fn a_member_that_ends_takes_its_batches_with_it() {
    let (emitter, other) = (member(1, "end"), member(2, "end"));
    other.listen("e", 1, plain());
    (0..3).for_each(|_| assert_eq!(publish(&emitter, "e", b""), Published::To(1)));
    other.endpoint().close();
    let said = said(emitter.endpoint());
    assert_eq!(said[..3], ["lost e ThreadExited × 1"; 3]);
    assert_eq!(said[3..], ["exit of 2"]);
    assert_eq!((emitter.pending(), emitter.failed()), (0, 3));
    assert_eq!(publish(&emitter, "e", b""), Published::To(0));
    assert_eq!(other.capacity().events(), 0);
}
