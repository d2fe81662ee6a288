//! The listeners there are known here.

use std::collections::BTreeMap;

use parallel_event_bus::cluster::host::Happened;

use crate::common::{self, emit, once, plain, read, said};
use crate::pair::{Pair, id};

#[test]
fn a_listener_there_is_addressed_here() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 7, plain());
    assert_eq!(emit(&emitter, "x", b"").others, 0, "it is not known yet");
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 1);
    listening.unlisten(7);
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 0);
}

#[test]
fn a_process_that_has_acknowledged_a_message_has_told_of_what_changed_there_before() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 7, plain());
    pair.run();
    listening.unlisten(7);
    emitter.listen("y", 1, plain());
    pair.step(0);
    let told = pair.bridge(0).told();
    assert!(!pair.bridge(0).is_known(&told));
    pair.step(1);
    while !pair.bridge(0).is_known(&told) {
        pair.step_by_one(0);
    }
    assert_eq!(emit(&emitter, "x", b"").others, 0);
}

#[test]
fn listeners_from_before_the_link_are_told_of() {
    let mut pair = Pair::apart();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 7, plain());
    pair.up();
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 1);
    assert_eq!(pair.happened[0], [Happened::Joined(id(2))]);
    let peers = pair.hosts[0].as_ref().unwrap().peers();
    assert_eq!((&*peers[0].name, peers[0].listeners), ("there", 1));
}

#[test]
fn a_member_that_leaves_there_is_addressed_no_more() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    (0..9).for_each(|id| listening.listen("x", id, plain()));
    pair.run();
    listening.leave();
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 0);
    assert_eq!(pair.hosts[0].as_ref().unwrap().peers()[0].listeners, 0);
}

#[test]
fn a_listener_that_there_was_claimed_is_addressed_no_more() {
    let mut pair = Pair::new();
    let (emitter, listening, other) = (pair.member(0, 1), pair.member(1, 2), pair.member(1, 3));
    listening.listen("x", 7, once());
    pair.run();
    assert_eq!(emit(&other, "x", b"").others, 1);
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 0);
}

#[test]
fn the_end_of_a_thread_there_is_told_here() {
    let mut pair = Pair::new();
    let (emitter, listening) = (pair.member(0, 1), pair.member(1, 2));
    listening.listen("x", 7, plain());
    pair.run();
    drop(read(emitter.endpoint()));
    listening.endpoint().close();
    pair.run();
    assert_eq!(emit(&emitter, "x", b"").others, 0);
    let news = said(emitter.endpoint());
    assert!(news.len() == 1 && news[0].starts_with("exit of "), "{news:?}");
}

#[test]
fn processes_are_told_of_as_news() {
    let mut pair = Pair::apart();
    let member = pair.member(0, 1);
    pair.up();
    pair.run();
    pair.kill(1);
    let news = said(member.endpoint());
    let kinds: Vec<_> = news.iter().map(|news| &news[..6]).collect();
    assert_eq!(kinds, ["news 1", "news 2"]);
    assert_eq!(pair.hosts[0].as_ref().unwrap().peers(), []);
}

#[test]
fn threads_and_buses_that_come_and_go_leave_nothing() {
    let mut pair = Pair::new();
    let (emitter, first) = (pair.member(0, 1), pair.member(1, 2));
    first.listen("x", 1, plain());
    pair.run();
    let _first = emit(&emitter, "x", b"");
    pair.run();
    first.endpoint().close();
    pair.run();
    drop((read(emitter.endpoint()), first));
    let before: BTreeMap<_, _> = common::living().into();
    for thread in 10..60 {
        let listening = pair.member(1, thread);
        (0..5).for_each(|id| listening.listen("x", id, plain()));
        pair.run();
        assert_eq!(emit(&emitter, "x", b"").others, 5);
        pair.run();
        if thread % 2 == 0 {
            listening.leave();
        }
        listening.endpoint().close();
        pair.run();
        drop(read(emitter.endpoint()));
    }
    let after: BTreeMap<_, _> = common::living().into();
    assert_eq!(after, before);
    assert_eq!(pair.unsettled(), [0, 0]);
}
