//! One member of a group gets each event; and another does when that one ends.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::Bound;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::queue::Queue;
use parallel_event_bus::engine::channel::route::{ListenerOptions, Own};
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::payload::Payload;

/// Members that listen to `e` in a group, each with its own number as id.
fn group(channel: &str, name: &str, size: u32) -> Vec<Arc<Member>> {
    let one = |id| {
        let member = member(10 + id, channel);
        member.listen("e", id, in_group(name));
        member
    };
    (0..size).map(one).collect()
}

/// How many events wait for each, or are being dealt with.
fn waiting(members: &[Arc<Member>]) -> Vec<usize> {
    members.iter().map(|member| member.capacity().events()).collect()
}

#[test]
fn each_event_goes_to_a_member_of_each_group_and_to_everybody_without_one() {
    let emitter = member(1, "groups");
    let (one, other) = (group("groups", "one", 3), group("groups", "other", 2));
    let alone = member(2, "groups");
    alone.listen("e", 99, plain());
    let emitted: Vec<_> = (0..60).map(|_| emit(&emitter, "e", b"")).collect();
    assert!(emitted.iter().all(|emitted| emitted.others == 3));
    assert_eq!(waiting(&one), [20, 20, 20]);
    assert_eq!(waiting(&other), [30, 30]);
    assert_eq!(waiting(&[alone]), [60]);
}

#[test]
fn the_member_with_the_least_in_flight_is_chosen() {
    let emitter = member(1, "least");
    let members = group("least", "g", 3);
    for (member, busy) in members.iter().zip([3, 0, 2]) {
        member.listen("busy", 100 + member.id().as_u32(), plain());
        let other = Arc::clone(&emitter);
        (0..busy).for_each(|_| drop(emit(&other, "busy", b"")));
        let _ = member.unlisten(100 + member.id().as_u32());
    }
    let held: Vec<_> = members.iter().map(|member| deliveries(member.endpoint())).collect();
    assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0, 2]);
    let _emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "e", b"")).collect();
    let chosen = [0, 1, 2].map(|at| waiting(&members)[at] - held[at].len());
    assert_eq!(chosen, [0, 3, 1], "running ones count as those that wait do");
}

#[test]
fn a_member_is_free_when_its_listener_has_settled_but_not_when_only_its_time_is_over() {
    let emitter = member(1, "free");
    let members = group("free", "g", 2);
    let first = emit(&emitter, "e", b"");
    let held = delivery(members[0].endpoint());
    assert!(held.start());
    first.dispatch().expire(1);
    assert_eq!(members[0].in_flight(), 1, "it is still busy");
    drop(held);
    assert_eq!(members[0].in_flight(), 0);

    let _second = emit(&emitter, "e", b"");
    let held = delivery(members[1].endpoint());
    held.succeed(0, None);
    assert_eq!(members[1].in_flight(), 0, "although its thread has not let go of it");
    drop(held);
    assert_eq!(members[1].in_flight(), 0);
}

#[test]
fn members_that_are_done_at_once_take_turns_in_each_group_by_itself() {
    let emitter = member(1, "turns");
    let members = group("turns", "one", 2);
    for (id, member) in (10..).zip(&members) {
        member.listen("e", id, in_group("other"));
        // In between, in no group, so that places in the table say nothing.
        self::member(50, "turns").listen("e", 50 + id, plain());
    }
    let mut counts = [[0; 2]; 2];
    for _ in 0..10 {
        let _emitted = emit(&emitter, "e", b"");
        for (at, member) in members.iter().enumerate() {
            for delivery in deliveries(member.endpoint()) {
                counts[at][usize::from(delivery.listeners()[0] >= 10)] += 1;
                delivery.succeed(0, None);
            }
        }
    }
    assert_eq!(counts, [[5, 5], [5, 5]]);
}

#[test]
fn a_member_without_room_is_passed_over_while_another_has_some() {
    let emitter = member(1, "pass over");
    let (small, large) = (small_member(2, "pass over", 1), small_member(3, "pass over", 2));
    small.listen("e", 1, in_group("g"));
    large.listen("e", 2, in_group("g"));
    let mut emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "e", b"")).collect();
    assert_eq!(waiting(&[small, large]), [1, 2]);
    let refused = emitted[3].outcome().unwrap();
    assert_eq!((refused.failed(), &refused.failures[0].kind), (1, &full(1)));
}

#[test]
fn the_emitters_own_member_is_a_candidate_like_any_other() {
    let emitter = member(1, "own group");
    let other = member(2, "own group");
    emitter.listen("e", 1, in_group("g"));
    other.listen("e", 2, in_group("g"));
    let emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "e", b"")).collect();
    let own: Vec<_> = emitted.iter().flat_map(|emitted| &emitted.own).collect();
    assert_eq!(own, [&Own { listener: 1, chosen: true }]);
    assert_eq!((emitter.in_flight(), other.in_flight()), (2, 2));
    // Behind something in flight it waits where others may take it over.
    assert_eq!(waiting(&[emitter, other]), [1, 2]);
}

#[test]
fn the_emitters_own_member_calls_its_listener_itself_where_it_is_alone_or_has_no_room() {
    let emitter = small_member(1, "own room", 1);
    let other = small_member(2, "own room", 1);
    emitter.listen("e", 1, in_group("g"));
    let calls = |count: usize| {
        let emitted: Vec<_> = (0..count).map(|_| emit(&emitter, "e", b"")).collect();
        emitted.iter().flat_map(|emitted| &emitted.own).count()
    };
    assert_eq!(calls(2), 2);
    other.listen("e", 2, in_group("g"));
    // The other has room for one, the mailbox of the emitter too.
    assert_eq!(calls(4), 2);
    assert_eq!(waiting(&[emitter, other]), [1, 1]);
}

#[test]
fn a_queue_bounds_what_waits_for_all_of_a_group() {
    let emitter = member(1, "queue");
    let members = group("queue", "g", 2);
    let queue = Queue { max_waiting: 3, takes: 2 };
    members.iter().for_each(|member| member.bound_queue(queue));
    let refused = |event| {
        let outcome = emit(&emitter, event, b"").outcome();
        let kinds = outcome.into_iter().flat_map(|outcome| outcome.failures).map(|each| each.kind);
        kinds.eq([FailureKind::MailboxFull(Bound::Queue(3))])
    };
    let _emitted: Vec<_> = (0..7).map(|_| emit(&emitter, "e", b"")).collect();
    assert_eq!(waiting(&members), [4, 3]);
    assert!(refused("e"));
    members[0].listen("all", 9, plain());
    assert!(!refused("all"), "for everybody");
    // What moves from one to another was let in already.
    members[0].endpoint().close();
    assert_eq!(waiting(&members[1..]), [7]);
    assert!(refused("e"), "fewer members, less room");
}

#[test]
fn a_once_listener_in_a_group_is_used_up_only_by_an_event_that_it_gets() {
    let emitter = member(1, "once in group");
    let members = group("once in group", "g", 1);
    members[0].listen("e", 5, ListenerOptions { prepend: true, ..in_group("g") });
    let once = ListenerOptions { once: true, ..in_group("g") };
    let other = small_member(3, "once in group", 1);
    other.listen("filler", 6, plain());
    other.listen("e", 7, once);
    let _filler = emit(&emitter, "filler", b"");
    // With its room taken the other member is passed over, however little it has in flight.
    let _emitted: Vec<_> = (0..3).map(|_| emit(&emitter, "e", b"")).collect();
    assert_eq!(waiting(&members), [3]);
    drop(deliveries(other.endpoint()));
    let _emitted: Vec<_> = (0..2).map(|_| emit(&emitter, "e", b"")).collect();
    assert_eq!(waiting(&members), [4]);
    assert_eq!(delivery(other.endpoint()).listeners(), [7]);
}

#[test]
fn what_had_not_started_when_its_member_ended_goes_to_another_of_the_group() {
    let emitter = member(1, "move");
    let members = group("move", "g", 2);
    members[0].listen("everyone", 9, plain());
    let mut emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "e", b"")).collect();
    let mut everyone = emit(&emitter, "everyone", b"");
    let started = delivery_of(&members[0]);
    assert!(started.start());

    members[0].endpoint().close();
    drop(started);
    assert_eq!(waiting(&members[1..]), [2 + 1], "the one that had started stays");
    assert_eq!(everyone.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);
    for delivery in deliveries(members[1].endpoint()) {
        assert!(delivery.must_start() && delivery.start());
        assert_eq!(delivery.listeners(), [1]);
        delivery.succeed(0, None);
    }
    let outcomes: Vec<_> = emitted.iter_mut().map(|emitted| emitted.outcome().unwrap()).collect();
    let gone = outcomes.iter().filter(|outcome| outcome.failed() == 1).count();
    assert_eq!((gone, outcomes.len()), (1, 4));
    assert_eq!((members[0].in_flight(), members[1].in_flight()), (0, 0));
}

/// The first of several deliveries; the others stay in the mailbox.
fn delivery_of(member: &Arc<Member>) -> parallel_event_bus::engine::channel::Delivery {
    use parallel_event_bus::engine::channel::message::Message;
    let mut messages = Vec::new();
    let _again = member.endpoint().collect(1, &mut messages);
    let Some(Message::Delivery(delivery)) = messages.pop() else { panic!("another message") };
    delivery
}

#[test]
fn what_nobody_else_can_take_is_gone_with_its_member() {
    let emitter = member(1, "nobody else");
    let full = small_member(2, "nobody else", 1);
    full.listen("e", 1, in_group("g"));
    let mut first = emit(&emitter, "e", b"1");
    let dying = small_member(3, "nobody else", 2);
    dying.listen("e", 1, in_group("g"));
    let mut others: Vec<_> = (0..2).map(|_| emit(&emitter, "e", b"2")).collect();
    dying.endpoint().close();
    let dying = small_member(4, "nobody else", 1);
    dying.listen("e", 1, in_group("g"));
    let mut lost = emit(&emitter, "e", b"3");
    dying.endpoint().close();
    assert_eq!(
        waiting(std::slice::from_ref(&full)),
        [3],
        "it has room for as many more as another one had"
    );
    assert_eq!(lost.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);
    assert!(others.iter_mut().all(|other| other.outcome().is_none()));
    full.endpoint().close();
    assert_eq!(first.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);
    assert_eq!(said(emitter.endpoint()).iter().filter(|said| said.starts_with("lost")).count(), 4);
}

#[test]
fn an_endpoint_that_ends_hands_nothing_on_to_another_place_of_its_own() {
    let (emitter, dying) = (member(1, "own places"), endpoint(2));
    for id in 0..2 {
        dying.join("own places", <_>::default()).listen("e", id, in_group("g"));
    }
    let mut nobody = emit(&emitter, "e", b"");
    dying.close();
    assert_eq!(nobody.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);

    let dying = endpoint(2);
    for id in 0..2 {
        dying.join("own places", <_>::default()).listen("e", id, in_group("g"));
    }
    let _emitted: Vec<_> = (0..4).map(|_| emit(&emitter, "e", b"")).collect();
    let heirs = group("own places", "g", 1);
    dying.close();
    assert_eq!(waiting(&heirs), [4]);
}

#[test]
fn a_member_that_lets_go_of_what_it_has_not_started_does_not_get_it_again() {
    let emitter = member(1, "let go");
    let members = group("let go", "g", 1);
    let mut emitted = emit(&emitter, "e", b"");
    drop(delivery_of(&members[0]));
    assert_eq!(emitted.outcome().unwrap().failures[0].kind, FailureKind::ThreadExited);
    assert_eq!(waiting(&members), [0]);
}

#[test]
fn what_was_cancelled_goes_to_nobody() {
    let emitter = member(1, "cancelled move");
    let members = group("cancelled move", "g", 2);
    let emitted = emit_as(&emitter, "e", b"", |emission| emission.cancellable = true);
    emitted.dispatch().cancel();
    members[0].endpoint().close();
    assert_eq!(said(members[1].endpoint()), ["exit of 10"]);
    assert_eq!((emitter.pending(), emitter.failed()), (0, 0));
    assert_eq!(members[1].capacity().events(), 0);
}

#[test]
fn a_request_whose_member_ended_goes_to_whoever_listens_even_to_the_emitter_itself() {
    let emitter = member(1, "request again");
    let dying = member(2, "request again");
    dying.listen("e", 1, plain());
    let mut requested = request(&emitter, "e", b"");
    emitter.listen("e", 2, plain());
    dying.endpoint().close();
    let moved = delivery(emitter.endpoint());
    assert_eq!(moved.listeners(), [2]);
    assert!(moved.start());
    moved.succeed(0, Payload::copy(b"mine"));
    assert_eq!(requested.outcome().unwrap().reply, Payload::copy(b"mine"));
}
