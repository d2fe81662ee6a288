//! The wake handshake under every interleaving that loom finds.
//!
//! Run with `cargo test --release --features loom --test loom`.
#![cfg(feature = "loom")]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use parallel_event_bus::core::mailbox::{Mailbox, Wake};

/// Wakes that were sent and not answered yet.
#[derive(Clone)]
struct Bell(Arc<AtomicUsize>);

impl Bell {
    fn new() -> Self {
        Bell(Arc::new(AtomicUsize::new(0)))
    }

    /// Whether there was a wake; takes it.
    fn answer(&self) -> bool {
        let rung = self.0.load(Ordering::Acquire);
        if rung > 0 {
            self.0.fetch_sub(1, Ordering::AcqRel);
        }
        rung > 0
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// An owner that looks only when it was woken, as an event loop does.
fn answer_and_collect(mailbox: &Mailbox<u32, Bell>, bell: &Bell, max: usize, seen: &mut Vec<u32>) {
    while bell.answer() {
        while mailbox.collect(max, seen) {}
    }
}

#[test]
fn a_letter_is_never_left_without_a_wake() {
    loom::model(|| {
        let bell = Bell::new();
        let mailbox = Arc::new(Mailbox::new(8, bell.clone()));
        let senders: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|letters| {
                let mailbox = mailbox.clone();
                thread::spawn(move || letters.map(|letter| mailbox.post(letter).unwrap()))
            })
            .collect();

        let mut seen = Vec::new();
        answer_and_collect(&mailbox, &bell, 1, &mut seen);
        senders.into_iter().for_each(|sender| {
            sender.join().unwrap();
        });
        // Whatever came too late for the first look has announced itself.
        answer_and_collect(&mailbox, &bell, 8, &mut seen);

        assert!(mailbox.is_empty(), "letters wait and no wake is on its way");
        let position = |letter| seen.iter().position(|each| *each == letter).unwrap();
        assert_eq!(seen.len(), 4);
        assert!(position(1) < position(2) && position(3) < position(4));
    });
}

#[test]
fn a_nudge_during_a_look_is_answered_by_another_look() {
    loom::model(|| {
        let bell = Bell::new();
        let mailbox = Arc::new(Mailbox::<u32, _>::new(8, bell.clone()));
        // The owner's own work, which the mailbox knows nothing of.
        let work = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (mailbox, work) = (mailbox.clone(), work.clone());
            thread::spawn(move || {
                work.store(1, Ordering::Release);
                assert!(mailbox.nudge());
            })
        };
        let mut done = 0;
        let mut look = || {
            while bell.answer() {
                assert!(!mailbox.collect(8, &mut Vec::new()));
                done += work.swap(0, Ordering::AcqRel);
            }
        };
        look();
        worker.join().unwrap();
        look();
        assert_eq!(done, 1);
    });
}

#[test]
fn closing_and_posting_at_once_lose_no_letter() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new(8, Bell::new()));
        let sender = {
            let mailbox = mailbox.clone();
            thread::spawn(move || mailbox.post(1).is_err())
        };
        let uncollected = mailbox.close().len();
        let handed_back = usize::from(sender.join().unwrap());
        assert_eq!(uncollected + handed_back, 1);
    });
}
