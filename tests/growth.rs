//! The cost of a member that comes and goes does not depend on the number of others: counted in members, rows
//! and routes that are looked at. Nor does that of an event that waits. These counts are of the whole process, so one test
//! runs at a time, and there are no others here.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::{Arc, Mutex, PoisonError};

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::metrics::VISITS;

/// So many members for each of the first round in the second one.
const TIMES: u64 = 8;
const FIRST: u32 = 50;

static ALONE: Mutex<()> = Mutex::new(());

/// Fails if so many times as many members cost much more than so many times as much.
fn assert_linear(what: &str, run: impl Fn(u32)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let visits = |members| {
        let before = VISITS.get();
        run(members);
        VISITS.get() - before
    };
    let (few, many) = (visits(FIRST), visits(FIRST * TIMES as u32));
    // Where each costs as much as there are others, it is as often again `TIMES`.
    assert!(
        many <= 2 * TIMES * few,
        "{what}: {few} visits for few, {many} for {TIMES} times as many"
    );
}

fn join(endpoint: &Arc<Endpoint>, channel: &str) -> Arc<Member> {
    let member = endpoint.join(channel, MailboxLimits::default());
    member.listen("e", member.id().as_u32(), plain());
    member
}

fn join_all(endpoint: &Arc<Endpoint>, channel: &str, members: u32) -> Vec<Arc<Member>> {
    (0..members).map(|_| join(endpoint, channel)).collect()
}

#[test]
fn members_that_come_and_go_cost_the_same_however_many_there_are() {
    assert_linear("of one endpoint, the first first", |members| {
        let (endpoint, other) = (endpoint(1), member(2, "first"));
        join_all(&endpoint, "first", members).iter().for_each(Member::leave);
        end(&[&endpoint, other.endpoint()]);
    });
    assert_linear("of one endpoint, the last first", |members| {
        let endpoint = endpoint(1);
        join_all(&endpoint, "last", members).iter().rev().for_each(Member::leave);
        endpoint.close();
    });
    assert_linear("of one endpoint that ends, in one channel", |members| {
        let (endpoint, other) = (endpoint(1), member(2, "ends"));
        let _members = join_all(&endpoint, "ends", members);
        endpoint.close();
        assert_eq!(said(other.endpoint()), ["exit of 1"]);
        other.endpoint().close();
    });
    assert_linear("of one endpoint that ends, in channels of their own", |members| {
        let endpoint = endpoint(1);
        let _members: Vec<_> =
            (0..members).map(|number| join(&endpoint, &format!("own {number}"))).collect();
        endpoint.close();
    });
    assert_linear("with events of their own", |members| {
        let endpoint = endpoint(1);
        let members = join_all(&endpoint, "own events", members);
        for member in &members {
            member.listen(&format!("reply:{}", member.id().as_u32()), 0, plain());
        }
        members.iter().for_each(Member::leave);
        assert!(members[0].channel().routes() <= 1);
        endpoint.close();
    });
    assert_linear("that begin and cease to listen", |members| {
        let endpoint = endpoint(1);
        for member in join_all(&endpoint, "cease", members) {
            let _ = member.unlisten(member.id().as_u32());
        }
        endpoint.close();
    });
    assert_linear("that wait for room", |members| {
        let (endpoint, full, emitter) = full("wait");
        let members = join_all(&endpoint, "wait", members);
        members.iter().for_each(|member| member.wait_for_room());
        members.iter().for_each(Member::leave);
        end(&[&endpoint, full.endpoint(), emitter.endpoint()]);
    });
    assert_linear("that are told of room", |members| {
        let (endpoint, full, emitter) = full("room");
        let members = join_all(&endpoint, "room", members);
        members.iter().for_each(|member| member.wait_for_room());
        drop(read(full.endpoint()));
        let told = read(&endpoint);
        let told =
            told.iter().filter(|message| matches!(message, Message::Notice(Notice::Drained(_))));
        assert_eq!(told.count(), members.len());
        end(&[&endpoint, full.endpoint(), emitter.endpoint()]);
    });
    assert_linear("while others pace themselves", |members| {
        let endpoint = endpoint(1);
        let emitter = member(2, "pace");
        let members = join_all(&endpoint, "pace", members);
        members.iter().for_each(|_| assert!(!emitter.channel().is_congested(emitter.endpoint())));
        end(&[&endpoint, emitter.endpoint()]);
    });
}

/// An endpoint, a member of another one without room, and the member that has filled it.
fn full(channel: &str) -> (Arc<Endpoint>, Arc<Member>, Arc<Member>) {
    let (full, emitter) = (small_member(2, channel, 1), member(3, channel));
    full.listen("full", 1, plain());
    drop(emit(&emitter, "full", b""));
    (endpoint(1), full, emitter)
}

fn end(endpoints: &[&Arc<Endpoint>]) {
    endpoints.iter().for_each(|endpoint| endpoint.close());
}

#[test]
fn an_event_that_waits_in_a_group_costs_the_same_however_many_do() {
    assert_linear("all are taken over", |events| {
        let (emitter, victim) = (member(1, "taken"), member(2, "taken"));
        victim.listen("e", 1, in_group("g"));
        let _emitted: Vec<_> = (0..events).map(|_| emit(&emitter, "e", b"x")).collect();
        let thief = member(3, "taken");
        thief.listen("e", 1, in_group("g"));
        let mut taken = 0;
        while taken < events {
            emitter.channel().tick();
            let mut messages = Vec::new();
            thief.endpoint().steal(&[], &mut messages);
            for message in messages {
                let Message::Delivery(delivery) = message else { panic!("only deliveries move") };
                assert!(delivery.start());
                delivery.succeed(0, None);
                taken += 1;
            }
        }
        end(&[emitter.endpoint(), victim.endpoint(), thief.endpoint()]);
    });
    assert_linear("they wait for long", |events| {
        let (emitter, victim, other) = (member(1, "long"), member(2, "long"), member(3, "long"));
        for member in [&victim, &other] {
            member.listen("e", 1, in_group("g"));
        }
        let _emitted: Vec<_> = (0..events).map(|_| emit(&emitter, "e", b"x")).collect();
        // A tick for each, and a member that asks each time and is full.
        for _ in 0..events {
            emitter.channel().tick();
            other.endpoint().steal(&[1], &mut Vec::new());
        }
        end(&[emitter.endpoint(), victim.endpoint(), other.endpoint()]);
    });
}
