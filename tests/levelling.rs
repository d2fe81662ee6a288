//! Deliveries behind a long run go to a member where they start sooner, although all members have something to do.
#![cfg(not(feature = "loom"))]

mod common;

use std::collections::VecDeque;
use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::member::Member;

/// A member of the group that runs one delivery at a time, each for so many ticks.
struct Runner {
    member: Arc<Member>,
    held: VecDeque<Delivery>,
    running: Option<(Delivery, usize)>,
}

impl Runner {
    fn new(member: Arc<Member>) -> Self {
        member.listen("e", 1, in_group("g"));
        Runner { member, held: VecDeque::new(), running: None }
    }

    /// Returns the number of the delivery that it starts, if it starts one.
    fn tick(&mut self, ticks: usize) -> Option<u16> {
        match self.running.take() {
            Some((running, left)) if left > 1 => self.running = Some((running, left - 1)),
            Some((running, _)) => running.succeed(0, None),
            None => {}
        }
        if self.running.is_some() {
            return None;
        }
        self.held.extend(deliveries(self.member.endpoint()));
        let next =
            std::iter::from_fn(|| self.held.pop_front()).find(|delivery| delivery.start())?;
        let number = u16::from_le_bytes(next.payload()[..].try_into().unwrap());
        self.running = Some((next, ticks));
        Some(number)
    }
}

/// Members of one group, and an emitter that numbers its events.
struct Group {
    emitter: Arc<Member>,
    runners: Vec<Runner>,
    emitted: Vec<Emitted>,
    order: Vec<u16>,
}

impl Group {
    fn new(channel: &str, members: Vec<Arc<Member>>) -> Self {
        let runners = members.into_iter().map(Runner::new).collect();
        Group { emitter: member(1, channel), runners, emitted: Vec::new(), order: Vec::new() }
    }

    fn emit(&mut self) {
        let number = u16::try_from(self.emitted.len()).unwrap();
        self.emitted.push(emit(&self.emitter, "e", &number.to_le_bytes()));
    }

    /// Lets a tick pass, with so many ticks for an event that a member starts now.
    fn tick(&mut self, ticks: usize) {
        self.order.extend(self.runners.iter_mut().filter_map(|runner| runner.tick(ticks)));
        self.emitter.channel().tick();
    }

    /// The most events that one had to wait for, although they came later.
    fn most_overtaken(&self) -> usize {
        let by = |number: u16| {
            let before = self.order.iter().take_while(|other| **other != number);
            before.filter(|other| **other > number).count()
        };
        (0..self.emitted.len()).map(|number| by(u16::try_from(number).unwrap())).max().unwrap()
    }
}

#[test]
fn what_waits_behind_a_long_run_is_not_overtaken_by_all_that_comes_later() {
    let mut group = Group::new("long run", vec![member(2, "long run"), member(3, "long run")]);
    group.emit();
    group.tick(2000);
    for step in 0..800 {
        // As many as the other member gets done, and a few that wait.
        if step < 4 || step % 2 == 0 {
            group.emit();
        }
        group.tick(2);
    }
    assert!(group.order.len() > 390, "the other member always had something to do");
    let most = group.most_overtaken();
    assert!(most < 40, "{most} of 400 events that came later were started before one");
}

#[test]
fn it_stays_where_the_others_have_no_room() {
    let full = small_member(3, "no room there", 2);
    let mut group = Group::new("no room there", vec![member(2, "no room there"), full]);
    for _ in 0..8 {
        group.emit();
    }
    for _ in 0..40 {
        group.tick(1000);
    }
    let in_flight = |at: usize| group.runners[at].member.in_flight();
    assert_eq!((in_flight(0), in_flight(1)), (6, 2));
    assert_eq!(group.runners[1].member.capacity().events(), 2);
}

#[test]
fn members_that_are_as_slow_as_each_other_keep_what_they_have() {
    let mut group = Group::new("alike", vec![member(2, "alike"), member(3, "alike")]);
    for _ in 0..40 {
        group.emit();
    }
    while group.order.len() < 36 {
        group.tick(3);
    }
    let expected: Vec<u16> = (0..36).collect();
    assert_eq!(group.order, expected);
}
