//! Threads that do everything at random, and die in the middle of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use futures::channel::oneshot;
use parallel_event_bus::core::endpoint::Letter;
use parallel_event_bus::core::outcome::Outcome;
use parallel_event_bus::core::quota::Limits;

use crate::common::*;
use crate::{Dice, Waiting, own_endpoint, send, soon};

/// Deals with a letter as a thread does that now and then fails, forgets, or lets go.
fn work(letter: Letter, dice: &mut Dice) {
    match letter {
        Letter::Delivery(delivery) => {
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
        Letter::Packet(mut packet) => {
            for index in 0..packet.len() {
                if dice.roll(10) > 0 {
                    packet.settle(index, 1, 0);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_outcome_adds_up_while_threads_come_and_go() {
    let _alone = alone();
    let before = living();
    let channel = "churn";
    let addressed = Arc::new(AtomicUsize::new(0));
    let settled = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..6_u32)
        .map(|number| {
            let (addressed, settled) = (addressed.clone(), settled.clone());
            thread::spawn(move || {
                let mut dice = Dice(u64::from(number) + 1);
                for _life in 0..60 {
                    let endpoint = own_endpoint(number);
                    let limits = Limits { messages: 40, bytes: 400 };
                    let members = [0; 2].map(|_| endpoint.join(channel, limits));
                    let mut waiting: Vec<Waiting> = Vec::new();
                    let mut id = 0;
                    let mut letters = Vec::new();
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
                                member.channel().route(event).post(member, Some(b"post"));
                            }
                            3 => waiting.extend(send(member, event, b"?", true, false)),
                            4 | 5 => {
                                let timeout = dice.roll(2) == 0;
                                waiting.extend(send(member, event, b"emitted", false, timeout));
                            }
                            _ => {
                                let _again = endpoint.collect(dice.roll(4) as usize, &mut letters);
                                letters.drain(..).for_each(|letter| work(letter, &mut dice));
                            }
                        }
                    }
                    // Dies in the middle of things, with letters that it collected and never read.
                    let _again = endpoint.collect(3, &mut letters);
                    endpoint.close();
                    drop(letters);
                    for (listeners, outcome) in waiting {
                        addressed.fetch_add(listeners as usize, Ordering::Relaxed);
                        let settled = settled.clone();
                        finish(outcome, listeners, &settled);
                    }
                    assert_eq!(members[0].quota().messages() + members[1].quota().messages(), 0);
                    assert_eq!(members[0].in_flight() + members[1].in_flight(), 0);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    OUTCOMES.lock().unwrap().drain(..).for_each(|(listeners, outcome, settled)| {
        count(&soon(outcome), listeners, &settled);
    });
    assert_eq!(settled.load(Ordering::Relaxed), addressed.load(Ordering::Relaxed));
    assert_eq!(living(), before);
}

type Open = (u32, oneshot::Receiver<Outcome>, Arc<AtomicUsize>);

/// Those that were still open when their emitter died.
static OUTCOMES: Mutex<Vec<Open>> = Mutex::new(Vec::new());

fn finish(mut outcome: oneshot::Receiver<Outcome>, listeners: u32, settled: &Arc<AtomicUsize>) {
    match outcome.try_recv().expect("nobody gave it up") {
        Some(outcome) => count(&outcome, listeners, settled),
        None => OUTCOMES.lock().unwrap().push((listeners, outcome, settled.clone())),
    }
}

fn count(outcome: &Outcome, listeners: u32, settled: &AtomicUsize) {
    assert_eq!(outcome.success + outcome.failed(), listeners);
    settled.fetch_add(listeners as usize, Ordering::Relaxed);
}
