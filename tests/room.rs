//! Room is taken by unsettled events, and by nothing else; nothing that is over piles up.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::member::{Member, Unlistened};
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::{ListenerOptions, Published};
use parallel_event_bus::engine::payload::Payload;
use parallel_event_bus::engine::timer::schedule;

/// Messages of any kind that may wait before those that are over are looked for.
const A_FEW: usize = 1_024;

fn cancellable(emitter: &Arc<Member>, event: &str) -> Emitted {
    emit_as(emitter, event, b"payload", |emission| emission.cancellable = true)
}

fn within_an_hour(emitter: &Arc<Member>, event: &str) -> Emitted {
    emit_as(emitter, event, b"payload", |emission| emission.timeout = Some(3_600_000))
}

#[test]
fn what_is_taken_back_or_out_of_time_before_it_started_takes_no_room() {
    let (emitter, stuck) = (member(1, "take back"), small_member(2, "take back", 2));
    stuck.listen("e", 1, plain());
    let emitted = [cancellable(&emitter, "e"), within_an_hour(&emitter, "e")];
    assert_eq!((stuck.capacity().events(), stuck.in_flight()), (2, 2));
    emitted[0].dispatch().cancel();
    emitted[1].dispatch().expire(1);
    assert_eq!((stuck.capacity().events(), stuck.in_flight()), (0, 0));
    assert_eq!(emitter.pending(), 0);

    let _newest = [cancellable(&emitter, "e"), cancellable(&emitter, "e")];
    let mut refused = emit(&emitter, "e", b"");
    assert_eq!(refused.outcome().unwrap().failures[0].kind, full(2));
    let read = deliveries(stuck.endpoint());
    let payloads: Vec<_> = read.iter().map(|delivery| delivery.payload().len()).collect();
    assert_eq!(payloads, [0, 0, 7, 7], "what is over keeps no payload");
    let started: Vec<_> = read.iter().map(|delivery| delivery.start()).collect();
    assert_eq!(started, [false, false, true, true]);
    drop(read);
    assert_eq!((stuck.capacity().events(), stuck.in_flight()), (0, 0), "given back once");
}

#[test]
fn what_has_started_takes_room_until_it_is_let_go_of() {
    let (emitter, busy) = (member(1, "started"), small_member(2, "started", 4));
    busy.listen("e", 1, plain());
    let emitted = [cancellable(&emitter, "e"), within_an_hour(&emitter, "e")];
    let running = deliveries(busy.endpoint());
    assert!(running.iter().all(|delivery| delivery.start()));
    emitted[0].dispatch().cancel();
    emitted[1].dispatch().expire(1);
    assert_eq!(busy.capacity().events(), 2);
    running[0].succeed(0, None);
    assert_eq!(busy.capacity().events(), 1, "its listener is done");
    drop(running);
    assert_eq!((busy.capacity().events(), busy.in_flight()), (0, 0));
}

#[test]
fn the_other_recipients_of_an_event_keep_their_room() {
    let emitter = member(1, "parts");
    let (busy, stuck) = (small_member(2, "parts", 4), small_member(3, "parts", 4));
    busy.listen("e", 1, plain());
    stuck.listen("e", 2, plain());
    let emitted = cancellable(&emitter, "e");
    let running = delivery(busy.endpoint());
    assert!(running.start());
    emitted.dispatch().cancel();
    assert_eq!((busy.capacity().events(), stuck.capacity().events()), (1, 0));
    assert_eq!(*running.payload(), *b"payload");
    drop(running);
    assert_eq!(busy.capacity().events(), 0);
}

#[test]
fn who_waits_for_room_is_told_when_enough_is_taken_back() {
    let (emitter, stuck) = (member(1, "told"), small_member(2, "told", 4));
    stuck.listen("e", 1, plain());
    let emitted: Vec<_> = (0..4).map(|_| cancellable(&emitter, "e")).collect();
    emitter.wait_for_room();
    emitted[..2].iter().for_each(|emitted| emitted.dispatch().cancel());
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
    emitted[2].dispatch().cancel();
    assert_eq!(said(emitter.endpoint()), ["drained"]);
}

#[test]
fn what_is_out_of_time_while_it_is_emitted_takes_no_room_either() {
    let (emitter, stuck) = (member(1, "no time"), member(2, "no time"));
    stuck.listen("e", 1, plain());
    for _ in 0..2_000 {
        let mut emitted = emit_as(&emitter, "e", b"payload", |emission| emission.timeout = Some(0));
        let outcome = loop {
            let Some(outcome) = emitted.outcome() else { continue };
            break outcome;
        };
        assert_eq!(outcome.failed(), 1);
        assert_eq!((stuck.capacity().events(), stuck.in_flight()), (0, 0));
    }
}

#[test]
fn what_is_over_does_not_pile_up_before_an_endpoint_that_does_not_look() {
    let (emitter, stuck) = (member(1, "pile"), member(2, "pile"));
    stuck.listen("e", 1, plain());
    let waiting = |live: usize| {
        let waiting = stuck.endpoint().mailbox().len();
        assert!(waiting <= 2 * live + A_FEW, "{waiting} messages for {live} that are not over");
    };
    for round in 0..20_000 {
        let emitted = cancellable(&emitter, "e");
        if round % 2 == 0 { emitted.dispatch().cancel() } else { emitted.dispatch().expire(1) }
    }
    waiting(0);
    let live: Vec<_> = (0..3_000).map(|_| cancellable(&emitter, "e")).collect();
    (0..20_000).for_each(|_| cancellable(&emitter, "e").dispatch().cancel());
    waiting(live.len());
    assert_eq!(stuck.capacity().events(), live.len());
    // When it has looked the mark comes down again.
    drop(read(stuck.endpoint()));
    (0..20_000).for_each(|_| cancellable(&emitter, "e").dispatch().cancel());
    waiting(0);
}

#[test]
fn what_a_once_listener_was_claimed_for_is_read_although_it_is_over() {
    let (emitter, other) = (member(1, "claimed"), member(2, "claimed"));
    for (event, options) in
        [("all", once()), ("one", ListenerOptions { once: true, ..in_group("g") })]
    {
        other.listen(event, 1, options);
        cancellable(&emitter, event).dispatch().cancel();
        let messages = read(other.endpoint());
        assert_eq!(messages.iter().map(Message::is_over).collect::<Vec<_>>(), [false]);
        other.listen(event, 2, plain());
        cancellable(&emitter, event).dispatch().cancel();
        assert!(read(other.endpoint())[0].is_over());
    }
}

/// Two members of threads of their own, each with so many events of the other that it deals with.
fn busy_with_each_other(channel: &str, events: usize) -> [Arc<Member>; 2] {
    let members = [small_member(1, channel, 8), small_member(2, channel, 8)];
    for (member, other) in [(0, 1), (1, 0)] {
        members[member].listen("e", 1, plain());
        let route = members[other].channel().route("e");
        for _ in 0..events {
            assert_eq!(route.publish(&members[other], Some(b"")), Published::To(1));
        }
    }
    members
}

fn congested(member: &Arc<Member>) -> bool {
    member.channel().is_congested(member.endpoint())
}

fn drained(member: &Arc<Member>) -> usize {
    said(member.endpoint()).iter().filter(|said| *said == "drained").count()
}

#[test]
fn two_endpoints_whose_listeners_wait_for_each_others_room_do_not_wait_for_ever() {
    let [one, two] = busy_with_each_other("circle", 6);
    let _running = [read(one.endpoint()), read(two.endpoint())];
    (0..6).for_each(|_| one.wait_for_room());
    assert_eq!((drained(&one), congested(&two)), (0, true), "the other does not wait");
    two.wait_for_room();
    assert_eq!((drained(&one), drained(&two)), (0, 0), "some of its listeners may be done soon");
    two.wait_for_room();
    assert_eq!((drained(&one), drained(&two)), (1, 1));
}

#[test]
fn who_waits_at_a_mark_between_is_told_although_the_other_waits_as_well() {
    let [one, two] = busy_with_each_other("between", 6);
    let mut running = [batches(one.endpoint()).remove(0), batches(two.endpoint()).remove(0)];
    one.wait_for_room();
    two.wait_for_room();
    running[0].settle(0, 2, 0);
    assert_eq!((drained(&one), drained(&two)), (0, 1), "one of them waits, so it may stay at half");
    running[1].settle(0, 3, 0);
    assert_eq!((drained(&one), drained(&two)), (0, 0), "the other waits no more");
    running[1].settle(3, 1, 0);
    assert_eq!((drained(&one), drained(&two)), (1, 0));
}

#[test]
fn an_emitter_whose_own_room_is_not_scarce_waits_for_those_who_wait_for_others() {
    let emitter = member(1, "pipeline");
    let [middle, end] = busy_with_each_other("pipeline", 6);
    drop(read(middle.endpoint()));
    emitter.channel().route("e");
    let relayed = middle.channel().route("relayed");
    middle.listen("relay", 2, plain());
    end.listen("relayed", 3, plain());
    for _ in 0..6 {
        emitter.channel().route("relay").publish(&emitter, Some(b""));
    }
    let _running = read(middle.endpoint());
    (0..6).for_each(|_| middle.wait_for_room());
    emitter.wait_for_room();
    assert_eq!((drained(&emitter), congested(&emitter)), (0, true));
    assert_eq!(relayed.publish(&middle, Some(b"")), Published::To(1));
    drop(read(end.endpoint()));
    assert_eq!((drained(&middle), drained(&emitter)), (1, 0), "from the end of the line");
}

#[test]
fn a_batch_of_which_little_is_left_keeps_no_more_than_that() {
    let (emitter, other) = (member(1, "little"), member(2, "little"));
    other.listen("a", 1, plain());
    other.listen("b", 2, plain());
    let payloads: Vec<Vec<u8>> =
        (0..400_u16).map(|number| number.to_ne_bytes().repeat(10)).collect();
    for (number, payload) in payloads.iter().enumerate() {
        let event = if number % 3 == 0 { "a" } else { "b" };
        emitter.channel().route(event).publish(&emitter, Some(payload));
    }
    let mut batch = batches(other.endpoint()).remove(0);
    let whole = batch.words().len();
    let left = [0, 7, 200, 201, 399];
    let mut from = 0;
    for until in left.into_iter().chain([400]) {
        batch.settle(from, until - from, 0);
        from = until + 1;
    }
    assert!(batch.words().len() * 20 < whole, "{} of {whole} words", batch.words().len());
    assert_eq!((other.capacity().events(), batch.len()), (5, 400));
    for (number, payload) in payloads.iter().enumerate() {
        let expected = left.contains(&number).then(|| {
            if number % 3 == 0 {
                ("a", &[1][..], Payload::copy(payload).unwrap())
            } else {
                ("b", &[2][..], Payload::copy(payload).unwrap())
            }
        });
        assert_eq!(batch.event(number), expected);
    }
    batch.settle(200, 1, 1);
    assert_eq!((other.capacity().events(), emitter.failed()), (4, 1));
    drop(batch);
    let said = said(emitter.endpoint());
    assert_eq!(
        said,
        [
            "lost a ThreadExited × 1",
            "lost b ThreadExited × 1",
            "lost a ThreadExited × 1",
            "lost a ThreadExited × 1"
        ]
    );
    assert_eq!((other.capacity().events(), emitter.pending()), (0, 0));
}

#[test]
fn a_listener_that_no_event_was_addressed_to_is_forgotten_at_once_whatever_waits() {
    let (emitter, other) = (member(1, "unused"), small_member(2, "unused", 1));
    other.listen("e", 0, plain());
    let _waits = emit(&emitter, "e", b"");
    for _ in 0..1_000 {
        other.listen("e", 1, plain());
        // There is no room for it.
        let _refused = emit(&emitter, "e", b"");
        assert_eq!(other.unlisten(1), Unlistened::Unused);
    }
    assert_eq!(other.endpoint().mailbox().len(), 1);
    assert_eq!(other.unlisten(0), Unlistened::Waiting);
    other.listen("f", 3, once());
    assert_eq!(other.unlisten(3), Unlistened::Unused);
    drop(read(other.endpoint()));
    other.listen("f", 3, once());
    let _claimed = emit(&emitter, "f", b"");
    assert_eq!(other.unlisten(3), Unlistened::Waiting);
}

#[test]
fn of_a_thread_that_stalls_again_and_again_one_message_waits() {
    let observer = member(1, "stalls");
    let stuck = member(2, "stalls");
    stuck.listen("e", 1, plain());
    stuck.endpoint().watch_for_stalls(Duration::from_millis(1));
    let stall = || {
        let _emitted = emit(&observer, "e", b"");
        // The next timer after the one for the stall: when it has come, so has that.
        let (come, came) = std::sync::mpsc::channel();
        schedule(Duration::from_millis(2), move || come.send(()).unwrap());
        came.recv_timeout(WATCHDOG).unwrap();
    };
    let told = || loop {
        stall();
        let messages = read(observer.endpoint());
        if !messages.is_empty() {
            return messages;
        }
    };
    let messages = told();
    assert!(matches!(&messages[..], [one] if say(one).starts_with("stall of 2")));
    (0..5).for_each(|_| stall());
    assert_eq!(said(observer.endpoint()), Vec::<String>::new(), "that one was not read yet");
    drop(messages);
    assert_eq!(told().len(), 1);
}

#[test]
fn events_of_one_emitter_come_in_their_order_to_all_members_of_an_endpoint() {
    let (emitter, endpoint) = (member(1, "order"), endpoint(2));
    let places = [1, 2].map(|id| {
        let place = endpoint.join("order", MailboxLimits::default());
        place.listen("e", id, plain());
        place
    });
    let payloads: [&[u8]; 3] = [b"1", b"2", b"3"];
    assert_eq!(publish_all(&emitter.channel().route("e"), &emitter, &payloads), Published::To(2));
    let mut seen = Vec::new();
    for batch in batches(&endpoint) {
        for index in 0..batch.len() {
            let (_, listeners, payload) = batch.event(index).unwrap();
            seen.push((payload[0], listeners[0]));
        }
    }
    assert_eq!(seen, [(b'1', 1), (b'1', 2), (b'2', 1), (b'2', 2), (b'3', 1), (b'3', 2)]);
    assert!(places.iter().all(|place| place.in_flight() == 0), "they were dropped");
}
