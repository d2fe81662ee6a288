//! The whole engine. It takes many locks, so its models are searched with at most three preemptions,
//! which is where loom's authors found nearly all defects.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::Dispatch;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::{Member, Unlistened};
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::{Dispatched, ListenerOptions, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::{FailureKind, Outcome, Report};
use parallel_event_bus::engine::payload::Content;

use crate::Waker;

std::thread_local! {
    /// The channel of the model that runs on this thread: each run has its own.
    static CHANNEL: Cell<u64> = const { Cell::new(0) };
}

static LAST_CHANNEL: AtomicU64 = AtomicU64::new(0);

/// The whole engine.
pub(crate) fn search(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        CHANNEL.set(LAST_CHANNEL.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        model();
    });
}

pub(crate) fn member(thread: u32, waker: &Waker, limits: MailboxLimits) -> Arc<Member> {
    Endpoint::new(thread, Arc::new(waker.clone())).join(&format!("{}", CHANNEL.get()), limits)
}

/// A member that listens to `e`, as its listener 1.
pub(crate) fn listening(thread: u32, group: Option<&str>, events: usize) -> Arc<Member> {
    let member =
        member(thread, &Waker::new(), MailboxLimits { max_messages: events, max_bytes: 1_000 });
    let options = ListenerOptions { group: group.map(Into::into), ..Default::default() };
    member.listen("e", 1, options);
    member
}

pub(crate) fn emit(emitter: &Arc<Member>, report: Report) -> Option<Arc<Dispatch>> {
    let emission = Emission {
        payload: Some(Content::Lent(b"")),
        request: false,
        timeout: None,
        cancellable: true,
        key: None,
        report,
    };
    match emitter.channel().route("e").dispatch(emitter, emission) {
        Dispatched::To { dispatch, .. } => dispatch,
        _ => None,
    }
}

pub(crate) fn read(endpoint: &Endpoint) -> Vec<Message> {
    let mut messages = Vec::new();
    while endpoint.collect(8, &mut messages) {}
    messages
}

pub(crate) fn delivery(member: &Member) -> Delivery {
    match read(member.endpoint()).pop() {
        Some(Message::Delivery(delivery)) => delivery,
        _ => panic!("no delivery"),
    }
}

/// The outcome of the only dispatch that was awaited.
fn outcome(emitter: &Member) -> Outcome {
    let settled = |message| match message {
        Message::Notice(Notice::Settled { outcome, .. }) => Some(outcome),
        _ => None,
    };
    read(emitter.endpoint()).into_iter().find_map(settled).expect("it has settled")
}

/// Ends a model, so that nothing outlives it: members and their routes know each other until they leave.
pub(crate) fn end(members: &[&Arc<Member>]) {
    members.iter().for_each(|member| member.endpoint().close());
}

#[test]
fn an_emitter_that_looks_when_woken_sees_its_last_dispatch_settle_and_has_every_message_then() {
    search(|| {
        let waker = Waker::new();
        let emitter = member(1, &waker, MailboxLimits::default());
        let other = listening(2, None, 9);
        let deliveries = [1, 2].map(|token| {
            emit(&emitter, Report::Message(token));
            delivery(&other)
        });
        let threads = deliveries.map(|delivery| {
            thread::spawn(move || {
                delivery.succeed(0, None);
                drop(delivery);
            })
        });
        let (mut messages, mut done) = (0, false);
        let mut look = || {
            while waker.take() {
                messages += read(emitter.endpoint()).len();
                // As a JS thread, which ends when it has no reason to stay: asked in this order, and
                // after the look that found nothing.
                done = !emitter.endpoint().is_pending() && emitter.endpoint().mailbox().is_empty();
                assert!(!done || messages == 2, "it could end without having read its messages");
            }
        };
        look();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        look();
        assert!(done, "nobody told it that nothing is pending any more");
        assert_eq!(messages, 2);
        end(&[&emitter, &other]);
    });
}

#[test]
fn who_waits_for_room_is_told_when_there_is_some_and_once() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 1);
        emit(&emitter, Report::None);
        let reader = {
            let other = other.clone();
            thread::spawn(move || drop(read(other.endpoint())))
        };
        // Meanwhile somebody adds another event, if there is room by then.
        let late = {
            let late = member(3, &Waker::new(), MailboxLimits::default());
            thread::spawn(move || {
                emit(&late, Report::None);
                late
            })
        };
        emitter.wait_for_room();
        reader.join().unwrap();
        let late = late.join().unwrap();
        drop(read(other.endpoint()));
        assert_eq!(other.capacity().events(), 0);
        assert!(!other.channel().is_congested(emitter.endpoint()));
        let told = read(emitter.endpoint());
        let told = told
            .iter()
            .filter(|message| matches!(message, Message::Notice(Notice::Drained(_))))
            .count();
        assert_eq!(told, 1);
        end(&[&emitter, &other, &late]);
    });
}

#[test]
fn what_is_taken_back_gives_back_its_room_once_whoever_reads_it_meanwhile() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 1);
        let dispatch = emit(&emitter, Report::None).unwrap();
        let reader = {
            let other = other.clone();
            thread::spawn(move || {
                for message in read(other.endpoint()) {
                    if let Message::Delivery(delivery) = message
                        && delivery.start()
                    {
                        delivery.succeed(0, None);
                    }
                }
            })
        };
        emitter.wait_for_room();
        dispatch.cancel();
        reader.join().unwrap();
        assert_eq!((other.capacity().events(), other.in_flight(), emitter.pending()), (0, 0, 0));
        let told = read(emitter.endpoint());
        let told = told
            .iter()
            .filter(|message| matches!(message, Message::Notice(Notice::Drained(_))))
            .count();
        assert_eq!(told, 1);
        end(&[&emitter, &other]);
    });
}

#[test]
fn losses_that_are_counted_while_others_are_read_are_all_told() {
    // As large as all that is told one by one, so that the others are counted.
    let large = vec![0; 1 << 20];
    search(move || {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 0);
        let route = emitter.channel().route("e");
        let publish =
            |payload: &[u8]| assert_eq!(route.publish(&emitter, Some(payload)), Published::To(1));
        publish(&large);
        let threads = [(); 2].map(|()| {
            let (emitter, route) = (emitter.clone(), route.clone());
            thread::spawn(move || assert_eq!(route.publish(&emitter, Some(b"")), Published::To(1)))
        });
        let count = |messages: &[Message]| {
            let counts = messages.iter().map(|message| match message {
                Message::Notice(Notice::Lost { lost, .. }) => lost.count,
                _ => 0,
            });
            counts.sum::<u32>()
        };
        let first = read(emitter.endpoint());
        let told = count(&first);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let rest = read(emitter.endpoint());
        assert_eq!(told + count(&rest), 3);
        drop((first, rest));
        assert!(emitter.is_idle());
        drop(route);
        end(&[&emitter, &other]);
    });
}

#[test]
fn an_event_for_an_endpoint_that_ends_meanwhile_settles_once() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let dying = listening(2, None, 9);
        let end_of = {
            let dying = dying.clone();
            thread::spawn(move || dying.endpoint().close())
        };
        let dispatch = emit(&emitter, Report::Message(1));
        end_of.join().unwrap();
        if dispatch.is_some() {
            let outcome = outcome(&emitter);
            assert_eq!((outcome.success, outcome.failed()), (0, 1));
            assert_eq!(outcome.failures[0].kind, FailureKind::ThreadExited);
        }
        assert_eq!((emitter.pending(), dying.in_flight(), dying.capacity().events()), (0, 0, 0));
        assert!(emit(&emitter, Report::None).is_none());
        end(&[&emitter]);
    });
}

#[test]
fn an_untracked_event_to_an_endpoint_that_ends_meanwhile_settles_once() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let dying = listening(2, None, 9);
        let end_of = {
            let dying = dying.clone();
            thread::spawn(move || dying.endpoint().close())
        };
        let route = emitter.channel().route("e");
        (0..2)
            .for_each(|_| assert!(matches!(route.publish(&emitter, Some(b"")), Published::To(_))));
        end_of.join().unwrap();
        assert_eq!((emitter.pending(), dying.in_flight(), dying.capacity().events()), (0, 0, 0));
        let lost = read(emitter.endpoint());
        let lost = lost
            .iter()
            .filter(|message| matches!(message, Message::Notice(Notice::Lost { .. })))
            .count();
        assert_eq!(lost, emitter.failed());
        drop(route);
        end(&[&emitter]);
    });
}

#[test]
fn two_members_of_a_group_that_end_at_once_lose_nothing_unsaid() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let dying = [2, 3].map(|thread| listening(thread, Some("g"), 9));
        emit(&emitter, Report::Message(1));
        let ends = dying.clone().map(|dying| thread::spawn(move || dying.endpoint().close()));
        ends.into_iter().for_each(|end| end.join().unwrap());
        let outcome = outcome(&emitter);
        assert_eq!((outcome.success, outcome.failed()), (0, 1));
        for dying in dying {
            assert_eq!((dying.in_flight(), dying.capacity().events()), (0, 0));
        }
        assert_eq!(emitter.pending(), 0);
        end(&[&emitter]);
    });
}

#[test]
fn what_one_member_of_a_group_lets_go_of_is_cancelled_or_goes_to_the_other() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let [dying, heir] = [2, 3].map(|thread| listening(thread, Some("g"), 9));
        let dispatch = emit(&emitter, Report::None).unwrap();
        let end_of = {
            let dying = dying.clone();
            thread::spawn(move || dying.endpoint().close())
        };
        dispatch.cancel();
        end_of.join().unwrap();
        assert_eq!((emitter.pending(), emitter.failed()), (0, 0));
        for message in read(heir.endpoint()) {
            if let Message::Delivery(delivery) = message {
                assert!(!delivery.start(), "it was taken back");
            }
        }
        assert_eq!((dying.in_flight(), heir.in_flight(), heir.capacity().events()), (0, 0, 0));
        end(&[&emitter, &heir]);
    });
}

#[test]
fn a_listener_is_started_or_cancelled_and_never_both() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let dispatch = emit(&emitter, Report::None).unwrap();
        let delivery = delivery(&other);
        let starter = thread::spawn(move || {
            let started = delivery.start();
            if started {
                delivery.fail(0, vec![]);
            }
            started
        });
        let expirer = {
            let dispatch = dispatch.clone();
            thread::spawn(move || dispatch.expire(1))
        };
        dispatch.cancel();
        let started = starter.join().unwrap();
        expirer.join().unwrap();
        assert_eq!(emitter.pending(), 0);
        assert!(emitter.failed() <= 1);
        assert!(!started || emitter.failed() == 1, "what started counts");
        end(&[&emitter, &other]);
    });
}

#[test]
fn a_member_that_leaves_while_it_listens_anew_is_not_addressed_any_more() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let leaving = member(2, &Waker::new(), MailboxLimits::default());
        let listener = {
            let leaving = leaving.clone();
            thread::spawn(move || leaving.listen("e", 1, ListenerOptions::default()))
        };
        leaving.endpoint().close();
        listener.join().unwrap();
        assert!(emit(&emitter, Report::None).is_none());
        end(&[&emitter]);
    });
}

#[test]
fn nothing_comes_for_a_listener_after_its_end_was_told() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let sender = {
            let emitter = emitter.clone();
            thread::spawn(move || emit(&emitter, Report::None).is_some())
        };
        let comes = other.unlisten(1) == Unlistened::Waiting;
        let sent = sender.join().unwrap();
        let messages = read(other.endpoint());
        let is_forget = |message: &Message| matches!(message, Message::Notice(Notice::Forget(1)));
        assert_eq!(messages.iter().any(is_forget), comes);
        let deliveries = messages.iter().filter(|message| matches!(message, Message::Delivery(_)));
        assert_eq!(deliveries.count(), usize::from(sent));
        assert!(!comes || messages.last().is_some_and(is_forget), "nothing is behind it");
        assert!(comes || !sent, "something came although nothing could");
        drop(messages);
        end(&[&emitter, &other]);
    });
}
