//! Threads that do everything at random, and die in the middle of it.

use std::sync::{Arc, Mutex};
use std::thread;

use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;

use crate::common::*;
use crate::{Awaited, Dice, own_endpoint};

/// Deals with a message as a thread does that now and then fails, forgets, or lets go.
fn work(message: Message, awaited: &mut Awaited, dice: &mut Dice) {
    match message {
        Message::Delivery(delivery) => {
            if delivery.must_start() && !delivery.start() {
                return;
            }
            for index in 0..delivery.listeners().len() as u32 {
                match dice.roll(10) {
                    0 => delivery.fail(index, vec![]),
                    1 => delivery.lose(index),
                    2 if delivery.listeners().len() == 1 => return,
                    _ => delivery.succeed(index, None),
                }
            }
        }
        Message::Batch(mut batch) => {
            for index in 0..batch.len() {
                if dice.roll(10) > 0 {
                    batch.settle(index, 1, 0);
                }
            }
        }
        message => drop(awaited.settle(message)),
    }
}

#[test]
fn every_outcome_adds_up_while_threads_come_and_go() {
    let _alone = alone();
    let before = living();
    let channel = "churn";
    let all: Mutex<Vec<Arc<Member>>> = Mutex::default();
    thread::scope(|scope| {
        for number in 0..6_u32 {
            let all = &all;
            scope.spawn(move || {
                let mut dice = Dice(u64::from(number) + 1);
                for _life in 0..60 {
                    let endpoint = own_endpoint(number);
                    let limits = MailboxLimits { max_messages: 40, max_bytes: 400 };
                    let members = [0; 2].map(|_| endpoint.join(channel, limits));
                    all.lock().unwrap().extend(members.clone());
                    let mut awaited = Awaited::default();
                    let mut id = 0;
                    let mut messages = Vec::new();
                    for _ in 0..80 {
                        let member = &members[dice.roll(2) as usize];
                        let event = ["a", "b", "c"][dice.roll(3) as usize];
                        match dice.roll(8) {
                            0 => {
                                id += 1;
                                let options = match dice.roll(4) {
                                    0 => once(),
                                    1 => in_group("g"),
                                    2 => in_group("h"),
                                    _ => plain(),
                                };
                                member.listen(event, id, options);
                            }
                            1 if id > 0 => {
                                let _comes = member.unlisten(dice.roll(u64::from(id)) as u32 + 1);
                            }
                            2 => {
                                member.channel().route(event).publish(member, Some(b"publish"));
                            }
                            3 => awaited.send(member, event, b"?", true, false),
                            4 | 5 => {
                                let timeout = dice.roll(2) == 0;
                                awaited.send(member, event, b"emitted", false, timeout);
                            }
                            _ => {
                                let _again = endpoint.collect(dice.roll(4) as usize, &mut messages);
                                messages
                                    .drain(..)
                                    .for_each(|message| work(message, &mut awaited, &mut dice));
                            }
                        }
                    }
                    // Dies in the middle of things, with messages that it collected and never read.
                    let _again = endpoint.collect(3, &mut messages);
                    endpoint.close();
                    drop(messages);
                    assert_eq!(members[0].capacity().events() + members[1].capacity().events(), 0);
                    assert_eq!(members[0].in_flight() + members[1].in_flight(), 0);
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert!(all.iter().all(|member| member.pending() == 0), "what was still open has settled");
    drop(all);
    is_as(before);
}
