//! The mailbox against a naive model, and the semantics its module documents.
#![cfg(not(feature = "loom"))]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_event_bus::core::mailbox::{Mailbox, Refused, Wake};
use proptest::prelude::*;

/// Counts its wakes.
#[derive(Clone, Default)]
struct Bell(Arc<AtomicUsize>);

impl Bell {
    fn rung(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn mailbox(capacity: usize) -> (Mailbox<u32, Bell>, Bell) {
    let bell = Bell::default();
    (Mailbox::new(capacity, bell.clone()), bell)
}

fn collect(mailbox: &Mailbox<u32, Bell>, max: usize) -> (Vec<u32>, bool) {
    let mut letters = Vec::new();
    let more = mailbox.collect(max, &mut letters);
    (letters, more)
}

#[test]
fn a_burst_is_one_wake() {
    let (mailbox, bell) = mailbox(100);
    for letter in 0..100 {
        mailbox.post(letter).unwrap();
    }
    assert_eq!(bell.rung(), 1);
    assert_eq!(collect(&mailbox, 100), ((0..100).collect(), false));
    mailbox.post(100).unwrap();
    assert_eq!(bell.rung(), 2, "after an empty mailbox the next letter wakes again");
}

#[test]
fn an_owner_that_leaves_some_is_not_woken_for_them() {
    let (mailbox, bell) = mailbox(10);
    (0..4).for_each(|letter| mailbox.post(letter).unwrap());
    assert_eq!(collect(&mailbox, 3), (vec![0, 1, 2], true));
    mailbox.post(4).unwrap();
    assert_eq!(bell.rung(), 1, "it said it would look again");
    assert_eq!(collect(&mailbox, 3), (vec![3, 4], false));
}

#[test]
fn a_full_mailbox_hands_the_letter_back() {
    let (mailbox, _) = mailbox(1);
    mailbox.post(1).unwrap();
    assert_eq!(mailbox.post(2), Err(Refused::Full(2)));
    assert_eq!(collect(&mailbox, 9), (vec![1], false));
    assert_eq!(mailbox.post(3), Ok(()));
}

#[test]
fn closing_returns_what_was_not_collected_and_wakes_the_owner() {
    let (mailbox, bell) = mailbox(9);
    mailbox.post(1).unwrap();
    assert!(!collect(&mailbox, 9).1);
    assert_eq!(mailbox.close(), VecDeque::new());
    assert_eq!(bell.rung(), 2);
    assert_eq!(mailbox.post(2), Err(Refused::Closed(2)));
    assert!(!mailbox.nudge(), "nobody may wait for a wake that does not come");

    let (mailbox, _) = self::mailbox(9);
    mailbox.post(1).unwrap();
    assert_eq!(mailbox.close(), VecDeque::from([1]));
    assert_eq!(mailbox.close(), VecDeque::new());
}

#[test]
fn a_nudge_wakes_without_a_letter_and_shares_the_wake() {
    let (mailbox, bell) = mailbox(9);
    assert!(mailbox.nudge());
    assert!(mailbox.nudge());
    mailbox.post(1).unwrap();
    assert_eq!(bell.rung(), 1);
    assert_eq!(collect(&mailbox, 9), (vec![1], false));
    assert!(mailbox.nudge());
    assert_eq!(bell.rung(), 2);
}

#[test]
fn letters_from_many_threads_arrive_once_each_and_in_the_order_of_their_sender() {
    const SENDERS: u32 = 4;
    const LETTERS: u32 = 5_000;
    let (mailbox, bell) = mailbox(usize::MAX);
    let mut seen = vec![Vec::new(); SENDERS as usize];
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let mailbox = &mailbox;
            scope.spawn(move || {
                for letter in 0..LETTERS {
                    mailbox.post(sender * LETTERS + letter).unwrap();
                }
            });
        }
        let mut answered = 0;
        let mut left = SENDERS * LETTERS;
        while left > 0 {
            // Looks only when it was woken: a lost wake hangs here.
            if bell.rung() == answered {
                std::thread::yield_now();
                continue;
            }
            answered += 1;
            while {
                let (letters, more) = collect(&mailbox, 64);
                left -= letters.len() as u32;
                for letter in letters {
                    seen[(letter / LETTERS) as usize].push(letter % LETTERS);
                }
                more
            } {}
        }
    });
    for letters in seen {
        assert!(letters.into_iter().eq(0..LETTERS));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Post(u32),
    Nudge,
    Collect(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => any::<u32>().prop_map(Step::Post),
        2 => Just(Step::Nudge),
        4 => (0..6_usize).prop_map(Step::Collect),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..80)
}

/// What a mailbox is, in as few words as possible.
#[derive(Default)]
struct Model {
    letters: VecDeque<u32>,
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
    fn behaves_like_the_model(steps in steps(), capacity in 0..6_usize) {
        let (mailbox, bell) = mailbox(capacity);
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Post(letter) => {
                    let expected = if model.closed {
                        Err(Refused::Closed(letter))
                    } else if model.letters.len() == capacity {
                        Err(Refused::Full(letter))
                    } else {
                        model.letters.push_back(letter);
                        model.wake();
                        Ok(())
                    };
                    prop_assert_eq!(mailbox.post(letter), expected);
                }
                Step::Nudge => {
                    prop_assert_eq!(mailbox.nudge(), !model.closed);
                    if !model.closed {
                        model.wake();
                    }
                }
                Step::Collect(max) => {
                    let taken: Vec<_> = model.letters.drain(..max.min(model.letters.len())).collect();
                    model.awake = !model.letters.is_empty();
                    prop_assert_eq!(collect(&mailbox, max), (taken, model.awake));
                }
                Step::Close => {
                    if !model.closed {
                        model.wake();
                    }
                    model.closed = true;
                    prop_assert_eq!(mailbox.close(), std::mem::take(&mut model.letters));
                }
            }
            prop_assert_eq!(mailbox.len(), model.letters.len());
            prop_assert_eq!(bell.rung(), model.wakes);
            prop_assert!(mailbox.is_empty() || model.awake, "letters wait and nobody was told");
        }
    }
}
