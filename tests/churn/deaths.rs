//! Members die: some events are lost with them, and no others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::outcome::FailureKind;

use crate::common::{alone, deliveries, delivery, emit_as, in_group, member, plain, read};
use crate::{Awaited, Dice};

#[test]
fn a_group_loses_only_what_had_started_while_its_members_die() {
    let _alone = alone();
    const EVENTS: u32 = 2_000;
    let channel = "dying group";
    let stop = Arc::new(AtomicBool::new(false));
    // One that stays, so that there always is another, and room for all.
    let stays = member(1, channel);
    stays.listen("e", 1, in_group("g"));
    let started = Arc::new(AtomicUsize::new(0));
    let dying: Vec<_> = (0..3)
        .map(|number| {
            let (stop, started) = (stop.clone(), started.clone());
            thread::spawn(move || {
                let mut dice = Dice(number + 1);
                while !stop.load(Ordering::Acquire) {
                    let member = member(10, channel);
                    member.listen("e", 1, in_group("g"));
                    for _ in 0..dice.roll(20) {
                        let mut messages = Vec::new();
                        let _again = member.endpoint().collect(2, &mut messages);
                        for message in messages {
                            let Message::Delivery(delivery) = message else { continue };
                            if dice.roll(4) > 0 && delivery.start() {
                                if dice.roll(4) > 0 {
                                    delivery.succeed(0, None);
                                } else {
                                    started.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                    }
                    member.endpoint().close();
                }
            })
        })
        .collect();
    let emitter = member(2, channel);
    let mut awaited = Awaited::default();
    for _ in 0..EVENTS {
        awaited.send(&emitter, "e", b"", false, false);
        for delivery in deliveries(stays.endpoint()) {
            if delivery.start() {
                delivery.succeed(0, None);
            }
        }
    }
    stop.store(true, Ordering::Release);
    dying.into_iter().for_each(|thread| thread.join().unwrap());
    for delivery in deliveries(stays.endpoint()) {
        assert!(delivery.start());
        delivery.succeed(0, None);
    }
    let mut gone = 0;
    for outcome in read(emitter.endpoint()).into_iter().filter_map(|it| awaited.settle(it)) {
        assert!(outcome.failures.iter().all(|failure| failure.kind == FailureKind::ThreadExited));
        gone += outcome.failed() as usize;
    }
    assert!(awaited.is_empty());
    assert_eq!(gone, started.load(Ordering::Relaxed));
    stays.endpoint().close();
    emitter.endpoint().close();
}

#[test]
fn settling_expiring_cancelling_and_dying_at_once_settle_each_listener_once() {
    let _alone = alone();
    for round in 0..400 {
        let (emitter, other) = (member(1, "all at once"), member(2, "all at once"));
        (0..3).for_each(|id| other.listen("e", id, plain()));
        let mut emitted = emit_as(&emitter, "e", b"", |emission| emission.cancellable = true);
        let dispatch = emitted.dispatch().clone();
        let delivery = delivery(other.endpoint());
        let cancels = round % 2 == 0;
        let started = delivery.start();
        thread::scope(|scope| {
            scope.spawn(|| dispatch.expire(1));
            scope.spawn(|| (0..3).for_each(|index| delivery.succeed(index, None)));
            scope.spawn(|| if cancels { dispatch.cancel() } else { emitter.endpoint().close() });
            scope.spawn(|| other.endpoint().close());
        });
        drop(delivery);
        assert_eq!((emitter.pending(), other.in_flight()), (0, 0));
        match emitted.outcome() {
            Some(outcome) => {
                assert_eq!(outcome.success + outcome.failed(), 3);
                assert_eq!(emitter.failed() as u32, outcome.failed());
            }
            None => assert!(!cancels || started, "only what has started is not heard of"),
        }
        drop(read(emitter.endpoint()));
        emitter.endpoint().close();
    }
}
