//! The live counts of the whole process return to where they were. One test at a time, and no others here.
#![cfg(not(feature = "loom"))]

mod common;

use common::*;
use parallel_event_bus::engine::metrics::{DISPATCHES, TIMERS};

#[test]
fn a_dispatch_that_settled_leaves_no_timer_and_nothing_else_behind() {
    let _alone = alone();
    let before = living();
    {
        let (emitter, other) = (member(1, "behind"), member(2, "behind"));
        other.listen("e", 1, plain());
        let emitted = emit_as(&emitter, "e", b"", |emission| emission.timeout = Some(3_600_000));
        let delivery = delivery(other.endpoint());
        delivery.start_timer(0, 3_600_000);
        assert_eq!(TIMERS.get(), before[3].1 + 2);
        assert!(delivery.start());
        delivery.succeed(0, None);
        assert_eq!(TIMERS.get(), before[3].1);
        delivery.start_timer(0, 3_600_000);
        assert_eq!(TIMERS.get(), before[3].1, "a limit that comes too late is none");
        drop((emitted, delivery));
        assert_eq!(DISPATCHES.get(), before[2].1);
        emitter.endpoint().close();
        other.endpoint().close();
    }
    is_as(before);
}

#[test]
fn channels_routes_and_members_are_gone_with_the_last_of_them() {
    let _alone = alone();
    let before = living();
    for round in 0..100 {
        let channel = format!("channel {}", round % 3);
        let (one, two) = (member(1, &channel), member(2, &channel));
        one.listen("e", 1, plain());
        one.listen("f", 2, once());
        two.listen("e", 1, in_group("g"));
        let kept = [emit(&one, "e", b""), emit(&two, "e", b""), emit(&two, "f", b"")];
        two.channel().route("e").publish(&two, Some(b""));
        one.endpoint().close();
        two.endpoint().close();
        drop(kept);
    }
    is_as(before);
}

#[test]
fn a_member_that_leaves_while_its_endpoint_lives_is_gone_when_its_last_delivery_is() {
    let _alone = alone();
    let before = living();
    let endpoint = endpoint(1);
    let emitter = member(2, "leave");
    for _ in 0..10 {
        let member = endpoint.join("leave", <_>::default());
        member.listen("e", 1, plain());
        let mut emitted = emit(&emitter, "e", b"");
        member.leave();
        drop(member);
        let delivery = delivery(&endpoint);
        delivery.succeed(0, None);
        assert_eq!(emitted.outcome().unwrap().success, 1, "what waited was still dealt with");
    }
    emitter.endpoint().close();
    drop(emitter);
    endpoint.close();
    drop(endpoint);
    is_as(before);
}

#[test]
fn threads_that_come_and_go_leave_nothing() {
    let _alone = alone();
    let before = living();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..200 {
                    let member = member(thread, "come and go");
                    member.listen("e", 1, plain());
                    member.listen(&format!("own {thread} {round}"), 2, plain());
                    let _emitted = emit_as(&member, "e", b"", |emission| {
                        emission.timeout = Some(3_600_000);
                    });
                    member.channel().route("e").publish(&member, Some(b""));
                    drop(read(member.endpoint()));
                    member.endpoint().close();
                }
            });
        }
    });
    is_as(before);
}
