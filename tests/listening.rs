//! How a Rust task deals with its events: order, few at a time, its end, and its turn.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::*;
use futures::channel::{mpsc, oneshot};
use futures::{FutureExt, StreamExt};
use parallel_event_bus::core::endpoint::Letter;
use parallel_event_bus::core::listener::{self, Answered, Bus, Event, Listening};
use parallel_event_bus::core::outcome::Cause;
use parallel_event_bus::core::quota::Limits;
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

#[tokio::test]
async fn listeners_start_in_the_order_of_emission_and_run_at_the_same_time() {
    let ((bus, _listening), (other, _others)) = (spawn(1, "order"), spawn(2, "order"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let barrier = Arc::new(tokio::sync::Barrier::new(100));
    for event in ["a", "b"] {
        let (seen, barrier) = (seen.clone(), barrier.clone());
        other.on(event, plain(), move |event: Event| {
            let (seen, barrier) = (seen.clone(), barrier.clone());
            async move {
                seen.lock().unwrap().push(event.payload()[0]);
                barrier.wait().await;
                Ok(vec![])
            }
        });
    }
    let mut emitted = Vec::new();
    for number in 0..100 {
        let event = if number % 3 == 0 { "a" } else { "b" };
        if number % 2 == 0 {
            bus.post(event, &[number]);
        } else {
            emitted.push(bus.emit(event, &[number]));
        }
    }
    for emitted in emitted {
        assert_eq!(soon(emitted).await.success, 1);
    }
    assert!(seen.lock().unwrap().iter().copied().eq(0..100));
}

#[tokio::test]
async fn a_task_that_deals_with_few_events_at_a_time_makes_the_others_wait_and_be_refused() {
    let (bus, letters) = listener::join(1, "few", Limits::default());
    let (other, listening) = listener::join(2, "few", Limits { messages: 4, bytes: 100 });
    let (started, mut starts) = mpsc::unbounded();
    other.on("e", plain(), move |_| {
        let (release, released) = oneshot::channel::<()>();
        started.unbounded_send(release).unwrap();
        async { Ok(released.await.map(|()| vec![]).unwrap_or_default()) }
    });
    let _others = tokio::spawn(listening.at_most(2).run());
    let mut letters = letters;
    let mut emitted = Vec::new();
    let mut running = Vec::new();
    for _ in 0..2 {
        emitted.push(bus.emit("e", b""));
        running.push(soon(letters_or(&mut letters, starts.next())).await.unwrap());
    }
    // The task is busy with two: two more wait, and one is too many.
    emitted.extend((0..2).map(|_| bus.emit("e", b"")));
    let refused = soon(bus.emit("e", b"")).await;
    assert_eq!((refused.failed(), &refused.failures[0].cause), (1, &Cause::Full));
    assert!(matches!(soon(letters.next()).await, Some(Letter::Lost { .. })));
    assert!(bus.is_congested());
    let room = tokio::spawn(bus.room());
    for _ in 0..2 {
        drop(running.remove(0));
        running.push(soon(letters_or(&mut letters, starts.next())).await.unwrap());
    }
    drop(running.remove(0));
    soon(letters_or(&mut letters, room)).await.unwrap();
    drop(running);
    for emitted in emitted {
        assert_eq!(soon(letters_or(&mut letters, emitted)).await.success, 1);
    }
}

/// Waits for a future while a task calls the listeners of its bus.
async fn letters_or<F: Future>(listening: &mut Listening, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            output = &mut future => return output,
            Some(_letter) = listening.next() => {}
        }
    }
}

#[tokio::test]
async fn a_bus_that_is_closed_deals_with_what_was_emitted_before_and_then_the_future_ends() {
    let ((bus, _listening), (other, listening)) =
        (spawn(1, "close"), listener::join(2, "close", Limits::default()));
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    other.on("e", plain(), move |_| {
        let count = count.clone();
        async move {
            tokio::task::yield_now().await;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(vec![])
        }
    });
    let emitted: Vec<_> = (0..200).map(|_| bus.emit("e", b"")).collect();
    (0..200).for_each(|_| assert_eq!(bus.post("e", b""), 1));
    other.close();
    assert_eq!(bus.emit("e", b"").listeners(), 0);
    bus.on("e", plain(), echo);
    assert_eq!((other.emit("e", b"").listeners(), other.post("e", b"")), (0, 0));
    soon(listening.run()).await;
    assert_eq!(heard.load(Ordering::SeqCst), 400);
    for emitted in emitted {
        assert_eq!(soon(emitted).await.success, 1);
    }
    assert_eq!(bus.member().pending(), 0);
    other.close();
}

#[tokio::test]
async fn listeners_may_use_their_bus_and_are_let_go_of_at_the_end() {
    let (bus, listening) = listener::join(1, "recursive", Limits::default());
    let (kept, mut let_go) = mpsc::unbounded::<()>();
    let inner = bus.clone();
    bus.on("outer", plain(), move |event: Event| {
        let (bus, _kept) = (inner.clone(), kept.clone());
        async move {
            let id = bus.on("inner", plain(), echo);
            let answer = bus.request("inner", event.payload()).await.map_err(|_| vec![]);
            bus.off(id);
            answer
        }
    });
    let listening = tokio::spawn(listening.run());
    assert_eq!(soon(bus.request("outer", b"in")).await, Ok(b"in".into()));
    bus.close();
    soon(listening).await.unwrap();
    assert_eq!(soon(let_go.next()).await, None);
}

#[tokio::test]
async fn other_letters_come_out_of_the_stream_once_each() {
    let (bus, mut listening) = listener::join(1, "letters", Limits::default());
    let (other, others) = listener::join(2, "letters", Limits::default());
    other.on("e", plain(), echo);
    assert_eq!(bus.post("e", b""), 1);
    drop(others);
    let mut letters = Vec::new();
    while let Some(Some(letter)) = listening.next().now_or_never() {
        letters.push(say(&letter));
    }
    assert_eq!(letters, ["lost e Gone × 1", "exit of 2"]);
}

#[tokio::test]
async fn waiting_for_room_ends_with_the_task() {
    let (bus, listening) = listener::join(1, "end of room", Limits::default());
    let full = small_member(2, "end of room", 1);
    full.listen("e", 1, plain());
    assert_eq!(bus.post("e", b""), 1);
    let mut room = Box::pin(bus.room());
    assert_eq!((&mut room).now_or_never(), None);
    drop(listening);
    soon(room).await;
    soon(bus.room()).await;
}

#[tokio::test]
async fn a_flood_leaves_others_on_the_executor_their_turn() {
    const MOST: usize = 100_000;
    let (bus, listening) = listener::join(1, "flood", Limits::default());
    let again = bus.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    bus.on("e", plain(), move |_| {
        // Each event emits the next: while there are more, the mailbox is never empty.
        if count.fetch_add(1, Ordering::SeqCst) < MOST {
            again.post("e", b"");
        }
        async { Ok(vec![]) }
    });
    bus.post("e", b"");
    let listening = tokio::spawn(listening.run());
    tokio::task::yield_now().await;
    let seen = seen.load(Ordering::SeqCst);
    assert!(seen > 0 && seen < MOST, "{seen} events before this task had its turn");
    bus.close();
    soon(listening).await.unwrap();
}
