//! Payloads for which there is no memory: an allocator refuses large requests.
#![cfg(not(feature = "loom"))]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::{Dispatched, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::{FailureKind, Lost, Report};
use parallel_event_bus::engine::payload::{Content, try_copy};

const LARGE: usize = 1 << 20;

/// The system's allocator, which has no more than so much at once for the thread of a test.
struct Limited;

thread_local! {
    static MOST: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn fits(size: usize) -> bool {
    MOST.try_with(|most| size <= most.get()).unwrap_or(true)
}

// SAFETY: it is the system's, which keeps the contract, or says that there is no memory.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        if fits(layout.size()) { unsafe { System.alloc(layout) } } else { null_mut() }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; every pointer is one of `System`.
        if fits(size) { unsafe { System.realloc(pointer, layout, size) } } else { null_mut() }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Limited = Limited;

/// Returns the result of `act` where there is no memory for anything large.
fn with_little<T>(act: impl FnOnce() -> T) -> T {
    MOST.set(LARGE / 2);
    let result = act();
    MOST.set(usize::MAX);
    result
}

/// An emitter, and two members that listen to `e`.
fn audience(channel: &str) -> (Arc<Member>, [Arc<Member>; 2]) {
    let listening = [1, 2].map(|thread| member(thread, channel));
    listening.iter().for_each(|each| each.listen("e", 1, plain()));
    (member(0, channel), listening)
}

fn losses(of: &Member) -> Vec<Lost> {
    let losses = read(of.endpoint()).into_iter().map(|message| match message {
        Message::Notice(Notice::Lost { lost, .. }) => *lost,
        _ => panic!("something else"),
    });
    losses.collect()
}

#[test]
fn an_untracked_event_for_which_there_is_no_memory_is_refused_and_told_and_takes_no_room() {
    let (emitter, listening) = audience("published");
    let route = emitter.channel().route("e");
    let large = vec![7; LARGE];
    assert_eq!(route.publish(&emitter, Some(b"before")), Published::To(2));
    let payloads: [&[u8]; 3] = [b"small", &large, b"behind"];
    assert_eq!(with_little(|| publish_all(&route, &emitter, &payloads)), Published::To(2));
    for each in &listening {
        assert_eq!(each.capacity().events(), 3);
        let messages = read(each.endpoint());
        let heard = messages.iter().flat_map(|message| match message {
            Message::Batch(batch) => (0..batch.len()).map(|at| batch.event(at).unwrap().2.to_vec()),
            _ => panic!("something else"),
        });
        assert_eq!(heard.collect::<Vec<_>>(), [b"before".as_slice(), b"small", b"behind"]);
        drop(messages);
        assert_eq!((each.capacity().events(), each.in_flight()), (0, 0));
    }
    let losses = with_little(|| losses(&emitter));
    let refused: Vec<_> = losses.iter().filter(|lost| lost.kind == FailureKind::NoMemory).collect();
    assert_eq!(refused.len(), 2);
    // There was none to tell of it either.
    assert!(refused.iter().all(|lost| lost.payload.is_none() && lost.count == 1));
    assert_eq!((emitter.pending(), emitter.addressed()), (0, 8));
    // When there is, it goes.
    assert_eq!(route.publish(&emitter, Some(&large)), Published::To(2));
    for each in &listening {
        assert_eq!(batches(each.endpoint())[0].event(0).unwrap().2.len(), LARGE);
    }
}

#[test]
fn an_emission_for_which_there_is_no_memory_has_not_happened() {
    let (emitter, listening) = audience("emitted");
    listening[0].listen("e", 2, once());
    let large = vec![7; LARGE];
    let emission = || Emission {
        payload: Some(Content::Lent(&large)),
        request: false,
        timeout: Some(3_600_000),
        cancellable: false,
        key: None,
        report: Report::Message(1),
    };
    let route = emitter.channel().route("e");
    assert!(matches!(with_little(|| route.dispatch(&emitter, emission())), Dispatched::NoMemory));
    assert_eq!((emitter.pending(), emitter.addressed()), (0, 0));
    assert!(listening.iter().all(|each| each.capacity().events() == 0));
    // The listener that wants one event was not claimed.
    let Dispatched::To { others, dispatch, .. } = route.dispatch(&emitter, emission()) else {
        panic!()
    };
    assert_eq!(others, 3);
    assert_eq!(dispatch.unwrap().payload().len(), LARGE);
    listening.iter().for_each(|each| drop(read(each.endpoint())));
    assert_eq!(emitter.pending(), 0);
}

#[test]
fn an_event_that_is_lost_is_told_of_without_its_payload_if_there_is_no_memory_for_that() {
    let (emitter, listening) = audience("lost");
    let route = emitter.channel().route("e");
    let large = vec![7; LARGE];
    route.publish(&emitter, Some(&large));
    let messages = listening.each_ref().map(|each| read(each.endpoint()));
    with_little(|| drop(messages));
    let lost = losses(&emitter);
    assert!(
        lost.iter().all(|lost| (&lost.kind, &lost.payload) == (&FailureKind::ThreadExited, &None))
    );
    assert_eq!((lost.len(), emitter.pending()), (2, 0));
}

#[test]
fn a_copy_is_not_made_where_there_is_no_memory() {
    let large = vec![7; LARGE];
    assert_eq!(with_little(|| try_copy(&large)), None);
    assert_eq!(try_copy(&large), Some(large));
    assert_eq!(with_little(|| try_copy(b"few")).as_deref(), Some(b"few".as_slice()));
}
