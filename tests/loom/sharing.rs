//! Deliveries that are taken over while something else happens to them.

use std::sync::Arc;

use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::ListenerOptions;
use parallel_event_bus::engine::outcome::Report;

use crate::Waker;
use crate::engine::{delivery, emit, end, listening, member, read, search};

/// An emitter, the member of a group that was given its only event, and another one to which that is offered.
struct Shared {
    emitter: Arc<Member>,
    victim: Arc<Member>,
    thief: Arc<Member>,
}

impl Shared {
    fn new() -> Self {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let victim = listening(2, Some("g"), 9);
        emit(&emitter, Report::None).unwrap();
        let thief = listening(3, Some("g"), 9);
        // It is ripe with the first, and offered with the second.
        emitter.channel().tick();
        emitter.channel().tick();
        Shared { emitter, victim, thief }
    }

    /// Everything has settled, and all room was given back.
    fn end(self, failed: usize) {
        let Shared { emitter, victim, thief } = self;
        for member in [&victim, &thief] {
            drop(read(member.endpoint()));
            assert_eq!((member.in_flight(), member.capacity().events()), (0, 0));
        }
        assert_eq!((emitter.pending(), emitter.failed()), (0, failed));
        end(&[&emitter, &victim, &thief]);
    }
}

fn steal(thief: &Member) -> Option<Delivery> {
    let mut stolen = Vec::new();
    thief.endpoint().steal(&[], &mut stolen);
    match stolen.pop() {
        Some(Message::Delivery(delivery)) => Some(delivery),
        _ => None,
    }
}

/// Works on it as a thread does. Returns whether it came to be called.
fn work(delivery: Delivery) -> bool {
    let is_started = delivery.start();
    if is_started {
        delivery.succeed(0, None);
    }
    is_started
}

#[test]
fn an_event_is_started_where_it_was_given_or_where_it_was_taken_over_and_never_at_both() {
    search(|| {
        let shared = Shared::new();
        let given = delivery(&shared.victim);
        let worker = thread::spawn(move || work(given));
        let is_done = steal(&shared.thief).is_some_and(work);
        assert_ne!(is_done, worker.join().unwrap(), "one of them does it");
        shared.end(0);
    });
}

#[test]
fn an_event_is_taken_over_or_goes_elsewhere_when_its_thread_ends_and_is_done_once() {
    search(|| {
        let shared = Shared::new();
        let end_of = {
            let victim = shared.victim.clone();
            thread::spawn(move || victim.endpoint().close())
        };
        let stolen = steal(&shared.thief).map(work);
        end_of.join().unwrap();
        let moved = read(shared.thief.endpoint()).into_iter().filter_map(|message| match message {
            Message::Delivery(delivery) => Some(work(delivery)),
            _ => None,
        });
        assert_eq!(stolen.into_iter().chain(moved).filter(|is_done| *is_done).count(), 1);
        shared.end(0);
    });
}

#[test]
fn an_event_is_taken_over_or_cancelled_and_takes_no_room_then() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let victim = listening(2, Some("g"), 9);
        let dispatch = emit(&emitter, Report::None).unwrap();
        let thief = listening(3, Some("g"), 9);
        emitter.channel().tick();
        emitter.channel().tick();
        let canceller = thread::spawn(move || dispatch.cancel());
        let is_done = steal(&thief).is_some_and(work);
        canceller.join().unwrap();
        drop(read(victim.endpoint()));
        assert!(!is_done || thief.in_flight() == 0);
        for member in [&victim, &thief] {
            assert_eq!((member.in_flight(), member.capacity().events()), (0, 0));
        }
        assert_eq!(emitter.pending(), 0);
        end(&[&emitter, &victim, &thief]);
    });
}

#[test]
fn two_that_take_over_at_once_get_an_event_once() {
    search(|| {
        let shared = Shared::new();
        let other = listening(4, Some("g"), 9);
        shared.emitter.channel().tick();
        let thread = {
            let other = other.clone();
            thread::spawn(move || steal(&other).is_some_and(work))
        };
        let is_done = steal(&shared.thief).is_some_and(work);
        assert_eq!(u8::from(is_done) + u8::from(thread.join().unwrap()), 1);
        assert_eq!((other.in_flight(), other.capacity().events()), (0, 0));
        shared.end(0);
        end(&[&other]);
    });
}

#[test]
fn one_that_sleeps_is_woken_for_what_it_may_take_over() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let victim = listening(2, Some("g"), 9);
        emit(&emitter, Report::None).unwrap();
        let waker = Waker::new();
        let thief = member(3, &waker, MailboxLimits::default());
        let options = ListenerOptions { group: Some("g".into()), ..Default::default() };
        thief.listen("e", 1, options);
        emitter.channel().tick();
        let ticker = {
            let emitter = emitter.clone();
            thread::spawn(move || emitter.channel().tick())
        };
        // As a thread that has nothing to do: it looks, takes over, and sleeps.
        let look = || {
            drop(read(thief.endpoint()));
            let has_offers = thief.endpoint().has_offers();
            has_offers && steal(&thief).is_some_and(work)
        };
        let mut is_done = look();
        ticker.join().unwrap();
        while waker.take() {
            is_done |= look();
        }
        assert!(is_done, "it sleeps while there is something to do");
        drop(read(victim.endpoint()));
        end(&[&emitter, &victim, &thief]);
    });
}
