//! A Rust task that reads the letters of an endpoint, on tokio.
#![cfg(not(feature = "loom"))]

mod common;

use common::*;
use futures::StreamExt;
use parallel_event_bus::core::endpoint::Letter;
use parallel_event_bus::core::outcome::Cause;
use parallel_event_bus::core::quota::Limits;
use parallel_event_bus::core::receiver::Receiver;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_that_come_while_the_task_sleeps_and_while_it_reads_all_arrive_in_order() {
    const EVENTS: u32 = 10_000;
    let mut letters = Receiver::new(1);
    let member = letters.endpoint().join("read", Limits::default());
    member.listen("e", 1, plain());
    let writer = tokio::task::spawn_blocking(|| {
        let emitter = self::member(2, "read");
        for number in 0..EVENTS {
            let _emitted = emit(&emitter, "e", &number.to_ne_bytes());
            if number % 97 == 0 {
                std::thread::yield_now();
            }
        }
        emitter
    });
    for number in 0..EVENTS {
        let Some(Letter::Delivery(delivery)) = soon(letters.next()).await else {
            panic!("another letter")
        };
        assert_eq!(*delivery.payload(), number.to_ne_bytes());
        delivery.succeed(0, None);
    }
    assert_eq!(writer.await.unwrap().pending(), 0);
}

#[tokio::test]
async fn what_is_read_takes_room_until_it_is_dealt_with() {
    let mut letters = Receiver::new(1);
    let member = letters.endpoint().join("quota", Limits { messages: 2, bytes: 100 });
    member.listen("e", 1, plain());
    let emitter = self::member(2, "quota");
    let mut emitted: Vec<_> = (0..3).map(|_| emit(&emitter, "e", b"")).collect();
    assert_eq!(emitted[2].outcome().unwrap().failures[0].cause, Cause::Full);
    assert_eq!(member.quota().messages(), 2);
    let first = soon(letters.next()).await;
    assert_eq!(member.quota().messages(), 2);
    drop(first);
    assert_eq!(member.quota().messages(), 1);
    let mut next = emit(&emitter, "e", b"");
    assert_eq!(next.outcome(), None, "it waits");
}

#[tokio::test]
async fn the_stream_ends_when_the_endpoint_is_closed() {
    let mut letters = Receiver::new(1);
    let endpoint = letters.endpoint().clone();
    let reader = tokio::spawn(async move { letters.next().await.is_none() });
    tokio::task::yield_now().await;
    endpoint.close();
    assert!(soon(reader).await.unwrap());
}

#[tokio::test]
async fn dropping_the_receiver_settles_what_waits_and_what_it_had_collected() {
    let mut letters = Receiver::new(1);
    let member = letters.endpoint().join("dropped", Limits::default());
    member.listen("e", 1, plain());
    member.listen("grouped", 2, in_group("g"));
    let (emitter, other) = (self::member(2, "dropped"), self::member(3, "dropped"));
    let mut emitted: Vec<_> = (0..100).map(|_| emit(&emitter, "e", b"")).collect();
    let _grouped = emit(&emitter, "grouped", b"");
    other.listen("grouped", 3, in_group("g"));
    let first = soon(letters.next()).await;
    drop(first);
    drop(letters);
    assert!(
        emitted
            .iter_mut()
            .all(|emitted| { emitted.outcome().unwrap().failures[0].cause == Cause::Gone })
    );
    assert_eq!(said(other.endpoint()), ["delivery grouped [3]", "exit of 1"]);
    assert_eq!(emit(&emitter, "e", b"").others, 0);
    assert_eq!(member.in_flight(), 0);
}
