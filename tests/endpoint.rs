//! An endpoint that ends settles all it owed, and others are told; so they are of one that is stuck.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Batch;
use parallel_event_bus::engine::channel::endpoint::{Endpoint, Flush};
use parallel_event_bus::engine::channel::member::{Member, Unlistened};
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::mailbox::Wake;
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::timer::schedule;

#[test]
fn what_waits_for_an_endpoint_that_ends_is_gone_at_once_and_every_emitter_is_told() {
    let (one, two, dying) = (member(1, "end"), member(2, "end"), member(3, "end"));
    dying.listen("e", 1, plain());
    let mut emitted = [emit(&one, "e", b"1"), emit(&one, "e", b"2"), emit(&two, "e", b"3")];
    dying.endpoint().close();
    for emitted in &mut emitted {
        let failure = emitted.outcome().unwrap().failures.remove(0);
        assert_eq!((failure.thread, failure.kind), (3, FailureKind::ThreadExited));
    }
    assert_eq!(
        said(one.endpoint()),
        ["lost e ThreadExited × 1", "lost e ThreadExited × 1", "exit of 3"]
    );
    assert_eq!(said(two.endpoint()), ["lost e ThreadExited × 1", "exit of 3"]);
    assert_eq!((emit(&one, "e", b"").others, dying.in_flight()), (0, 0));
    dying.endpoint().close();
    assert_eq!(said(one.endpoint()), Vec::<String>::new(), "ending twice is harmless");
}

#[test]
fn each_channel_is_told_once_of_an_end_however_many_places_there_were() {
    let dying = endpoint(1);
    let _places =
        ["a", "a", "b"].map(|name| dying.join(&format!("told {name}"), MailboxLimits::default()));
    let left = dying.join("told c", MailboxLimits::default());
    let (a, b, c) = (member(2, "told a"), member(3, "told b"), member(4, "told c"));
    left.leave();
    dying.close();
    assert_eq!(said(a.endpoint()), ["exit of 1"]);
    assert_eq!(said(b.endpoint()), ["exit of 1"]);
    assert_eq!(said(c.endpoint()), Vec::<String>::new(), "it had left that channel");
}

#[test]
fn a_closed_endpoint_takes_no_part_any_more() {
    let emitter = member(1, "closed");
    let ended = endpoint(2);
    let before = ended.join("closed", MailboxLimits::default());
    ended.close();
    let after = ended.join("closed", MailboxLimits::default());
    assert!(before.has_left() && after.has_left());
    before.listen("e", 1, plain());
    after.listen("e", 2, in_group("g"));
    assert_eq!(emit(&emitter, "e", b"").others, 0);
    assert_eq!(after.unlisten(2), Unlistened::Collected);
}

#[test]
fn listening_while_the_endpoint_ends_leaves_no_listener_behind() {
    let emitter = member(1, "race");
    for _ in 0..300 {
        let ending = endpoint(2);
        let member = ending.join("race", MailboxLimits::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for id in 0..20 {
                    member.listen("e", id, in_group("g"));
                    let late = ending.join("race", MailboxLimits::default());
                    late.listen("e", 100 + id, plain());
                }
            });
            scope.spawn(|| ending.close());
        });
        assert_eq!(emit(&emitter, "e", b"").others, 0);
    }
}

#[test]
fn an_endpoint_may_have_several_places_in_a_channel_that_hear_each_other() {
    let endpoint = endpoint(1);
    let [one, two] = [(); 2].map(|()| endpoint.join("places", MailboxLimits::default()));
    one.listen("e", 1, plain());
    two.listen("e", 2, plain());
    let mut emitted = emit(&one, "e", b"");
    assert_eq!((emitted.others, emitted.own.len()), (1, 0));
    let delivery = delivery(&endpoint);
    assert_eq!((delivery.listeners(), delivery.member().id()), ([2].as_slice(), two.id()));
    delivery.succeed(0, None);
    assert_eq!(emitted.outcome().unwrap().success, 1);
}

/// Tells a channel of its wakes, so that a test can wait for messages.
struct Wakers(mpsc::Sender<()>);

impl Wake for Wakers {
    fn wake(&self) {
        let _ = self.0.send(());
    }
}

/// Waits for the first message.
fn wait(endpoint: &Endpoint, woken: &mpsc::Receiver<()>) -> Message {
    loop {
        if let Some(message) = read(endpoint).into_iter().next() {
            return message;
        }
        woken.recv_timeout(WATCHDOG).expect("no message comes");
    }
}

fn told_of_stall(stuck_by: impl FnOnce(&Endpoint)) {
    let (wakes, woken) = mpsc::channel();
    let observer = Endpoint::new(1, Arc::new(Wakers(wakes)));
    let channel = std::thread::current().name().unwrap_or_default().to_owned();
    let emitter = observer.join(&channel, MailboxLimits::default());
    let stuck = endpoint(2);
    let member = stuck.join(&channel, MailboxLimits::default());
    // A second place makes no second message.
    let _second = stuck.join(&channel, MailboxLimits::default());
    member.listen("e", 1, plain());
    stuck.watch_for_stalls(Duration::from_secs(3_600));
    stuck.watch_for_stalls(Duration::from_millis(1));
    stuck_by(&stuck);
    let _emitted = emit(&emitter, "e", b"");
    let Message::Notice(Notice::Stall(stall)) = wait(&observer, &woken) else {
        panic!("another message")
    };
    assert_eq!((stall.member(), stall.thread, stall.waiting), (emitter.id(), 2, 1));
    assert!(stall.ms >= 1);
    assert!(read(&observer).is_empty(), "told once");
}

#[test]
fn others_are_told_of_an_endpoint_that_does_not_look() {
    told_of_stall(|_| {});
}

#[test]
fn also_when_it_was_woken_before_for_work_of_its_own() {
    told_of_stall(|stuck| assert!(stuck.mailbox().wake()));
}

#[test]
fn also_for_untracked_events_and_again_after_it_has_looked() {
    let (wakes, woken) = mpsc::channel();
    let observer = Endpoint::new(1, Arc::new(Wakers(wakes)));
    let emitter = observer.join("publishes", MailboxLimits::default());
    let stuck = member(2, "publishes");
    stuck.listen("e", 1, plain());
    stuck.endpoint().watch_for_stalls(Duration::from_millis(1));
    for _ in 0..3 {
        emitter.channel().route("e").publish(&emitter, Some(b""));
        assert!(
            matches!(wait(&observer, &woken), Message::Notice(Notice::Stall(stall)) if stall.thread == 2)
        );
        for mut batch in batches(stuck.endpoint()) {
            batch.settle(0, 1, 0);
        }
    }
}

#[test]
fn also_when_it_has_read_as_much_as_there_is_room_for() {
    for (channel, is_awaited) in [("read and published", false), ("read and awaited", true)] {
        let (wakes, woken) = mpsc::channel();
        let observer = Endpoint::new(1, Arc::new(Wakers(wakes)));
        let emitter = observer.join(channel, MailboxLimits::default());
        let waker = Waker::default();
        let stuck = Endpoint::new(2, Arc::new(waker.clone()));
        let member = stuck.join(channel, MailboxLimits { max_messages: 1, max_bytes: 100 });
        member.listen("e", 1, plain());
        let route = emitter.channel().route("e");
        route.publish(&emitter, Some(b"read"));
        let _read = read(&stuck);
        stuck.watch_for_stalls(Duration::from_millis(1));
        let wakes = waker.wakes();
        if is_awaited {
            assert_eq!(emit(&emitter, "e", b"refused").outcome().unwrap().failed(), 1);
        } else {
            route.publish(&emitter, Some(b"refused"));
        }
        let mut told = said(&observer);
        while !told.contains(&"stall of 2, 0 wait".into()) {
            woken.recv_timeout(WATCHDOG).expect("no message comes");
            told.extend(said(&observer));
        }
        assert_eq!(told, ["lost e MailboxFull of 1 × 1", "stall of 2, 0 wait"]);
        assert_eq!(waker.wakes(), wakes + 1, "it is woken, so that it looks if it can");
    }
}

#[test]
fn nobody_is_told_of_an_endpoint_that_looks_however_much_it_leaves() {
    let (observer, busy) = (member(1, "busy"), member(2, "busy"));
    busy.listen("e", 1, plain());
    busy.endpoint().watch_for_stalls(Duration::from_millis(20));
    // The thread of the timers is kept busy until the look, however long that takes.
    let (look, looked) = mpsc::channel::<()>();
    schedule(Duration::ZERO, move || {
        let _ = looked.recv_timeout(WATCHDOG);
    });
    let _emitted = emit(&observer, "e", b"");
    assert!(busy.endpoint().collect(0, &mut Vec::new()), "it leaves what there is");
    // Comes right after the watch is over, and before it could be over again.
    let (tell, told) = mpsc::channel();
    let endpoint = observer.endpoint().clone();
    schedule(Duration::from_millis(20), move || tell.send(said(&endpoint)).unwrap());
    drop(look);
    assert_eq!(told.recv_timeout(WATCHDOG).unwrap(), Vec::<String>::new());
}

#[test]
fn a_watch_that_is_never_over_is_none() {
    let (emitter, other) = (member(1, "no watch"), member(2, "no watch"));
    other.listen("e", 1, plain());
    other.endpoint().watch_for_stalls(Duration::MAX);
    let mut emitted = emit(&emitter, "e", b"");
    delivery(other.endpoint()).succeed(0, None);
    assert_eq!(emitted.outcome().unwrap().success, 1);
}

/// Emits one event whenever it is told to send, and counts how often it was told of changes.
struct Emitting {
    emitter: Arc<Member>,
    changes: AtomicUsize,
}

impl Flush for Emitting {
    fn flush(&self) {
        self.emitter.channel().route("e").publish(&self.emitter, Some(b""));
    }

    fn invalidate(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_burst_goes_to_those_who_listened_before_a_change_and_the_emitter_learns_of_it() {
    let (emitter, one, two) = (member(1, "burst"), member(2, "burst"), member(3, "burst"));
    let burst = Arc::new(Emitting { emitter: emitter.clone(), changes: AtomicUsize::new(0) });
    emitter.endpoint().set_burst(burst.clone());
    let heard = |by: &Arc<Member>| batches(by.endpoint()).iter().map(Batch::len).sum::<usize>();
    let expect = |changes, by_one, by_two| {
        assert_eq!(burst.changes.load(Ordering::Relaxed), changes);
        assert_eq!((heard(&one), heard(&two)), (by_one, by_two));
    };
    one.listen("e", 1, plain());
    expect(1, 0, 0);
    two.listen("e", 1, plain());
    expect(2, 1, 0);
    let _ = one.unlisten(1);
    expect(3, 1, 1);
    said(emitter.endpoint());
    two.endpoint().close();
    assert_eq!(burst.changes.load(Ordering::Relaxed), 4);
    assert_eq!(said(emitter.endpoint()), ["lost e ThreadExited × 1", "exit of 3"]);
}
