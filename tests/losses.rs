//! News of lost events is bounded: so many are told one by one, more only in numbers, and none is missing.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::Published;
use parallel_event_bus::engine::outcome::Lost;
use parallel_event_bus::engine::payload::Payload;

/// Losses that are told one by one, bytes of them, and tallies that are counted apart.
const SINGLES: usize = 1_024;
const BYTES: usize = 1 << 20;
const TALLIES: usize = 256;

/// An emitter, and a member of another thread that listens to `e` and has no room for anything.
fn refused(channel: &str) -> (Arc<Member>, Arc<Member>) {
    let (emitter, full) = (member(1, channel), small_member(2, channel, 0));
    full.listen("e", 1, plain());
    (emitter, full)
}

fn publish(emitter: &Arc<Member>, event: &str, payload: &[u8]) {
    assert!(matches!(
        emitter.channel().route(event).publish(emitter, Some(payload)),
        Published::To(1..)
    ));
}

fn losses(messages: &[Message]) -> Vec<&Lost> {
    let lost = messages.iter().filter_map(|message| match message {
        Message::Notice(Notice::Lost { lost, .. }) => Some(&**lost),
        _ => None,
    });
    lost.collect()
}

#[test]
fn beyond_a_number_losses_are_counted_and_the_numbers_are_exact() {
    let (emitter, _full) = refused("number");
    for _ in 0..SINGLES + 5_000 {
        publish(&emitter, "e", b"payload");
    }
    assert_eq!(
        emitter.endpoint().mailbox().len(),
        SINGLES + 1,
        "one message tells of all the others"
    );
    assert_eq!(emitter.failed(), SINGLES + 5_000);
    let messages = read(emitter.endpoint());
    let lost = losses(&messages);
    assert_eq!(lost.len(), SINGLES + 1);
    for single in &lost[..SINGLES] {
        assert_eq!((single.count, single.payload.as_deref()), (1, Some(&b"payload"[..])));
    }
    let Lost { event, payload, kind, count, listeners, thread, started } = lost[SINGLES];
    assert_eq!((event.as_deref(), payload, kind), (Some("e"), &None, &full(0)));
    assert_eq!((*count, *listeners, *thread, *started), (5_000, 5_000, Some(2), false));
}

#[test]
fn what_was_read_makes_room_to_tell_of_more_one_by_one() {
    let (emitter, _full) = refused("read");
    for _ in 0..SINGLES + 1 {
        publish(&emitter, "e", b"");
    }
    let unread = read(emitter.endpoint());
    publish(&emitter, "e", b"");
    assert_eq!(said(emitter.endpoint()), ["lost e MailboxFull of 0 × 1"], "a count of one");
    drop(unread);
    publish(&emitter, "e", b"told");
    let messages = read(emitter.endpoint());
    assert_eq!(losses(&messages)[0].payload.as_deref(), Some(&b"told"[..]));
}

#[test]
fn losses_are_told_one_by_one_for_so_many_bytes_and_one_alone_may_have_more() {
    let (emitter, _full) = refused("bytes");
    let large = vec![7; BYTES + 1];
    publish(&emitter, "e", &large);
    publish(&emitter, "e", b"");
    assert_eq!(emitter.endpoint().mailbox().len(), 2);
    {
        let messages = read(emitter.endpoint());
        let payloads: Vec<_> = losses(&messages).iter().map(|lost| lost.payload.clone()).collect();
        assert_eq!(payloads, [Payload::copy(&large), None]);
    }
    let half = vec![7; BYTES / 2 - 10];
    (0..3).for_each(|_| publish(&emitter, "e", &half));
    let messages = read(emitter.endpoint());
    let told: Vec<_> = losses(&messages).iter().map(|lost| lost.payload.is_some()).collect();
    assert_eq!(told, [true, true, false]);
}

#[test]
fn members_that_do_not_have_an_event_share_one_copy_of_its_payload() {
    let emitter = member(1, "shared");
    let full: Vec<_> = (2..6).map(|thread| small_member(thread, "shared", 0)).collect();
    full.iter().for_each(|member| member.listen("e", 1, plain()));
    let route = emitter.channel().route("e");
    assert_eq!(publish_all(&route, &emitter, &[b"one", b"two"]), Published::To(4));
    let messages = read(emitter.endpoint());
    let payloads: Vec<_> =
        losses(&messages).iter().map(|lost| lost.payload.clone().unwrap()).collect();
    assert_eq!(payloads.len(), 8);
    for (copies, payload) in payloads.chunks(4).zip([b"one", b"two"]) {
        assert_eq!(*copies[0], *payload);
        assert!(copies.iter().all(|copy| copy.as_ptr() == copies[0].as_ptr()));
    }
}

/// Spends the budget for losses that are told one by one.
fn spend(emitter: &Arc<Member>) -> Vec<Message> {
    (0..SINGLES).for_each(|_| publish(emitter, "e", b""));
    read(emitter.endpoint())
}

#[test]
fn losses_are_counted_by_event_kind_and_thread() {
    let (emitter, full) = refused("tallies");
    full.listen("f", 2, plain());
    full.listen("f", 3, plain());
    let stuck = member(3, "tallies");
    stuck.listen("late", 4, plain());
    let spent = spend(&emitter);
    for event in ["f", "e", "f"] {
        publish(&emitter, event, b"");
    }
    let _outcomes = [5, 5, 6].map(|ms| {
        let emitted = emit_as(&emitter, "late", b"", |emission| emission.timeout = Some(3_600_000));
        emitted.dispatch().expire(ms);
        emitted
    });
    (0..2).for_each(|_| publish(&emitter, "late", b""));
    stuck.endpoint().close();
    assert_eq!(
        said(emitter.endpoint()),
        [
            "lost f MailboxFull of 0 × 4, 2 times",
            "lost e MailboxFull of 0 × 1",
            "lost late TimedOut(5) × 2, 2 times",
            "lost late TimedOut(6) × 1",
            "lost late ThreadExited × 2, 2 times",
            "exit of 3",
        ]
    );
    drop(spent);
}

#[test]
fn names_without_end_are_counted_together() {
    let (emitter, full) = refused("names");
    let spent = spend(&emitter);
    for number in 0..3_000 {
        let event = format!("reply:{number}");
        full.listen(&event, 2, plain());
        publish(&emitter, &event, b"");
    }
    let messages = read(emitter.endpoint());
    let lost = losses(&messages);
    assert_eq!(lost.len(), TALLIES + 1);
    assert!(lost[..TALLIES].iter().all(|lost| lost.count == 1 && lost.thread == Some(2)));
    let rest = lost[TALLIES];
    assert_eq!((&rest.event, rest.thread), (&None, None), "of several");
    assert_eq!((rest.count as usize, &rest.kind), (3_000 - TALLIES, &common::full(0)));

    // Notices that were collected and not read are of the number, too.
    publish(&emitter, "reply:2999", b"");
    assert_eq!(said(emitter.endpoint()), ["lost various MailboxFull of 0 × 1"]);
    drop((messages, spent));
    let _spent = spend(&emitter);
    publish(&emitter, "reply:2999", b"");
    assert_eq!(said(emitter.endpoint()), ["lost reply:2999 MailboxFull of 0 × 1"]);
}

#[test]
fn an_emitter_is_not_idle_before_it_has_read_what_was_counted() {
    let (emitter, _full) = refused("idle");
    let spent = spend(&emitter);
    (0..2).for_each(|_| publish(&emitter, "e", b""));
    drop(spent);
    assert!(emitter.pending() == 0 && !emitter.is_idle());
    let messages = read(emitter.endpoint());
    assert!(!emitter.is_idle());
    drop(messages);
    assert!(emitter.is_idle());
}

#[test]
fn what_a_thread_that_ends_had_not_read_is_counted_too() {
    let (emitter, dying) = (member(1, "dying"), member(2, "dying"));
    dying.listen("e", 1, plain());
    (0..10_000).for_each(|_| publish(&emitter, "e", b""));
    dying.endpoint().close();
    let messages = read(emitter.endpoint());
    let lost = losses(&messages);
    assert_eq!(lost.len(), SINGLES + 1);
    let sum: u32 = lost.iter().map(|lost| lost.count).sum();
    assert_eq!((sum, emitter.failed(), emitter.pending()), (10_000, 10_000, 0));
}
