//! The mailbox against a naive model, and the semantics its module documents.
#![cfg(not(feature = "loom"))]

mod common;

use std::collections::VecDeque;

use common::Waker;
use parallel_event_bus::engine::mailbox::{Closed, Mailbox};
use proptest::prelude::*;

fn mailbox() -> (Mailbox<u32, Waker>, Waker) {
    let waker = Waker::default();
    (Mailbox::new(waker.clone()), waker)
}

fn collect(mailbox: &Mailbox<u32, Waker>, max: usize) -> (Vec<u32>, bool) {
    let mut messages = Vec::new();
    let again = mailbox.collect(max, &mut messages);
    (messages, again)
}

#[test]
fn a_burst_is_one_wake_even_while_it_is_read() {
    let (mailbox, waker) = mailbox();
    for message in 0..100 {
        mailbox.push(message).unwrap();
    }
    assert_eq!(waker.wakes(), 1);
    assert_eq!(collect(&mailbox, 100), ((0..100).collect(), true));
    mailbox.push(100).unwrap();
    assert_eq!(waker.wakes(), 1, "the owner was told to look again");
    assert_eq!(collect(&mailbox, 100), (vec![100], true));
    assert_eq!(collect(&mailbox, 100), (vec![], false));
    mailbox.push(101).unwrap();
    assert_eq!(waker.wakes(), 2, "after a look that found nothing the next message wakes again");
}

#[test]
fn a_message_that_is_written_to_is_no_new_message() {
    let (mailbox, waker) = mailbox();
    assert_eq!(mailbox.write(|_| ()), Ok(false), "nobody is woken for nothing");
    assert_eq!(mailbox.write(|messages| messages.push_back(1)), Ok(true));
    assert_eq!(mailbox.write(|messages| messages[0] += 10), Ok(false));
    assert_eq!(mailbox.write(|messages| messages.push_back(2)), Ok(false));
    assert_eq!(waker.wakes(), 0, "whoever writes to_wake when it may");
    mailbox.send_wake();
    assert_eq!(waker.wakes(), 1);
    assert_eq!(collect(&mailbox, 9), (vec![11, 2], true));
    mailbox.close();
    assert_eq!(mailbox.write(|_| panic!("it is closed")), Err(Closed(())));
}

#[test]
fn closing_returns_what_was_not_collected_and_wakes_the_owner() {
    let (mailbox, waker) = mailbox();
    mailbox.push(1).unwrap();
    assert_eq!(collect(&mailbox, 9), (vec![1], true));
    assert_eq!(collect(&mailbox, 9), (vec![], false));
    assert_eq!(mailbox.close(), VecDeque::new());
    assert_eq!(waker.wakes(), 2);
    assert!(mailbox.is_closed());
    assert_eq!(mailbox.push(2), Err(Closed(2)));
    assert!(!mailbox.wake(), "nobody may wait for a wake that does not come");

    let (mailbox, _) = self::mailbox();
    mailbox.push(1).unwrap();
    assert_eq!(mailbox.close(), VecDeque::from([1]));
    assert_eq!(mailbox.close(), VecDeque::new());
}

#[test]
fn an_owner_that_polls_is_not_woken_until_a_look_finds_nothing() {
    let (mailbox, waker) = mailbox();
    let mut messages = Vec::new();
    mailbox.poll(9, &mut messages);
    mailbox.push(1).unwrap();
    assert!(mailbox.wake());
    mailbox.poll(9, &mut messages);
    assert_eq!((messages.as_slice(), waker.wakes()), ([1].as_slice(), 0));
    assert_eq!(collect(&mailbox, 9), (vec![], false));
    mailbox.push(2).unwrap();
    assert_eq!(waker.wakes(), 1);
}

#[test]
fn messages_that_are_taken_early_leave_the_wake_on_its_way() {
    let (mailbox, waker) = mailbox();
    mailbox.push(1).unwrap();
    mailbox.push(2).unwrap();
    let mut messages = Vec::new();
    mailbox.take_early(&mut messages);
    assert_eq!(messages, [1, 2]);
    mailbox.push(3).unwrap();
    assert_eq!(waker.wakes(), 1, "it is not needed twice");
    assert_eq!(collect(&mailbox, 9), (vec![3], true));
    assert_eq!(collect(&mailbox, 9), (vec![], false));
    // Of one that nobody was to be woken for.
    mailbox.take_early(&mut messages);
    mailbox.push(4).unwrap();
    assert_eq!((waker.wakes(), messages.len()), (2, 2));
}

#[test]
fn a_wake_without_a_message_shares_the_wake() {
    let (mailbox, waker) = mailbox();
    assert!(mailbox.wake());
    assert!(mailbox.wake());
    mailbox.push(1).unwrap();
    assert_eq!(waker.wakes(), 1);
    while collect(&mailbox, 9).1 {}
    assert!(mailbox.wake());
    assert_eq!(waker.wakes(), 2);
}

#[test]
fn messages_from_many_threads_arrive_once_each_and_in_the_order_of_their_sender() {
    const SENDERS: u32 = 4;
    const MESSAGES: u32 = 5_000;
    let (mailbox, waker) = mailbox();
    let mut seen = vec![Vec::new(); SENDERS as usize];
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let mailbox = &mailbox;
            scope.spawn(move || {
                for message in 0..MESSAGES {
                    mailbox.push(sender * MESSAGES + message).unwrap();
                }
            });
        }
        let mut looked = 0;
        let mut left = SENDERS * MESSAGES;
        while left > 0 {
            // Looks only when it was woken: a lost wake hangs here.
            if waker.wakes() == looked {
                std::thread::yield_now();
                continue;
            }
            looked += 1;
            while {
                let (messages, again) = collect(&mailbox, 64);
                left -= messages.len() as u32;
                for message in messages {
                    seen[(message / MESSAGES) as usize].push(message % MESSAGES);
                }
                again
            } {}
        }
    });
    for messages in seen {
        assert!(messages.into_iter().eq(0..MESSAGES));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    /// Adds to the last message, or puts one where there is none.
    Write(u32),
    Wake,
    Collect(usize),
    Poll(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..1_000_u32).prop_map(Step::Push),
        3 => (0..1_000_u32).prop_map(Step::Write),
        2 => Just(Step::Wake),
        5 => (0..6_usize).prop_map(Step::Collect),
        1 => (0..6_usize).prop_map(Step::Poll),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..80)
}

/// A mailbox in as few words as possible.
#[derive(Default)]
struct Model {
    messages: VecDeque<u32>,
    awake: bool,
    closed: bool,
    wakes: usize,
}

impl Model {
    fn wake(&mut self) {
        self.wakes += usize::from(!self.awake);
        self.awake = true;
    }
}

proptest! {
    #[test]
    fn behaves_like_the_model(steps in steps()) {
        let (mailbox, waker) = mailbox();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Push(message) => {
                    let expected = if model.closed { Err(Closed(message)) } else { Ok(()) };
                    prop_assert_eq!(mailbox.push(message), expected);
                    if !model.closed {
                        model.messages.push_back(message);
                        model.wake();
                    }
                }
                Step::Write(number) => {
                    let must_wake = mailbox.write(|messages| match messages.back_mut() {
                        Some(last) => *last += number,
                        None => messages.push_back(number),
                    });
                    if model.closed {
                        prop_assert_eq!(must_wake, Err(Closed(())));
                    } else {
                        prop_assert_eq!(must_wake, Ok(!model.awake));
                        if !model.awake {
                            mailbox.send_wake();
                        }
                        match model.messages.back_mut() {
                            Some(last) => *last += number,
                            None => model.messages.push_back(number),
                        }
                        model.wake();
                    }
                }
                Step::Wake => {
                    prop_assert_eq!(mailbox.wake(), !model.closed);
                    if !model.closed {
                        model.wake();
                    }
                }
                Step::Collect(max) => {
                    let taken: Vec<_> = model.messages.drain(..max.min(model.messages.len())).collect();
                    model.awake = !taken.is_empty() || !model.messages.is_empty();
                    prop_assert_eq!(collect(&mailbox, max), (taken, model.awake));
                }
                Step::Poll(max) => {
                    let taken: Vec<_> = model.messages.drain(..max.min(model.messages.len())).collect();
                    model.awake = true;
                    let mut messages = Vec::new();
                    mailbox.poll(max, &mut messages);
                    prop_assert_eq!(messages, taken);
                }
                Step::Close => {
                    if !model.closed {
                        model.wake();
                    }
                    model.closed = true;
                    prop_assert_eq!(mailbox.close(), std::mem::take(&mut model.messages));
                }
            }
            prop_assert_eq!(mailbox.len(), model.messages.len());
            prop_assert_eq!(waker.wakes(), model.wakes);
            prop_assert!(mailbox.is_empty() || model.awake, "messages wait and nobody was told");
        }
    }
}
