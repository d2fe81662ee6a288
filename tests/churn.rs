//! Many threads join, listen, emit, answer and die at once, and everything still adds up: each
//! outcome, each count, each order, and nothing hangs.
#![cfg(not(feature = "loom"))]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use common::*;
use futures::channel::oneshot;
use parallel_event_bus::core::dispatch::Emission;
use parallel_event_bus::core::endpoint::{Endpoint, Letter};
use parallel_event_bus::core::mailbox::Wake;
use parallel_event_bus::core::member::Member;
use parallel_event_bus::core::outcome::{Cause, Outcome, Reply};
use parallel_event_bus::core::quota::Limits;
use parallel_event_bus::core::route::{Posted, Sent};

/// Numbers without an end, the same in each run for one seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Unparks the thread that owns an endpoint.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(&self) {
        self.0.unpark();
    }
}

/// An endpoint of this thread.
fn own_endpoint(number: u32) -> Arc<Endpoint> {
    Endpoint::new(number, Arc::new(Unpark(thread::current())))
}

/// Sleeps until woken; a wake that is lost is found by this as a hang.
fn sleep() {
    let before = std::time::Instant::now();
    thread::park_timeout(WATCHDOG);
    assert!(before.elapsed() < WATCHDOG, "a wake was lost");
}

type Waiting = (u32, oneshot::Receiver<Outcome>);

/// Emits to everybody, or requests of one. Returns how many were addressed, and the outcome to come.
fn send(
    emitter: &Arc<Member>,
    event: &str,
    payload: &[u8],
    to_one: bool,
    timeout: bool,
) -> Option<Waiting> {
    let (sender, outcome) = oneshot::channel();
    let emission = Emission {
        payload: Some(payload),
        to_one,
        timeout: timeout.then_some(3_600_000),
        withdrawable: false,
        reply: Reply::Future(sender),
    };
    match emitter.channel().route(event).emit(emitter, emission) {
        Sent::To { others, own, dispatch } => {
            own.iter().filter(|own| own.chosen).for_each(|_| emitter.done(1));
            dispatch.map(|_| (others, outcome))
        }
        Sent::NeedsPayload => unreachable!("it has one"),
    }
}

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

/// The outcome, which all threads that could settle it have left behind by now.
fn soon(mut outcome: oneshot::Receiver<Outcome>) -> Outcome {
    outcome.try_recv().expect("nobody gave it up").expect("it never settled")
}

#[test]
fn whoever_stays_gets_every_event_once_and_in_order_while_others_come_and_go() {
    let _alone = alone();
    const EMITTERS: u32 = 3;
    const EVENTS: u32 = 4_000;
    let channel = "stays";
    let stop = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(Barrier::new(EMITTERS as usize + 1));
    let comers: Vec<_> = (0..2)
        .map(|number| {
            let stop = stop.clone();
            thread::spawn(move || {
                let mut dice = Dice(number + 1);
                while !stop.load(Ordering::Acquire) {
                    let member = member(10, channel);
                    ["a", "b"]
                        .iter()
                        .zip(1..)
                        .for_each(|(event, id)| member.listen(event, id, plain()));
                    (0..dice.roll(5)).for_each(|_| drop(read(member.endpoint())));
                    member.endpoint().close();
                }
            })
        })
        .collect();
    let emitters: Vec<_> = (0..EMITTERS)
        .map(|number| {
            let ready = ready.clone();
            thread::spawn(move || {
                let emitter = member(100 + number, channel);
                ready.wait();
                let mut waiting = Vec::new();
                for event in 0..EVENTS {
                    let payload = [number.to_ne_bytes(), event.to_ne_bytes()].concat();
                    let name = ["a", "b"][(event / 3 % 2) as usize];
                    if event % 4 < 2 {
                        let posted = emitter.channel().route(name).post(&emitter, Some(&payload));
                        assert!(matches!(posted, Posted::To(1..)));
                    } else {
                        waiting.extend(send(&emitter, name, &payload, false, false));
                    }
                }
                (emitter, waiting)
            })
        })
        .collect();

    let stays = own_endpoint(1);
    let member = stays.join(channel, Limits::default());
    ["a", "b"].iter().zip(1..).for_each(|(event, id)| member.listen(event, id, plain()));
    ready.wait();
    let mut next: HashMap<u32, u32> = HashMap::new();
    let mut seen = |payload: &[u8]| {
        let (emitter, event) = payload.split_at(4);
        let number = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap());
        let next = next.entry(number(emitter)).or_default();
        assert_eq!(number(event), *next, "once each, in order");
        *next += 1;
    };
    let mut left = EMITTERS * EVENTS;
    let mut letters = Vec::new();
    while left > 0 {
        if !stays.collect(64, &mut letters) {
            sleep();
        }
        for letter in letters.drain(..) {
            match letter {
                Letter::Delivery(delivery) => {
                    seen(delivery.payload());
                    delivery.succeed(0, None);
                    left -= 1;
                }
                Letter::Packet(mut packet) => {
                    (0..packet.len()).for_each(|index| seen(&packet.event(index).unwrap().2));
                    packet.settle(0, packet.len(), 0);
                    left -= packet.len() as u32;
                }
                _ => {}
            }
        }
    }
    stop.store(true, Ordering::Release);
    comers.into_iter().for_each(|thread| thread.join().unwrap());
    for emitter in emitters {
        let (emitter, waiting) = emitter.join().unwrap();
        for (listeners, outcome) in waiting {
            let outcome = soon(outcome);
            assert!(outcome.success >= 1, "the one that stays");
            assert_eq!(outcome.success + outcome.failed(), listeners);
        }
        assert_eq!(emitter.pending(), 0);
    }
    stays.close();
}

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
                        let mut letters = Vec::new();
                        let _again = member.endpoint().collect(2, &mut letters);
                        for letter in letters {
                            let Letter::Delivery(delivery) = letter else { continue };
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
    let mut waiting = Vec::new();
    for _ in 0..EVENTS {
        waiting.extend(send(&emitter, "e", b"", false, false));
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
    for (listeners, outcome) in waiting {
        let outcome = soon(outcome);
        assert_eq!((listeners, outcome.success + outcome.failed()), (1, 1));
        assert!(outcome.failures.iter().all(|failure| failure.cause == Cause::Gone));
        gone += outcome.failed() as usize;
    }
    assert_eq!(gone, started.load(Ordering::Relaxed));
    stays.endpoint().close();
    emitter.endpoint().close();
}

#[test]
fn settling_expiring_withdrawing_and_dying_at_once_settle_each_listener_once() {
    let _alone = alone();
    for round in 0..400 {
        let (emitter, other) = (member(1, "all at once"), member(2, "all at once"));
        (0..3).for_each(|id| other.listen("e", id, plain()));
        let mut emitted = emit_as(&emitter, "e", b"", |emission| emission.withdrawable = true);
        let dispatch = emitted.dispatch().clone();
        let delivery = delivery(other.endpoint());
        let withdraws = round % 2 == 0;
        let started = delivery.start();
        thread::scope(|scope| {
            scope.spawn(|| dispatch.expire(1));
            scope.spawn(|| (0..3).for_each(|index| delivery.succeed(index, None)));
            scope
                .spawn(|| if withdraws { dispatch.withdraw() } else { emitter.endpoint().close() });
            scope.spawn(|| other.endpoint().close());
        });
        drop(delivery);
        assert_eq!((emitter.pending(), other.in_flight()), (0, 0));
        match emitted.outcome() {
            Some(outcome) => {
                assert_eq!(outcome.success + outcome.failed(), 3);
                assert_eq!(emitter.failed() as u32, outcome.failed());
            }
            None => assert!(withdraws && started),
        }
        emitter.endpoint().close();
    }
}

#[test]
fn an_emitter_that_paces_itself_never_waits_for_ever_and_is_never_refused() {
    let _alone = alone();
    let channel = "pace";
    let readers: Vec<_> = (0..2)
        .map(|number| {
            let (tell, told) = std::sync::mpsc::channel();
            let thread = thread::spawn(move || {
                let endpoint = own_endpoint(10 + number);
                let member = endpoint.join(channel, Limits { messages: 64, bytes: 1 << 20 });
                member.listen("e", 1, plain());
                member.listen("end", 2, plain());
                tell.send(()).unwrap();
                let mut dice = Dice(u64::from(number) + 1);
                let mut letters = Vec::new();
                let mut read = 0;
                loop {
                    if !endpoint.collect(1 + dice.roll(5) as usize, &mut letters) {
                        sleep();
                    }
                    for letter in letters.drain(..) {
                        let Letter::Delivery(delivery) = letter else { continue };
                        delivery.succeed(0, None);
                        if delivery.event() == "end" {
                            endpoint.close();
                            return read;
                        }
                        read += 1;
                    }
                }
            });
            told.recv().unwrap();
            thread
        })
        .collect();
    let endpoint = own_endpoint(1);
    let emitter = endpoint.join(channel, Limits::default());
    let mut waiting = Vec::new();
    for _ in 0..20_000 {
        if emitter.channel().is_congested(&endpoint) {
            emitter.wait_for_room();
            while !said(&endpoint).iter().any(|said| said == "drained") {
                sleep();
            }
        }
        waiting.extend(send(&emitter, "e", b"", false, false));
    }
    while emitter.channel().is_congested(&endpoint) {
        thread::yield_now();
    }
    waiting.extend(send(&emitter, "end", b"", false, false));
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 20_000);
    }
    assert!(waiting.into_iter().all(|(_, outcome)| soon(outcome).success == 2));
}
