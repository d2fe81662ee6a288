//! Members of a group that have nothing to do take over what others have not started.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::payload::Payload;

/// A member that listens to `e` in the group `g`, as listener 1.
fn of_group(thread: u32, channel: &str) -> Arc<Member> {
    let member = member(thread, channel);
    member.listen("e", 1, in_group("g"));
    member
}

/// What an endpoint takes over, except for full listeners, when everything is offered.
fn take_over(thief: &Arc<Member>, full: &[u32]) -> Vec<Delivery> {
    thief.channel().tick();
    thief.channel().tick();
    steal(thief.endpoint(), full)
}

fn steal(thief: &Arc<Endpoint>, full: &[u32]) -> Vec<Delivery> {
    let mut stolen = Vec::new();
    thief.steal(full, &mut stolen);
    let only =
        |message| if let Message::Delivery(delivery) = message { Some(delivery) } else { None };
    stolen.into_iter().filter_map(only).collect()
}

fn numbers(deliveries: &[Delivery]) -> Vec<u8> {
    deliveries.iter().map(|delivery| delivery.payload()[0]).collect()
}

#[test]
fn half_of_what_others_have_not_started_is_taken_over_the_oldest_first() {
    let emitter = member(1, "half");
    let victim = of_group(2, "half");
    let _emitted: Vec<_> = (0..12).map(|number| emit(&emitter, "e", &[number])).collect();
    let held = deliveries(victim.endpoint());
    assert!(held[0].start());
    let thief = of_group(3, "half");
    assert_eq!(numbers(&take_over(&thief, &[])), [1, 2, 3, 4, 5, 6]);
    assert!(!held[1].start() && held[1].is_over() && !held[7].is_over() && held[7].start());
}

#[test]
fn nothing_is_offered_that_is_not_older_than_a_tick() {
    let emitter = member(1, "ripe");
    let (_victim, thief) = (of_group(2, "ripe"), of_group(3, "ripe"));
    let _emitted: Vec<_> = (0..2).map(|number| emit(&emitter, "e", &[number])).collect();
    assert!(!thief.endpoint().has_offers());
    // The thread of the timers does it, soon.
    let end = Instant::now() + WATCHDOG;
    let mut stolen = Vec::new();
    while stolen.is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_micros(100));
        stolen = steal(thief.endpoint(), &[]);
    }
    assert_eq!(stolen.len(), 1);
}

#[test]
fn the_room_goes_with_the_event_and_where_there_is_none_it_stays() {
    let emitter = member(1, "room of thieves");
    let victim = of_group(2, "room of thieves");
    let _emitted: Vec<_> = (0..8).map(|number| emit(&emitter, "e", &[number])).collect();
    let thief = small_member(3, "room of thieves", 2);
    thief.listen("e", 1, in_group("g"));
    let stolen = take_over(&thief, &[]);
    assert_eq!(stolen.len(), 2);
    let rooms = || [&victim, &thief].map(|member| (member.capacity().events(), member.in_flight()));
    assert_eq!(rooms(), [(6, 6), (2, 2)]);
    assert!(steal(thief.endpoint(), &[]).is_empty() && thief.endpoint().has_offers());
    for delivery in stolen {
        assert!(delivery.start());
        delivery.succeed(0, None);
    }
    assert_eq!(rooms(), [(6, 6), (0, 0)]);
    assert_eq!(steal(thief.endpoint(), &[]).len(), 2, "the offer stands");
}

#[test]
fn a_full_listener_takes_over_nothing_and_the_offer_stands() {
    let emitter = member(1, "full thief");
    let _victim = of_group(2, "full thief");
    let _emitted: Vec<_> = (0..4).map(|number| emit(&emitter, "e", &[number])).collect();
    let thief = of_group(3, "full thief");
    assert!(take_over(&thief, &[1]).is_empty());
    assert!(thief.endpoint().has_offers());
    assert_eq!(steal(thief.endpoint(), &[]).len(), 2);
}

#[test]
fn a_claimed_once_listener_keeps_its_event_and_no_event_claims_one_later() {
    let emitter = member(1, "once and thieves");
    let victim = member(2, "once and thieves");
    victim.listen("e", 1, once());
    let _request = request(&emitter, "e", b"x");
    let thief = member(3, "once and thieves");
    thief.listen("e", 1, plain());
    assert!(take_over(&thief, &[]).is_empty());
    let _others: Vec<_> = (0..4).map(|_| request(&emitter, "e", b"y")).collect();
    let late = member(4, "once and thieves");
    late.listen("e", 1, once());
    assert!(take_over(&late, &[]).is_empty());
}

#[test]
fn what_was_taken_over_can_be_taken_over_again() {
    let emitter = member(1, "again");
    let victim = of_group(2, "again");
    let mut emitted = request(&emitter, "e", b"x");
    let thief = of_group(3, "again");
    let [stolen] = <[_; 1]>::try_from(take_over(&thief, &[])).ok().unwrap();
    let [back] = <[_; 1]>::try_from(take_over(&victim, &[])).ok().unwrap();
    assert!(!stolen.start() && back.start());
    drop(stolen);
    back.succeed(0, Payload::copy(&[7]));
    assert_eq!(emitted.outcome().unwrap().reply, Payload::copy(&[7]));
    drop(back);
    assert_eq!((victim.in_flight(), thief.in_flight()), (0, 0));
}

#[test]
fn members_that_are_soon_through_are_left_alone() {
    let emitter = member(1, "quick");
    let (victim, thief) = (of_group(2, "quick"), of_group(3, "quick"));
    let work = |member: &Arc<Member>, most: usize| {
        let held = deliveries(member.endpoint());
        for delivery in held.iter().take(most) {
            assert!(delivery.start());
            delivery.succeed(0, None);
        }
        held
    };
    // The thread of the timers ticks, too: perhaps before they have started any.
    let attempt = || {
        let _emitted: Vec<_> = (0..40).map(|_| emit(&emitter, "e", b"x")).collect();
        let held = (work(&victim, 15), work(&thief, 20));
        emitter.channel().tick();
        (!thief.endpoint().has_offers()).then_some(held)
    };
    let end = Instant::now() + WATCHDOG;
    let _held = std::iter::repeat_with(attempt).find(|held| held.is_some() || Instant::now() > end);
    assert!(!thief.endpoint().has_offers(), "15 were started, 5 wait");
    emitter.channel().tick();
    emitter.channel().tick();
    assert_eq!(steal(thief.endpoint(), &[]).len(), 3, "none was started since then");
}
