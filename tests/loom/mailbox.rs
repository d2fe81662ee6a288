//! The wake handshake.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use parallel_event_bus::engine::mailbox::Mailbox;

use crate::Waker;

/// An owner that looks only when it was woken, as an event loop does.
fn collect_when_woken(
    mailbox: &Mailbox<u32, Waker>,
    waker: &Waker,
    max: usize,
    seen: &mut Vec<u32>,
) {
    while waker.take() {
        while mailbox.collect(max, seen) {}
    }
}

#[test]
fn a_message_is_never_left_without_a_wake() {
    loom::model(|| {
        let waker = Waker::new();
        let mailbox = Arc::new(Mailbox::new(waker.clone()));
        let senders: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|messages| {
                let mailbox = mailbox.clone();
                thread::spawn(move || messages.map(|message| mailbox.push(message).unwrap()))
            })
            .collect();

        let mut seen = Vec::new();
        collect_when_woken(&mailbox, &waker, 1, &mut seen);
        senders.into_iter().for_each(|sender| {
            sender.join().unwrap();
        });
        // Messages that came too late for the first look have announced themselves.
        collect_when_woken(&mailbox, &waker, 8, &mut seen);

        assert!(mailbox.is_empty(), "messages wait and no wake is on its way");
        let position = |message| seen.iter().position(|each| *each == message).unwrap();
        assert_eq!(seen.len(), 4);
        assert!(position(1) < position(2) && position(3) < position(4));
    });
}

#[test]
fn a_message_that_was_enqueued_and_whose_wake_was_sent_later_is_seen_also_when_others_write_to_it()
{
    loom::model(|| {
        let waker = Waker::new();
        let mailbox = Arc::new(Mailbox::new(waker.clone()));
        let putter = {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                if mailbox.enqueue(1).unwrap() {
                    mailbox.send_wake();
                }
            })
        };
        let writer = {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                let must_wake = mailbox.write(|messages| match messages.back_mut() {
                    Some(last) => *last += 10,
                    None => messages.push_back(10),
                });
                if must_wake.unwrap() {
                    mailbox.send_wake();
                }
            })
        };
        let mut seen = Vec::new();
        collect_when_woken(&mailbox, &waker, 8, &mut seen);
        putter.join().unwrap();
        writer.join().unwrap();
        collect_when_woken(&mailbox, &waker, 8, &mut seen);
        assert!(mailbox.is_empty(), "messages wait and no wake is on its way");
        assert_eq!(seen.iter().sum::<u32>(), 11);
    });
}

#[test]
fn a_wake_during_a_look_is_answered_by_another_look() {
    loom::model(|| {
        let waker = Waker::new();
        let mailbox = Arc::new(Mailbox::<u32, _>::new(waker.clone()));
        // The owner's own work, which the mailbox knows nothing of.
        let work = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (mailbox, work) = (mailbox.clone(), work.clone());
            thread::spawn(move || {
                work.store(1, Ordering::Release);
                assert!(mailbox.wake());
            })
        };
        let mut done = 0;
        let mut look = || {
            while waker.take() {
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
fn closing_and_pushing_at_once_lose_no_message() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new(Waker::new()));
        let sender = {
            let mailbox = mailbox.clone();
            thread::spawn(move || mailbox.push(1).is_err())
        };
        let uncollected = mailbox.close().len();
        let handed_back = usize::from(sender.join().unwrap());
        assert_eq!(uncollected + handed_back, 1);
    });
}
