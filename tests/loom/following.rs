//! Listeners that follow their event while it ends.

use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::outcome::Report;

use crate::Waker;
use crate::engine::{delivery, emit, end, listening, member, read, search};

fn tokens(messages: &[Message]) -> Vec<u32> {
    let token = |message: &Message| match message {
        Message::Notice(Notice::Over { token, .. }) => Some(*token),
        _ => None,
    };
    messages.iter().filter_map(token).collect()
}

#[test]
fn a_listener_that_begins_to_follow_as_the_time_is_over_is_told_once() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let listener = listening(2, None, 9);
        let dispatch = emit(&emitter, Report::None).unwrap();
        let held = delivery(&listener);
        assert!(held.start());
        let timer = thread::spawn(move || dispatch.expire(7));
        held.follow(5);
        timer.join().unwrap();
        assert_eq!(tokens(&read(listener.endpoint())), [5]);
        drop(held);
        end(&[&emitter, &listener]);
    });
}

#[test]
fn a_listener_that_begins_to_follow_as_the_emitter_goes_is_told() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let listener = listening(2, None, 9);
        let _dispatch = emit(&emitter, Report::None).unwrap();
        let held = delivery(&listener);
        assert!(held.start());
        let end_of = {
            let emitter = emitter.clone();
            thread::spawn(move || emitter.endpoint().close())
        };
        held.follow(5);
        end_of.join().unwrap();
        assert_eq!(tokens(&read(listener.endpoint())), [5]);
        drop(held);
        end(&[&listener]);
    });
}
