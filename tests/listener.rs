//! Listeners written in Rust, on tokio: every promise of the module.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::*;
use futures::channel::{mpsc, oneshot};
use futures::{FutureExt, StreamExt};
use parallel_event_bus::core::emitter::Unanswered;
use parallel_event_bus::core::listener::{self, Answered, Bus, Event};
use parallel_event_bus::core::outcome::Cause;
use parallel_event_bus::core::quota::Limits;
use parallel_event_bus::core::route::ListenerOptions;
use tokio::task::JoinHandle;

/// A bus whose listeners are called by a task of their own.
fn spawn(thread: u32, channel: &str) -> (Bus, JoinHandle<()>) {
    let (bus, listening) = listener::join(thread, channel, Limits::default());
    (bus, tokio::spawn(listening.run()))
}

/// Answers with what it got.
async fn echo(event: Event) -> Answered {
    Ok(event.payload().into())
}

/// A listener that tells of each event and does not return.
fn hang(
    started: &mpsc::UnboundedSender<u8>,
) -> impl Fn(Event) -> futures::future::BoxFuture<'static, Answered> + use<> {
    let started = started.clone();
    move |event| {
        started.unbounded_send(event.payload().first().copied().unwrap_or_default()).unwrap();
        futures::future::pending().boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_reaches_every_listener_of_every_task_the_emitting_one_included() {
    let places: Vec<_> = (1..=4).map(|thread| spawn(thread, "fan-out")).collect();
    let heard = Arc::new(AtomicUsize::new(0));
    for (bus, _) in &places {
        for _ in 0..3 {
            let heard = heard.clone();
            bus.on("e", plain(), move |event| {
                assert_eq!((event.name(), event.payload()), ("e", b"payload".as_slice()));
                assert!(!event.is_request());
                heard.fetch_add(1, Ordering::SeqCst);
                async { Ok(vec![]) }
            });
        }
    }
    for round in 1..=10 {
        let outcome = soon(places[0].0.emit("e", b"payload")).await;
        assert_eq!((outcome.success, outcome.failed()), (12, 0));
        assert_eq!(heard.load(Ordering::SeqCst), 12 * round);
    }
    for (bus, listening) in places {
        bus.close();
        soon(listening).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_has_the_answer_or_the_error_of_the_listener() {
    let ((bus, _listening), (other, _others)) = (spawn(1, "request"), spawn(2, "request"));
    other.on("echo", plain(), echo);
    other.on("refuse", plain(), async |event: Event| -> Answered {
        assert!(event.is_request());
        Err(b"refused".into())
    });
    assert_eq!(soon(bus.request("echo", b"hello")).await, Ok(b"hello".into()));
    let Err(Unanswered::Failed(failure)) = soon(bus.request("refuse", b"")).await else {
        panic!("no failure")
    };
    assert_eq!((failure.thread, failure.cause), (2, Cause::Failed(b"refused".into())));
}

#[tokio::test]
async fn each_event_goes_to_the_member_of_a_group_with_the_least_in_flight() {
    let (bus, _listening) = spawn(1, "balance");
    let (started, mut starts) = mpsc::unbounded();
    let members: Vec<_> = (2..=4).map(|thread| spawn(thread, "balance")).collect();
    for (at, (member, _)) in (0..).zip(&members) {
        let started = started.clone();
        member.on("e", in_group("g"), move |_| {
            let (release, released) = oneshot::channel::<()>();
            started.unbounded_send((at, release)).unwrap();
            async { Ok(released.await.map(|()| vec![]).unwrap_or_default()) }
        });
    }
    let mut running: Vec<Vec<_>> = (0..3).map(|_| Vec::new()).collect();
    for number in 0..9 {
        drop(bus.emit("e", &[number]));
        let (at, release): (usize, _) = soon(starts.next()).await.unwrap();
        running[at].push(release);
    }
    assert!(running.iter().all(|running| running.len() == 3));
    // One that has finished two gets the next two.
    running[1].drain(..2).for_each(drop);
    while bus.member().pending() > 7 {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        drop(bus.emit("e", b""));
        let (at, release) = soon(starts.next()).await.unwrap();
        assert_eq!(at, 1);
        running[at].push(release);
    }
}

#[tokio::test]
async fn a_listener_that_hangs_fails_when_the_time_is_over_and_holds_up_nothing() {
    let ((bus, _listening), (other, _others)) = (spawn(1, "hang"), spawn(2, "hang"));
    let (started, mut starts) = mpsc::unbounded();
    other.on("e", plain(), hang(&started));
    other.on("e", plain(), echo);
    let outcome = soon(bus.within(Duration::from_millis(1)).emit("e", b"x")).await;
    assert_eq!(outcome.failures.last().unwrap().cause, Cause::TimedOut(1));
    assert_eq!(outcome.success + outcome.failed(), 2);
    let waiting = bus.request("e", b"y");
    other.on("f", plain(), echo);
    assert_eq!(soon(bus.request("f", b"z")).await, Ok(b"z".into()));
    assert_eq!(waiting.now_or_never(), None);
    assert!(soon(starts.next()).await.is_some());
}

#[tokio::test]
async fn a_task_that_is_dropped_while_its_listeners_run_settles_all_it_owed_as_gone() {
    let ((bus, _listening), (other, others)) = (spawn(1, "dropped"), spawn(2, "dropped"));
    let (started, mut starts) = mpsc::unbounded();
    other.on("e", plain(), hang(&started));
    other.on("e", plain(), echo);
    let emitted = bus.emit("e", b"1");
    let posted = bus.post("posted", b"");
    assert_eq!((soon(starts.next()).await, posted), (Some(b'1'), 0));
    others.abort();
    assert!(soon(others).await.unwrap_err().is_cancelled());
    let outcome = soon(emitted).await;
    assert_eq!((outcome.success, outcome.failed()), (1, 1));
    assert_eq!((outcome.failures[0].thread, &outcome.failures[0].cause), (2, &Cause::Gone));
    assert_eq!(bus.emit("e", b"").listeners(), 0);
    let _id = other.on("e", plain(), echo);
    assert_eq!(bus.emit("e", b"").listeners(), 0, "it listens to nothing any more");
}

#[tokio::test]
async fn what_a_dropped_task_had_not_started_goes_to_another_of_the_group() {
    let (bus, _listening) = spawn(1, "heir");
    let (started, mut starts) = mpsc::unbounded();
    let (dying, listening) = listener::join(2, "heir", Limits::default());
    dying.on("e", in_group("g"), hang(&started));
    let dying = tokio::spawn(listening.at_most(1).run());
    let mut emitted: Vec<_> = (0..5).map(|number| bus.emit("e", &[number])).collect();
    assert_eq!(soon(starts.next()).await, Some(0));
    let (heir, _heirs) = spawn(3, "heir");
    heir.on("e", in_group("g"), echo);
    dying.abort();
    let running = soon(emitted.remove(0)).await;
    assert_eq!((running.failed(), &running.failures[0].cause), (1, &Cause::Gone));
    for emitted in emitted {
        assert_eq!(soon(emitted).await.success, 1);
    }
}

#[tokio::test]
async fn a_panic_of_a_listener_is_its_own_failure_and_nothing_elses() {
    let ((bus, _listening), (other, others)) = (spawn(1, "panic"), spawn(2, "panic"));
    other.on("e", plain(), |_| -> std::future::Ready<Answered> { panic!("before the future") });
    other.on("e", plain(), async |_: Event| -> Answered { panic!("in the future") });
    other.on("e", plain(), echo);
    for _ in 0..2 {
        let outcome = soon(bus.emit("e", b"")).await;
        assert_eq!((outcome.success, outcome.failed()), (1, 2));
        assert!(outcome.failures.iter().all(|failure| failure.cause == Cause::Gone));
        assert_eq!(bus.post("e", b""), 3);
    }
    other.close();
    soon(others).await.unwrap();
    assert_eq!((bus.member().pending(), bus.member().failed()), (0, 8));
}

#[tokio::test]
async fn a_once_listener_is_called_once_however_events_come() {
    let ((bus, _listening), (other, _others)) = (spawn(1, "once"), spawn(2, "once"));
    let (heard, mut hears) = mpsc::unbounded();
    let count = move |event: Event| {
        heard.unbounded_send(event.payload().to_vec()).unwrap();
        async { Ok(vec![]) }
    };
    other.on("e", once(), count.clone());
    other.on("e", ListenerOptions { once: true, ..in_group("g") }, count);
    assert_eq!((bus.post("e", b"1"), bus.post("e", b"2")), (2, 0));
    assert_eq!(soon(bus.emit("e", b"3")).await.success, 0);
    assert_eq!(soon(hears.next()).await.unwrap(), b"1");
    assert_eq!(soon(hears.next()).await.unwrap(), b"1");
    assert_eq!(soon(hears.next()).await, None, "both have been let go of, with what they held");
}

#[tokio::test]
async fn a_listener_that_is_removed_gets_what_was_emitted_before_and_is_then_let_go_of() {
    let (bus, _listening) = spawn(1, "off");
    let (other, listening) = listener::join(2, "off", Limits::default());
    let (heard, mut hears) = mpsc::unbounded();
    let listener = move |event: Event| {
        heard.unbounded_send(event.payload()[0]).unwrap();
        async { Ok(vec![]) }
    };
    let id = other.on("e", plain(), listener);
    assert_eq!((bus.post("e", &[1]), bus.emit("e", &[2]).listeners()), (1, 1));
    other.off(id);
    assert_eq!(bus.post("e", &[3]), 0);
    other.off(id);
    let _others = tokio::spawn(listening.run());
    assert_eq!(soon(hears.by_ref().take(2).collect::<Vec<_>>()).await, [1, 2]);
    assert_eq!(soon(hears.next()).await, None);

    let (heard, mut hears) = mpsc::unbounded::<()>();
    let id = other.on("e", plain(), move |event| {
        let _held = &heard;
        echo(event)
    });
    assert_eq!(soon(bus.emit("e", b"")).await.success, 1);
    other.off(id);
    assert_eq!(soon(hears.next()).await, None, "also when nothing waits for it");
}

#[tokio::test]
async fn a_listener_that_is_removed_gets_also_what_its_task_had_read_and_not_dealt_with() {
    let (bus, _listening) = spawn(1, "off later");
    let (other, listening) = listener::join(2, "off later", Limits::default());
    let (started, mut starts) = mpsc::unbounded();
    let id = other.on("e", plain(), move |_| {
        let (release, released) = oneshot::channel::<()>();
        started.unbounded_send(release).unwrap();
        async { Ok(released.await.map(|()| vec![]).unwrap_or_default()) }
    });
    let emitted = [bus.emit("e", b""), bus.emit("e", b"")];
    let _others = tokio::spawn(listening.at_most(1).run());
    let first = soon(starts.next()).await.unwrap();
    other.off(id);
    drop(first);
    drop(soon(starts.next()).await.expect("the second comes too"));
    for emitted in emitted {
        assert_eq!(soon(emitted).await.success, 1);
    }
}
