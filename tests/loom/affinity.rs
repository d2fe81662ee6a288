//! Events with a key while their member goes, or is through with them.

use std::sync::Arc;

use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Dispatch;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::Dispatched;
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::Report;
use parallel_event_bus::engine::payload::Content;

use crate::Waker;
use crate::engine::{delivery, end, listening, member, read, search};

fn emit_key(emitter: &Arc<Member>) -> Option<Arc<Dispatch>> {
    let emission = Emission {
        payload: Some(Content::Lent(b"")),
        request: false,
        timeout: None,
        cancellable: true,
        key: Some("a".into()),
        report: Report::None,
    };
    match emitter.channel().route("e").dispatch(emitter, emission) {
        Dispatched::To { dispatch, .. } => dispatch,
        _ => None,
    }
}

/// Works on all that is there. Returns the number of events that were started.
fn work(member: &Member) -> usize {
    let done = read(member.endpoint()).into_iter().filter(|message| match message {
        Message::Delivery(delivery) => {
            let is_started = delivery.start();
            if is_started {
                delivery.succeed(0, None);
            }
            is_started
        }
        _ => false,
    });
    done.count()
}

fn settled(emitter: &Arc<Member>, members: &[&Arc<Member>]) {
    for member in members {
        assert_eq!((member.in_flight(), member.capacity().events()), (0, 0));
    }
    assert_eq!((emitter.pending(), emitter.channel().route("e").keys()), (0, 0));
    end(members);
    end(&[emitter]);
}

#[test]
fn an_event_is_emitted_as_the_last_one_of_its_key_settles() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let first = listening(2, Some("g"), 9);
        emit_key(&emitter).unwrap();
        let held = delivery(&first);
        assert!(held.start());
        let second = listening(3, Some("g"), 9);
        let settler = thread::spawn(move || held.succeed(0, None));
        emit_key(&emitter).unwrap();
        settler.join().unwrap();
        assert_eq!(work(&first) + work(&second), 1);
        settled(&emitter, &[&first, &second]);
    });
}

#[test]
fn a_member_leaves_as_the_event_that_runs_there_settles_and_the_others_follow() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let first = listening(2, Some("g"), 9);
        emit_key(&emitter).unwrap();
        let held = delivery(&first);
        assert!(held.start());
        emit_key(&emitter).unwrap();
        let second = listening(3, Some("g"), 9);
        let settler = thread::spawn(move || held.succeed(0, None));
        first.leave();
        settler.join().unwrap();
        assert_eq!((work(&first), work(&second)), (0, 1));
        settled(&emitter, &[&first, &second]);
    });
}

#[test]
fn an_event_is_started_where_it_was_or_handed_over_as_its_member_leaves() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let first = listening(2, Some("g"), 9);
        emit_key(&emitter).unwrap();
        let second = listening(3, Some("g"), 9);
        let worker = {
            let first = first.clone();
            thread::spawn(move || work(&first))
        };
        first.leave();
        let there = worker.join().unwrap();
        assert_eq!(there + work(&second), 1);
        settled(&emitter, &[&first, &second]);
    });
}

#[test]
fn what_is_handed_over_may_be_cancelled_meanwhile() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let first = listening(2, Some("g"), 9);
        let dispatch = emit_key(&emitter).unwrap();
        let second = listening(3, Some("g"), 9);
        let canceller = thread::spawn(move || dispatch.cancel());
        first.endpoint().close();
        canceller.join().unwrap();
        drop(read(second.endpoint()));
        settled(&emitter, &[&first, &second]);
    });
}
