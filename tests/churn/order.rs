//! A member that stays sees nothing of the coming and going of others, and an emitter that paces itself gets
//! there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::Published;

use crate::common::{alone, member, plain, read};
use crate::{Awaited, Dice, own_endpoint, sleep};

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
                let mut awaited = Awaited::default();
                for event in 0..EVENTS {
                    let payload = [number.to_ne_bytes(), event.to_ne_bytes()].concat();
                    let name = ["a", "b"][(event / 3 % 2) as usize];
                    if event % 4 < 2 {
                        let published =
                            emitter.channel().route(name).publish(&emitter, Some(&payload));
                        assert!(matches!(published, Published::To(1..)));
                    } else {
                        awaited.send(&emitter, name, &payload, false, false);
                    }
                }
                (emitter, awaited)
            })
        })
        .collect();

    let stays = own_endpoint(1);
    let member = stays.join(channel, MailboxLimits::default());
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
    let mut messages = Vec::new();
    while left > 0 {
        if !stays.collect(64, &mut messages) {
            sleep();
        }
        for message in messages.drain(..) {
            match message {
                Message::Delivery(delivery) => {
                    seen(&delivery.payload());
                    delivery.succeed(0, None);
                    left -= 1;
                }
                Message::Batch(mut batch) => {
                    (0..batch.len()).for_each(|index| seen(&batch.event(index).unwrap().2));
                    batch.settle(0, batch.len(), 0);
                    left -= batch.len() as u32;
                }
                _ => {}
            }
        }
    }
    stop.store(true, Ordering::Release);
    comers.into_iter().for_each(|thread| thread.join().unwrap());
    for emitter in emitters {
        let (emitter, mut awaited) = emitter.join().unwrap();
        for outcome in read(emitter.endpoint()).into_iter().filter_map(|it| awaited.settle(it)) {
            assert!(outcome.success >= 1, "the one that stays");
        }
        assert!(awaited.is_empty());
        assert_eq!(emitter.pending(), 0);
    }
    stays.close();
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
                let member =
                    endpoint.join(channel, MailboxLimits { max_messages: 64, max_bytes: 1 << 20 });
                member.listen("e", 1, plain());
                member.listen("end", 2, plain());
                tell.send(()).unwrap();
                let mut dice = Dice(u64::from(number) + 1);
                let mut messages = Vec::new();
                let mut read = 0;
                loop {
                    if !endpoint.collect(1 + dice.roll(5) as usize, &mut messages) {
                        sleep();
                    }
                    for message in messages.drain(..) {
                        let Message::Delivery(delivery) = message else { continue };
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
    let emitter = endpoint.join(channel, MailboxLimits::default());
    let mut awaited = Awaited::default();
    // Returns whether there is room again.
    let look = |awaited: &mut Awaited| {
        let mut is_drained = false;
        for message in read(&endpoint) {
            is_drained |= matches!(message, Message::Notice(Notice::Drained(_)));
            assert!(awaited.settle(message).is_none_or(|outcome| outcome.success == 2));
        }
        is_drained
    };
    for _ in 0..20_000 {
        if emitter.channel().is_congested(&endpoint) {
            emitter.wait_for_room();
            while !look(&mut awaited) {
                sleep();
            }
        }
        awaited.send(&emitter, "e", b"", false, false);
    }
    while emitter.channel().is_congested(&endpoint) {
        thread::yield_now();
    }
    awaited.send(&emitter, "end", b"", false, false);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 20_000);
    }
    look(&mut awaited);
    assert!(awaited.is_empty());
}
