//! Every listener settles once, by the first event that settles it, and the emitter hears of it once.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::mpsc;
use std::time::Duration;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::mailbox::Wake;
use parallel_event_bus::engine::outcome::{FailureKind, Report};
use parallel_event_bus::engine::timer::schedule;

#[test]
fn a_listener_settles_once_whatever_is_said_of_it_later() {
    let (emitter, other) = (member(1, "once settled"), member(2, "once settled"));
    other.listen("e", 1, plain());
    other.listen("e", 2, plain());
    let mut emitted = emit(&emitter, "e", b"");
    let delivery = delivery(other.endpoint());
    delivery.fail(0, b"first".into());
    delivery.succeed(0, None);
    delivery.skip(0);
    delivery.lose(0);
    delivery.succeed(2, None);
    delivery.fail(u32::MAX, vec![]);
    assert_eq!(emitted.outcome(), None, "the second listener is still missing");
    delivery.succeed(1, None);
    delivery.fail(1, vec![]);
    drop(delivery);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 1));
    assert_eq!(outcome.failures[0].kind, FailureKind::Threw(b"first".into()));
    assert_eq!((emitter.pending(), emitter.failed(), other.in_flight()), (0, 1, 0));
}

#[test]
fn failures_are_in_the_order_of_members_and_their_listeners() {
    let emitter = member(1, "failures");
    let others = [2, 3].map(|thread| member(thread, "failures"));
    for (at, other) in others.iter().enumerate() {
        (0..3).for_each(|id| other.listen("e", at as u32 * 3 + id, plain()));
    }
    let mut emitted = emit(&emitter, "e", b"");
    let [first, second] = [&others[0], &others[1]].map(|other| delivery(other.endpoint()));
    second.fail(2, b"1.2".into());
    first.fail(2, b"0.2".into());
    second.fail(0, b"1.0".into());
    first.fail(1, b"0.1".into());
    first.succeed(0, None);
    second.succeed(1, None);
    let failures = emitted.outcome().unwrap().failures;
    let places: Vec<_> =
        failures.iter().map(|failure| (failure.recipient, failure.index)).collect();
    assert_eq!(places, [(0, 1), (0, 2), (1, 0), (1, 2)]);
    assert_eq!(failures[3].kind, FailureKind::Threw(b"1.2".into()));
}

#[test]
fn a_delivery_that_is_dropped_is_gone_except_for_what_had_settled() {
    let (emitter, other) = (member(1, "dropped"), member(2, "dropped"));
    (0..3).for_each(|id| other.listen("e", id, plain()));
    let mut emitted = emit(&emitter, "e", b"payload");
    let delivery = delivery(other.endpoint());
    delivery.succeed(1, None);
    drop(delivery);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed(), outcome.failures.len()), (1, 2, 1));
    assert_eq!(
        (outcome.failures[0].listeners, &outcome.failures[0].kind),
        (2, &FailureKind::ThreadExited)
    );
    let messages = read(emitter.endpoint());
    let [Message::Notice(Notice::Lost { emitter: of, lost, .. })] = messages.as_slice() else {
        panic!("other messages")
    };
    assert_eq!((*of, lost.listeners, lost.thread, lost.started), (emitter.id(), 2, Some(2), false));
    assert_eq!(
        (lost.event.as_deref(), lost.payload.as_deref()),
        (Some("e"), Some(&b"payload"[..]))
    );
}

#[test]
fn a_listener_that_is_lost_fails_by_itself_and_at_once() {
    let (emitter, other) = (member(1, "lost one"), member(2, "lost one"));
    (0..2).for_each(|id| other.listen("e", id, plain()));
    let mut emitted = emit(&emitter, "e", b"");
    let delivery = delivery(other.endpoint());
    delivery.lose(0);
    delivery.succeed(1, None);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, &outcome.failures[0].kind), (1, &FailureKind::ThreadExited));
    assert!(!said(emitter.endpoint()).iter().any(|said| said.starts_with("lost")));
}

#[test]
fn when_the_time_is_over_what_has_not_settled_failed_and_what_has_not_started_never_does() {
    let emitter = member(1, "time");
    let (busy, stuck) = (member(2, "time"), member(3, "time"));
    (0..2).for_each(|id| busy.listen("e", id, plain()));
    stuck.listen("e", 2, plain());
    let mut emitted = emit_as(&emitter, "e", b"", |emission| emission.timeout = Some(3_600_000));
    let busy_delivery = delivery(busy.endpoint());
    assert!(busy_delivery.must_start() && busy_delivery.start());
    busy_delivery.succeed(1, None);
    emitted.dispatch().expire(20);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 2));
    assert!(outcome.failures.iter().all(|failure| failure.kind == FailureKind::TimedOut(20)));
    busy_delivery.succeed(0, None);
    let late = delivery(stuck.endpoint());
    assert!(!late.start(), "its time is over");
    let messages = read(emitter.endpoint());
    let started: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Notice(Notice::Lost { lost, .. }) => Some((lost.thread, lost.started)),
            _ => None,
        })
        .collect();
    assert_eq!(started, [(Some(2), true), (Some(3), false)]);
    emitted.dispatch().expire(20);
    assert!(said(emitter.endpoint()).is_empty(), "told once");
    drop((busy_delivery, late));
    assert_eq!((emitter.failed(), busy.in_flight(), stuck.in_flight()), (2, 0, 0));
}

/// Waits until so much time is over, and all timers up to then have come.
fn after(delay: Duration) {
    let (come, came) = mpsc::channel();
    schedule(delay, move || come.send(()).unwrap());
    came.recv_timeout(WATCHDOG).unwrap();
}

#[test]
fn a_timeout_fires_although_neither_side_looks_into_its_mailbox() {
    let (emitter, stuck) = (member(1, "timeout"), member(2, "timeout"));
    stuck.listen("e", 1, plain());
    let mut emitted = emit_as(&emitter, "e", b"", |emission| emission.timeout = Some(1));
    after(Duration::from_millis(1));
    let outcome = emitted.outcome().unwrap();
    assert_eq!(outcome.failures[0].kind, FailureKind::TimedOut(1));
}

#[test]
fn a_listener_with_a_limit_of_its_own_fails_by_itself() {
    let (emitter, other) = (member(1, "limit"), member(2, "limit"));
    (0..2).for_each(|id| other.listen("e", id, plain()));
    let mut emitted = emit(&emitter, "e", b"");
    let delivery = delivery(other.endpoint());
    delivery.start_timer(0, 3_600_000);
    delivery.start_timer(1, 1);
    after(Duration::from_millis(1));
    delivery.succeed(0, None);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 1));
    assert_eq!(
        (outcome.failures[0].index, &outcome.failures[0].kind),
        (1, &FailureKind::TimedOut(1))
    );
}

#[test]
fn what_is_cancelled_before_it_started_counts_for_nothing() {
    let emitter = member(1, "cancel");
    let (started, waiting) = (member(2, "cancel"), member(3, "cancel"));
    started.listen("e", 1, plain());
    waiting.listen("e", 2, plain());
    let mut emitted = emit_as(&emitter, "e", b"", |emission| emission.cancellable = true);
    let running = delivery(started.endpoint());
    assert!(running.must_start() && running.start());
    emitted.dispatch().cancel();
    assert_eq!(emitter.pending(), 1, "what had started is not over");
    let late = delivery(waiting.endpoint());
    assert!(!late.start());
    running.fail(0, vec![]);
    drop((running, late));
    assert_eq!((emitter.pending(), emitter.failed()), (0, 1));
    assert_eq!(emitted.outcome(), None);
    emitted.dispatch().cancel();
    assert_eq!(emitter.pending(), 0, "cancelling twice is harmless");
}

#[test]
fn what_nobody_has_to_start_can_not_be_cancelled() {
    let (emitter, other) = (member(1, "no cancel"), member(2, "no cancel"));
    other.listen("e", 1, plain());
    let mut emitted = emit(&emitter, "e", b"");
    let running = delivery(other.endpoint());
    assert!(!running.must_start());
    emitted.dispatch().cancel();
    running.succeed(0, None);
    assert_eq!(emitted.outcome().unwrap().success, 1);
}

#[test]
fn an_emitter_that_cancelled_hears_no_more_of_what_had_started() {
    let (emitter, other) = (member(1, "no more"), member(2, "no more"));
    other.listen("e", 1, plain());
    let emitted = emit_as(&emitter, "e", b"", |emission| emission.cancellable = true);
    let running = delivery(other.endpoint());
    assert!(running.start());
    emitted.dispatch().cancel();
    drop(running);
    assert_eq!(said(emitter.endpoint()), Vec::<String>::new());
    assert_eq!((emitter.pending(), emitter.failed()), (0, 1));
}

#[test]
fn a_listener_that_was_removed_before_its_turn_counts_for_nothing() {
    let (emitter, other) = (member(1, "skip"), member(2, "skip"));
    (0..2).for_each(|id| other.listen("e", id, plain()));
    let mut emitted = emit(&emitter, "e", b"");
    let delivery = delivery(other.endpoint());
    delivery.skip(0);
    delivery.succeed(1, None);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (1, 0));

    let mut emitted = emit(&emitter, "e", b"");
    let delivery = self::delivery(other.endpoint());
    delivery.skip(1);
    delivery.skip(0);
    let outcome = emitted.outcome().unwrap();
    assert_eq!((outcome.success, outcome.failed()), (0, 0));
    assert_eq!(emitter.pending(), 0);
}

/// The view of an emitter at the moment it is woken: `pending`, and the number of its messages.
struct Look(mpsc::Sender<()>);

impl Wake for Look {
    fn wake(&self) {
        let _ = self.0.send(());
    }
}

#[test]
fn whoever_sees_nothing_pending_finds_the_message_about_the_outcome() {
    const ROUNDS: u32 = 500;
    let (wakes, woken) = mpsc::channel();
    let endpoint = Endpoint::new(1, std::sync::Arc::new(Look(wakes)));
    let emitter = endpoint.join("message", MailboxLimits::default());
    let other = member(2, "message");
    other.listen("e", 1, plain());
    let mut settled = 0;
    let receiver = std::thread::spawn({
        let other = other.clone();
        move || {
            while settled < ROUNDS {
                for delivery in deliveries(other.endpoint()) {
                    delivery.succeed(0, None);
                    settled += 1;
                }
                std::thread::yield_now();
            }
        }
    });
    for token in 0..ROUNDS {
        let _emitted =
            emit_as(&emitter, "e", b"", |emission| emission.report = Report::Message(token));
        // An emitter that waits looks at `pending` at any moment, not only when it was woken.
        while emitter.pending() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(said(&endpoint), [format!("settled {token}")]);
    }
    receiver.join().unwrap();
    assert!(woken.try_iter().count() > 0);
}

#[test]
fn the_last_settled_dispatch_wakes_an_emitter_that_asked_for_no_message() {
    let (waker, emitter_endpoint) = {
        let waker = Waker::default();
        (waker.clone(), Endpoint::new(1, std::sync::Arc::new(waker)))
    };
    let emitter = emitter_endpoint.join("last", MailboxLimits::default());
    let other = member(2, "last");
    other.listen("e", 1, plain());
    let silent = |emission: &mut parallel_event_bus::engine::delivery::dispatch::Emission<'_>| {
        emission.report = Report::None;
    };
    let _emitted = [emit_as(&emitter, "e", b"", silent), emit_as(&emitter, "e", b"", silent)];
    let deliveries = deliveries(other.endpoint());
    deliveries[0].succeed(0, None);
    assert_eq!(waker.wakes(), 0);
    deliveries[1].succeed(0, None);
    assert_eq!((waker.wakes(), emitter.pending()), (1, 0));
}

#[test]
fn an_emitter_that_awaits_nothing_can_hear_that_a_dispatch_has_settled() {
    let (emitter, other) = (member(1, "settlement"), member(2, "settlement"));
    other.listen("e", 1, plain());
    let _emitted = emit_as(&emitter, "e", b"", |emission| emission.report = Report::Settlement(7));
    let delivery = delivery(other.endpoint());
    assert_eq!(delivery.token(), None, "nobody awaits its outcome");
    delivery.fail(0, b"why".to_vec());
    let outcome = read(emitter.endpoint()).into_iter().find_map(|message| match message {
        Message::Notice(Notice::Settled { token: 7, outcome, .. }) => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome.map(|outcome| outcome.failed()), Some(1));
}
