//! Events with a key for groups of several processes: those of one key go to one member, in order, wherever it is.

use std::sync::Arc;

use parallel_event_bus::engine::capacity::Bound;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::queue::Queue;
use parallel_event_bus::engine::channel::route::ListenerOptions;
use parallel_event_bus::engine::outcome::{FailureKind, Started};

use crate::common::{Emitted, deliveries, emit, emit_as, in_group};
use crate::pair::Pair;

fn emit_key(emitter: &Arc<Member>, number: u8) -> Emitted {
    emit_as(emitter, "x", &[number], |emission| emission.key = Some("k".into()))
}

fn listen(member: &Arc<Member>) {
    member.listen("x", 1, in_group("g"));
}

/// Runs the deliveries that have come. Returns the numbers, in order.
fn run(member: &Arc<Member>) -> Vec<u8> {
    let came = deliveries(member.endpoint());
    let run = came.iter().filter(|delivery| delivery.start()).map(|delivery| {
        let number = delivery.payload()[0];
        delivery.succeed(0, None);
        number
    });
    run.collect()
}

#[test]
fn they_stay_with_their_member_there_in_order() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let there = [pair.member(1, 2), pair.member(1, 3)];
    there.iter().for_each(listen);
    pair.run();
    let _first = emit_key(&emitter, 0);
    let others: Vec<_> = (10..13).map(|number| emit(&emitter, "x", &[number])).collect();
    let _more: Vec<_> = (1..4).map(|number| emit_key(&emitter, number)).collect();
    pair.run();
    let mut came = there.each_ref().map(run);
    let of_key = |numbers: &[u8]| numbers.iter().copied().filter(|it| *it < 10).collect::<Vec<_>>();
    came.sort_by_key(|numbers| of_key(numbers).len());
    assert_eq!((of_key(&came[0]), of_key(&came[1])), (vec![], vec![0, 1, 2, 3]));
    assert_eq!(came.iter().map(Vec::len).sum::<usize>(), 4 + others.len());
    pair.run();
    assert_eq!((pair.unsettled(), emitter.pending()), ([0, 0], 0));
    assert_eq!(emitter.channel().route("x").keys(), 0, "the key is forgotten");
}

#[test]
fn each_process_keeps_its_own_events_of_a_key_together() {
    let mut pair = Pair::new();
    let emitters = [pair.member(0, 1), pair.member(1, 2)];
    let members = [pair.member(0, 3), pair.member(1, 4)];
    members.iter().for_each(listen);
    pair.run();
    let _emitted: Vec<_> = (0..6).map(|at| emit_key(&emitters[at as usize % 2], at)).collect();
    pair.run();
    // Of equals, each prefers its own.
    assert_eq!(members.each_ref().map(run), [vec![0, 2, 4], vec![1, 3, 5]]);
}

#[test]
fn what_finds_no_listener_there_any_more_goes_to_another_member_before_what_came_later() {
    let mut pair = Pair::new();
    let (emitter, there, here) = (pair.member(0, 1), pair.member(1, 2), pair.member(0, 3));
    listen(&there);
    pair.run();
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, number)).collect();
    listen(&here);
    // They are under way when the listener is removed.
    pair.step(0);
    let _ = there.unlisten(1);
    emitted.push(emit_key(&emitter, 3));
    pair.run();
    emitted.push(emit_key(&emitter, 4));
    pair.run();
    assert!(run(&there).is_empty());
    assert_eq!(run(&here), [0, 1, 2, 3, 4]);
    assert!(emitted.iter_mut().all(|each| each.outcome().unwrap().success == 1));
    assert_eq!((pair.unsettled(), here.in_flight(), emitter.pending()), ([0, 0], 0, 0));
}

#[test]
fn what_nobody_listens_to_any_more_counts_for_nothing() {
    let mut pair = Pair::new();
    let (emitter, there) = (pair.member(0, 1), pair.member(1, 2));
    listen(&there);
    pair.run();
    let mut emitted: Vec<_> = (0..3).map(|number| emit_key(&emitter, number)).collect();
    pair.step(0);
    let _ = there.unlisten(1);
    pair.run();
    for each in &mut emitted {
        let outcome = each.outcome().unwrap();
        assert_eq!((outcome.success, outcome.failures.len()), (0, 0));
    }
    assert_eq!((pair.unsettled(), emitter.channel().route("x").keys()), ([0, 0], 0));
}

#[test]
fn a_listener_that_is_there_again_gets_what_comes_later() {
    let mut pair = Pair::new();
    let (emitter, there, here) = (pair.member(0, 1), pair.member(1, 2), pair.member(0, 3));
    listen(&there);
    pair.run();
    let _old: Vec<_> = (0..2).map(|number| emit_key(&emitter, number)).collect();
    pair.step(0);
    let _ = there.unlisten(1);
    listen(&there);
    // Both are known here, before the events have come there.
    pair.turn(1, Vec::new());
    pair.step(0);
    listen(&here);
    let mut new = emit_key(&emitter, 2);
    pair.run();
    assert_eq!((run(&here), run(&there)), (vec![0, 1], vec![]), "what came first");
    pair.run();
    assert_eq!((run(&here), run(&there)), (vec![], vec![2]));
    pair.run();
    assert_eq!(new.outcome().unwrap().success, 1);
}

#[test]
fn a_thread_there_that_ends_leaves_to_others_what_it_has_not_started_in_order() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (there, other) = (pair.member(1, 2), pair.member(1, 3));
    listen(&there);
    pair.run();
    let mut emitted: Vec<_> = (0..4).map(|number| emit_key(&emitter, number)).collect();
    pair.run();
    let came = deliveries(there.endpoint());
    assert!(came[0].start());
    listen(&other);
    pair.run();
    there.endpoint().close();
    // The first one goes on for a while, and the others are let go of in any order.
    let mut came = came.into_iter();
    let running = came.next().unwrap();
    came.rev().for_each(drop);
    pair.run();
    assert!(run(&other).is_empty(), "it still runs elsewhere");
    drop(running);
    pair.run();
    assert_eq!(run(&other), [1, 2, 3]);
    pair.run();
    let failed = emitted.remove(0).outcome().unwrap();
    assert_eq!(failed.failures[0].kind, FailureKind::ThreadExited);
    assert!(emitted.iter_mut().all(|each| each.outcome().unwrap().success == 1));
    assert_eq!((pair.unsettled(), emitter.channel().route("x").keys()), ([0, 0], 0));
}

#[test]
fn what_was_not_sent_to_a_process_that_is_gone_goes_to_others_in_order() {
    let mut pair = Pair::new();
    let (emitter, there, here) = (pair.member(0, 1), pair.member(1, 2), pair.member(0, 3));
    listen(&there);
    listen(&pair.member(1, 4));
    pair.run();
    let mut sent = emit_key(&emitter, 0);
    pair.run();
    let mut waiting: Vec<_> = (1..4).map(|number| emit_key(&emitter, number)).collect();
    listen(&here);
    pair.kill(1);
    let gone = FailureKind::PeerGone(Started::Unknown);
    assert_eq!(sent.outcome().unwrap().failures[0].kind, gone);
    assert_eq!(run(&here), [1, 2, 3]);
    assert!(waiting.iter_mut().all(|each| each.outcome().unwrap().success == 1));
    assert_eq!((here.in_flight(), emitter.channel().route("x").keys()), (0, 0));
}

#[test]
fn one_that_is_cancelled_while_it_waits_for_another_member_holds_up_nobody() {
    let mut pair = Pair::new();
    let emitter = pair.member(0, 1);
    let (there, here) = (pair.member(1, 2), pair.member(0, 3));
    listen(&there);
    pair.run();
    let cancellable = |number: u8| {
        emit_as(&emitter, "x", &[number], |emission| {
            (emission.key, emission.cancellable) = (Some("k".into()), true);
        })
    };
    let emitted: Vec<_> = (0..4).map(cancellable).collect();
    pair.run();
    let came = deliveries(there.endpoint());
    assert!(came[0].start());
    listen(&here);
    there.endpoint().close();
    let mut came = came.into_iter();
    let running = came.next().unwrap();
    drop(came);
    pair.run();
    // The rest of the events wait for the first one to end.
    emitted[2].dispatch().cancel();
    drop(running);
    pair.run();
    assert_eq!(run(&here), [1, 3]);
    pair.run();
    assert_eq!((pair.unsettled(), emitter.channel().route("x").keys()), ([0, 0], 0));
}

#[test]
fn a_queue_is_bounded_by_its_own_process_for_events_of_others_too() {
    let mut pair = Pair::new();
    let (emitter, there) = (pair.member(0, 1), pair.member(1, 2));
    there.bound_queue(Queue { max_waiting: 1, takes: 1 });
    listen(&there);
    pair.run();
    let mut emitted: Vec<_> = (0..3).map(|number| emit(&emitter, "x", &[number])).collect();
    pair.run();
    let refused = emitted.pop().unwrap().outcome().unwrap();
    assert_eq!(refused.failures[0].kind, FailureKind::MailboxFull(Bound::Queue(1)));
    assert_eq!(run(&there), [0, 1]);
    // A member without such a bound takes it instead.
    let here = pair.member(0, 3);
    let _full: Vec<_> = (0..2).map(|number| emit(&emitter, "x", &[number])).collect();
    pair.run();
    listen(&here);
    let mut passed_on = emit(&emitter, "x", &[9]);
    assert_eq!(run(&here), [9]);
    assert_eq!(passed_on.outcome().unwrap().success, 1);
}

#[test]
fn one_that_a_listener_there_was_claimed_for_and_did_not_get_goes_to_another_member() {
    let mut pair = Pair::new();
    let (emitter, there, here) = (pair.member(0, 1), pair.member(1, 2), pair.member(0, 3));
    there.listen("x", 1, ListenerOptions { once: true, ..in_group("g") });
    pair.run();
    let mut emitted = vec![emit_key(&emitter, 0)];
    listen(&here);
    emitted.extend((1..3).map(|number| emit_key(&emitter, number)));
    // Claimed here, and removed there before the event comes.
    let _ = there.unlisten(1);
    pair.run();
    assert_eq!((run(&here), run(&there)), (vec![0], vec![]));
    assert_eq!(run(&here), [1, 2]);
    assert!(emitted.iter_mut().all(|each| each.outcome().unwrap().success == 1));
    assert_eq!((pair.unsettled(), emitter.channel().route("x").keys()), ([0, 0], 0));
}
