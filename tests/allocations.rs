//! The cost of an event in things that can be counted on any machine: allocations, wakes, messages. The
//! bounds are above the measured numbers by less than one for each event. A test that fails tells that
//! something was added to the way of every event.
#![cfg(not(feature = "loom"))]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::{Dispatched, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::Report;
use parallel_event_bus::engine::payload::Content;

const EVENTS: usize = 10_000;
/// Of each event.
const PAYLOAD: &[u8] = &[7; 64];

/// An event that nobody waits for, for each member: room for many events is taken at once.
const PER_PUBLISHED: f64 = 0.05;
/// One that is waited for, with its outcome, to one member.
const PER_AWAITED: f64 = 6.5;
/// Number of allocations that each member more adds to that.
const PER_MEMBER: f64 = 0.5;
/// Messages of a burst to one member: each has room for some hundred events.
const MESSAGES: usize = 30;

/// The system's allocator, with a count for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it is the system's, which keeps the contract; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; every pointer is one of `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count() {
    // A thread that ends may free its memory after its count is gone.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread for each event, once everything has the size that it needs.
fn per_event(mut deliver: impl FnMut()) -> f64 {
    deliver();
    let before = ALLOCATIONS.get();
    deliver();
    (ALLOCATIONS.get() - before) as f64 / EVENTS as f64
}

/// An emitter, and members that listen to `e`.
fn audience(channel: &str, members: u32) -> (Arc<Member>, Vec<Arc<Member>>) {
    let listening: Vec<_> = (1..=members).map(|thread| member(thread, channel)).collect();
    listening.iter().for_each(|each| each.listen("e", 1, plain()));
    (member(0, channel), listening)
}

/// Reads and settles all messages. Returns their number.
fn settle(listening: &[Arc<Member>], messages: &mut Vec<Message>) -> usize {
    for each in listening {
        while each.endpoint().collect(EVENTS, messages) {}
    }
    let read = messages.len();
    for message in messages.drain(..) {
        match message {
            Message::Batch(mut batch) => batch.settle(0, batch.len(), 0),
            Message::Delivery(delivery) => {
                assert!(delivery.start());
                delivery.succeed(0, None);
            }
            _ => panic!("something was lost"),
        }
    }
    read
}

fn allocations_of_awaited(channel: &str, members: u32) -> f64 {
    let (emitter, listening) = audience(channel, members);
    let route = emitter.channel().route("e");
    let mut messages = Vec::new();
    per_event(|| {
        for _ in 0..EVENTS {
            let emission = Emission {
                payload: Some(Content::Lent(PAYLOAD)),
                request: false,
                timeout: None,
                cancellable: false,
                key: None,
                report: Report::Message(1),
            };
            assert!(matches!(route.dispatch(&emitter, emission), Dispatched::To { .. }));
            settle(&listening, &mut messages);
            while emitter.endpoint().collect(1, &mut messages) {}
            let Some(Message::Notice(Notice::Settled { outcome, .. })) = messages.pop() else {
                panic!("no outcome")
            };
            assert_eq!(outcome.success, members);
        }
    })
}

#[test]
fn an_untracked_event_allocates_nothing_of_its_own_however_many_members_hear_it() {
    for members in [1, 4] {
        let (emitter, listening) = audience(&format!("published to {members}"), members);
        let route = emitter.channel().route("e");
        let mut messages = Vec::new();
        let allocations = per_event(|| {
            for _ in 0..EVENTS {
                assert_eq!(route.publish(&emitter, Some(PAYLOAD)), Published::To(members));
            }
            settle(&listening, &mut messages);
        });
        assert!(
            allocations <= PER_PUBLISHED * f64::from(members),
            "{allocations} for an event to {members}"
        );
    }
}

#[test]
fn an_awaited_event_allocates_so_often_and_so_much_more_for_each_member() {
    let one = allocations_of_awaited("awaited by one", 1);
    assert!(one <= PER_AWAITED, "{one} for an event");
    let four = allocations_of_awaited("awaited by four", 4);
    assert!(four <= one + 3.0 * PER_MEMBER, "{four} for an event to four, {one} to one");
}

#[test]
fn a_burst_is_one_wake_and_a_few_messages() {
    let waker = Waker::default();
    let endpoint = Endpoint::new(1, Arc::new(waker.clone()));
    let listening = [endpoint.join("burst", MailboxLimits::default())];
    listening[0].listen("e", 1, plain());
    let emitter = member(0, "burst");
    let route = emitter.channel().route("e");
    for _ in 0..EVENTS {
        assert_eq!(route.publish(&emitter, Some(PAYLOAD)), Published::To(1));
    }
    assert_eq!(waker.wakes(), 1);
    let messages = settle(&listening, &mut Vec::new());
    assert!(messages <= MESSAGES, "{messages} messages");
}
