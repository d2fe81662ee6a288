//! Channels are found by name, forget routes that nobody needs, and know when there is room again.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::route::Published;

#[test]
fn members_of_one_name_hear_each_other_and_no_others() {
    let (one, same, other) = (member(1, "name"), member(2, "name"), member(3, "another name"));
    assert_eq!(one.channel().name(), "name");
    same.listen("e", 1, plain());
    other.listen("e", 2, plain());
    assert_eq!(emit(&one, "e", b"").others, 1);
    assert_ne!(one.id(), same.id());
}

#[test]
fn a_route_is_the_same_for_everybody_while_anybody_needs_it() {
    let (one, two) = (member(1, "route"), member(2, "route"));
    let route = one.channel().route("e");
    two.listen("f", 1, plain());
    one.channel().let_go(vec![one.channel().route("e")]);
    assert!(Arc::ptr_eq(&route, &two.channel().route("e")));
    assert_eq!(one.channel().routes(), 2);
    one.channel().let_go(vec![route, one.channel().route("f")]);
    assert_eq!(one.channel().routes(), 1, "somebody listens to the other");
    assert_eq!(emit(&one, "f", b"").others, 1);
    drop(read(two.endpoint()));
    two.leave();
    assert_eq!(one.channel().routes(), 0);
}

#[test]
fn names_without_end_do_not_pile_up() {
    let (one, two) = (member(1, "endless"), member(2, "endless"));
    for number in 0..10_000 {
        let event = format!("reply:{number}");
        one.listen(&event, 1, plain());
        assert_eq!(emit(&two, &event, b"").others, 1);
        let _ = one.unlisten(1);
        drop(read(one.endpoint()));
        drop(read(two.endpoint()));
    }
    assert!(one.channel().routes() <= 129, "{} routes", one.channel().routes());

    let kept: Vec<_> =
        (0..500).map(|number| one.channel().route(&format!("kept {number}"))).collect();
    assert!(one.channel().routes() >= kept.len(), "held by somebody");
}

#[test]
fn a_member_that_waits_for_listeners_is_told_once_for_each_time_that_it_asks() {
    let (one, two, other) = (member(1, "ready"), member(2, "ready"), member(3, "ready"));
    assert_eq!(one.await_listeners("e"), 0);
    assert_eq!(one.await_listeners("e"), 0);
    two.listen("another", 1, plain());
    assert_eq!(said(one.endpoint()), Vec::<String>::new());
    two.listen("e", 2, plain());
    other.listen("e", 3, plain());
    assert_eq!(said(one.endpoint()), ["listening"]);
    assert_eq!(one.await_listeners("e"), 2);
    one.await_no_listeners("e");
    other.listen("e", 4, plain());
    assert_eq!(said(one.endpoint()), Vec::<String>::new());
    assert_eq!(one.await_listeners("e"), 2, "two of one endpoint are one");
    one.await_listeners("f");
    one.leave();
    two.listen("e", 5, plain());
    two.listen("f", 6, plain());
    assert_eq!(said(one.endpoint()), Vec::<String>::new());
}

/// Has so many events wait for a member.
fn fill(emitter: &Arc<Member>, count: usize) {
    (0..count).for_each(|_| drop(emit(emitter, "e", b"")));
}

fn congested(member: &Arc<Member>) -> bool {
    member.channel().is_congested(member.endpoint())
}

#[test]
fn an_emitter_is_told_once_when_no_other_endpoint_has_much_waiting_any_more() {
    let emitter = member(1, "room");
    let others = [small_member(2, "room", 8), small_member(3, "room", 8)];
    others.iter().for_each(|other| other.listen("e", 1, plain()));
    fill(&emitter, 4);
    assert!(!congested(&emitter));
    fill(&emitter, 1);
    assert!(congested(&emitter));
    emitter.wait_for_room();
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
    drop(read(others[0].endpoint()));
    assert!(!said(emitter.endpoint()).contains(&"drained".into()), "the other has much to do");
    let mut running = deliveries(others[1].endpoint());
    assert!(!said(emitter.endpoint()).contains(&"drained".into()), "what is read is not done");
    running.truncate(3);
    assert!(!said(emitter.endpoint()).contains(&"drained".into()), "not much, but not little");
    running.truncate(2);
    assert!(said(emitter.endpoint()).contains(&"drained".into()));
    fill(&emitter, 5);
    drop(read(others[1].endpoint()));
    drop(read(others[0].endpoint()));
    assert!(!said(emitter.endpoint()).contains(&"drained".into()), "it did not ask again");
}

#[test]
fn who_asks_when_there_is_room_is_told_at_once() {
    let emitter = member(1, "room now");
    emitter.wait_for_room();
    assert_eq!(said(emitter.endpoint()), ["drained"]);
}

#[test]
fn what_waits_at_the_emitters_own_endpoint_is_no_congestion() {
    let endpoint = endpoint(1);
    let emitter = endpoint.join("own room", MailboxLimits::default());
    let neighbour = endpoint.join("own room", MailboxLimits { max_messages: 1, max_bytes: 1 });
    neighbour.listen("e", 1, plain());
    fill(&emitter, 1);
    assert!(!congested(&emitter));
    assert!(congested(&member(2, "own room")));
}

#[test]
fn who_waits_for_room_is_told_when_the_member_that_had_none_leaves_or_ends() {
    for ends in [false, true] {
        let (emitter, other) = (member(1, "leave room"), small_member(2, "leave room", 1));
        other.listen("e", 1, plain());
        fill(&emitter, 1);
        emitter.wait_for_room();
        assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
        if ends {
            other.endpoint().close()
        } else {
            other.leave()
        }
        let said = said(emitter.endpoint());
        assert_eq!(said.iter().filter(|said| *said == "drained").count(), 1);
        emitter.endpoint().close();
        other.endpoint().close();
    }
}

#[test]
fn events_of_a_batch_that_settle_make_room_as_deliveries_do() {
    let (emitter, other) = (member(1, "batch room"), small_member(2, "batch room", 8));
    other.listen("e", 1, plain());
    let route = emitter.channel().route("e");
    (0..8).for_each(|_| assert_eq!(route.publish(&emitter, Some(b"")), Published::To(1)));
    assert!(congested(&emitter));
    emitter.wait_for_room();
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
    let mut batch = batches(other.endpoint()).remove(0);
    batch.settle(0, 5, 0);
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
    batch.settle(5, 1, 0);
    assert_eq!(said(emitter.endpoint()), ["drained"]);
}

#[test]
fn a_member_learns_how_many_others_there_are_and_what_they_hear() {
    let (asks, other) = (member(1, "heard"), member(2, "heard"));
    let neighbour = asks.endpoint().join("heard", MailboxLimits::default());
    let heard = || {
        let channel = asks.channel();
        let names = channel.heard_elsewhere(&asks, 3);
        (channel.endpoints(asks.endpoint()), names.iter().map(|name| name.to_string()).collect())
    };
    asks.listen("own", 1, plain());
    assert_eq!(heard(), (1, Vec::<String>::new()));
    ["score", "created"].iter().zip(1..).for_each(|(name, id)| other.listen(name, id, plain()));
    neighbour.listen("near", 2, plain());
    assert_eq!(heard(), (1, ["created", "near", "score"].map(String::from).into()));
    other.listen("more", 3, plain());
    assert_eq!(heard().1.len(), 3);
    other.endpoint().close();
    assert_eq!(heard(), (0, vec!["near".into()]));
}
