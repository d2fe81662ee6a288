//! Messages as JavaScript reads them: a batch of records in one array of 32-bit words.
//!
//! [`protocol`](super::protocol) says how they are laid out.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::protocol::{
    APART, BATCH, DELIVERY, DELIVERY_IS_AWAITED, DELIVERY_IS_FOREIGN, DELIVERY_IS_REQUEST,
    DELIVERY_MUST_START, DRAINED, FORGET, HAS_OFFERS, LISTENING, LOST, LOST_COUNTED, LOST_STARTED,
    LOST_VARIOUS, MAILBOX_FULL, MAILBOX_FULL_BYTES, MORE_TO_READ, NEWS, NO_MEMORY, OVER, PEER_GONE,
    QUEUE_FULL, SETTLED, STALL, THREAD_EXIT, THREAD_EXITED, THREW, TIMED_OUT, TOO_LARGE, TRACE,
};
use super::thread::{Thread, shrink};
use crate::engine::capacity::Bound;
use crate::engine::channel::Batch;
use crate::engine::channel::Delivery;
use crate::engine::channel::message::{Message, Notice};
use crate::engine::delivery::batch::{self, words_of};
use crate::engine::ids::MemberId;
use crate::engine::outcome::{FailureKind, Lost, Outcome, Started};
use crate::engine::payload::Payload;

/// Words of a batch are read as the engine has written them.
const _: () = assert!(APART == batch::APART);

/// Writes as many messages as fit, all notices first, and no more than `room` events for listeners, unless
/// it is the rest of a batch. Returns the number of words that were written, or, where not even the
/// first message fits, the negative number of words that are needed. The first word says whether the caller
/// has to read again.
pub fn read(thread: &Thread, out: &mut [u32], room: u32) -> i32 {
    let found = thread.look();
    let queues = [&thread.notices, &thread.loopback, &thread.unread];
    write_all(thread, &queues, found, out, room as usize)
}

/// Writes messages with events of this thread for other buses of it, as [`read`], however many. It is no look.
pub fn read_loopback(thread: &Thread, out: &mut [u32]) -> i32 {
    thread.take_early();
    write_all(thread, &[&thread.loopback], false, out, usize::MAX)
}

fn write_all(
    thread: &Thread,
    queues: &[&RefCell<VecDeque<Message>>],
    must_read_again: bool,
    out: &mut [u32],
    mut room: usize,
) -> i32 {
    if out.is_empty() {
        return -1;
    }
    // Nothing more is taken of the last read.
    thread.apart.borrow_mut().clear();
    let mut words = Words { out, used: 1, are_stripped: thread.strips.take() };
    while let Some(queue) = queues.iter().find(|queue| !queue.borrow().is_empty()) {
        let mut queue = queue.borrow_mut();
        let Some(message) = queue.pop_front() else { break };
        if message.is_over() {
            continue;
        }
        let (size, events) = (size_of(&message, words.are_stripped), message.events());
        let fits = words.used + size <= words.out.len();
        if !fits || (events > 0 && room == 0) {
            queue.push_front(message);
            if !fits && words.used == 1 {
                return -to_length(size + 1);
            }
            break;
        }
        drop(queue);
        room = room.saturating_sub(events);
        write(thread, message, &mut words);
        words.are_stripped = false;
    }
    queues.iter().for_each(|queue| shrink(&mut queue.borrow_mut()));
    words.out[0] = if must_read_again { MORE_TO_READ } else { 0 };
    if thread.endpoint.has_offers() {
        words.out[0] |= HAS_OFFERS;
    }
    to_length(words.used)
}

struct Words<'a> {
    out: &'a mut [u32],
    used: usize,
    /// True if the payloads of the message are left out.
    are_stripped: bool,
}

impl Words<'_> {
    fn put(&mut self, word: u32) {
        self.out[self.used] = word;
        self.used += 1;
    }

    fn put_all(&mut self, words: &[u32]) {
        self.out[self.used..self.used + words.len()].copy_from_slice(words);
        self.used += words.len();
    }

    /// A payload, or its index among those that lie apart.
    fn put_notice(&mut self, thread: &Thread, payload: Payload) {
        if !payload.lies_apart() {
            return self.put_payload(&payload);
        }
        let mut apart = thread.apart.borrow_mut();
        self.put_all(&[APART, to_word(apart.len())]);
        apart.push(Some(payload));
    }

    fn put_payload(&mut self, bytes: &[u8]) {
        self.put_bytes(if self.are_stripped { &[] } else { bytes });
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(to_word(bytes.len()));
        for word in words_of(bytes) {
            self.put(word);
        }
    }
}

/// Returns an upper bound, in words.
fn size_of(message: &Message, is_stripped: bool) -> usize {
    let words_for = |bytes: &[u8]| 1 + if is_stripped { 0 } else { bytes.len().div_ceil(4) };
    let words_for_payload =
        |payload: &Payload| if payload.lies_apart() { 2 } else { words_for(payload) };
    match message {
        Message::Batch(batch) if is_stripped => {
            5 + (0..batch.len()).map(|event| 2 + batch.listeners(event).len()).sum::<usize>()
        }
        Message::Batch(batch) => 5 + batch.words().len(),
        Message::Delivery(delivery) => {
            let dispatch = delivery.dispatch();
            let is_elsewhere = is_stripped || dispatch.lies_apart();
            let payload = if is_elsewhere { 0 } else { dispatch.size().div_ceil(4) };
            8 + delivery.listeners().len() + payload
        }
        Message::Notice(Notice::Settled { outcome, .. }) => {
            let failures = outcome.failures.iter().map(|failure| match &failure.kind {
                FailureKind::Threw(error) => 6 + words_for(error),
                _ => 7,
            });
            5 + failures.sum::<usize>() + outcome.reply.as_ref().map_or(0, words_for_payload)
        }
        Message::Notice(Notice::Lost { lost, .. }) => {
            let name = lost.event.as_deref().map_or(0, |event| 1 + event.len().div_ceil(4));
            9 + name + lost.payload.as_ref().map_or(0, words_for_payload)
        }
        Message::Notice(Notice::Over { kind: FailureKind::Threw(reason), .. }) => {
            4 + words_for(reason)
        }
        _ => 8,
    }
}

fn write(thread: &Thread, message: Message, words: &mut Words<'_>) {
    match message {
        Message::Batch(batch) => write_batch(thread, batch, words),
        Message::Delivery(delivery) => write_delivery(thread, delivery, words),
        Message::Notice(Notice::Settled { token, outcome, .. }) => {
            thread.take_cancellable(token);
            words.put_all(&[SETTLED, token]);
            write_outcome(thread, outcome, words);
        }
        Message::Notice(Notice::Lost { emitter, lost, .. }) => {
            write_lost(thread, emitter, *lost, words);
        }
        // Others came in its place.
        Message::Notice(Notice::Losses(_)) => {}
        Message::Notice(Notice::Forget(listener)) => words.put_all(&[FORGET, listener]),
        Message::Notice(Notice::ThreadExit { member, thread }) => {
            words.put_all(&[THREAD_EXIT, member.as_u32(), thread]);
        }
        Message::Notice(Notice::Stall(stall)) => {
            let member = stall.member().as_u32();
            words.put_all(&[STALL, member, stall.thread, stall.waiting, stall.ms]);
        }
        Message::Notice(Notice::Drained(member)) => words.put_all(&[DRAINED, member.as_u32()]),
        Message::Notice(Notice::Trace) => words.put(TRACE),
        Message::Notice(Notice::Listening(member)) => words.put_all(&[LISTENING, member.as_u32()]),
        Message::Notice(Notice::Over { token, kind }) => {
            let (number, detail) = wire_of(&kind);
            words.put_all(&[OVER, token, number, detail]);
            if let FailureKind::Threw(reason) = &kind {
                words.put_payload(reason);
            }
        }
        Message::Notice(Notice::News { member, what, number }) => {
            words.put_all(&[NEWS, member.as_u32(), what, number]);
        }
        // For endpoints that are no JS threads.
        Message::Notice(Notice::Step { .. } | Notice::Cancelled(_)) => {}
    }
}

fn write_batch(thread: &Thread, batch: Batch, words: &mut Words<'_>) {
    words.put_all(&[BATCH, 0, batch.emitter().endpoint().id(), to_word(batch.len())]);
    let handle_at = words.used - 3;
    if words.are_stripped {
        for event in 0..batch.len() {
            let listeners = batch.listeners(event);
            words.put(to_word(listeners.len()));
            words.put_all(listeners);
            words.put(if batch.lies_apart(event) { APART } else { 0 });
        }
    } else {
        words.put_all(batch.words());
    }
    words.out[handle_at] = to_word(thread.batches.borrow_mut().insert(batch));
}

fn write_delivery(thread: &Thread, delivery: Delivery, words: &mut Words<'_>) {
    let mut flags = 0;
    if delivery.must_start() {
        flags |= DELIVERY_MUST_START;
    }
    if delivery.is_request() {
        flags |= DELIVERY_IS_REQUEST;
    }
    if delivery.token().is_some() {
        flags |= DELIVERY_IS_AWAITED;
    }
    if delivery.emitter().endpoint().is_ghost() {
        flags |= DELIVERY_IS_FOREIGN;
    }
    let listeners = delivery.listeners();
    let count = to_word(listeners.len());
    words.put_all(&[DELIVERY, flags]);
    let handle_at = words.used;
    let token = delivery.token().unwrap_or_default();
    words.put_all(&[0, delivery.emitter().endpoint().id(), token, count]);
    words.put_all(listeners);
    if delivery.dispatch().lies_apart() {
        let first = delivery.dispatch().read_payload(|payload| payload.first().copied());
        words.put_all(&[APART, first.map_or(0, u32::from)]);
    } else {
        delivery.dispatch().read_payload(|payload| words.put_payload(payload));
    }
    words.out[handle_at] = to_word(thread.deliveries.borrow_mut().insert(delivery));
}

fn write_lost(thread: &Thread, emitter: MemberId, lost: Lost, words: &mut Words<'_>) {
    let (kind, detail) = wire_of(&lost.kind);
    let mut flags = if lost.started { LOST_STARTED } else { 0 };
    if lost.payload.is_none() {
        flags |= LOST_COUNTED;
    }
    if lost.event.is_none() {
        flags |= LOST_VARIOUS;
    }
    words.put_all(&[LOST, emitter.as_u32(), flags, kind, detail, lost.listeners]);
    words.put_all(&[lost.count, lost.thread.unwrap_or_default()]);
    if let Some(event) = &lost.event {
        words.put_bytes(event.as_bytes());
    }
    if let Some(payload) = lost.payload {
        words.put_notice(thread, payload);
    }
}

fn write_outcome(thread: &Thread, outcome: Outcome, words: &mut Words<'_>) {
    let failures = to_word(outcome.failures.len());
    words.put_all(&[outcome.success, failures]);
    for failure in &outcome.failures {
        let (kind, detail) = wire_of(&failure.kind);
        words.put_all(&[failure.listeners, failure.thread, kind, detail]);
        if let FailureKind::Threw(error) = &failure.kind {
            words.put_payload(error);
        }
    }
    match outcome.reply {
        None => words.put(0),
        Some(reply) => {
            words.put(1);
            words.put_notice(thread, reply);
        }
    }
}

fn wire_of(kind: &FailureKind) -> (u32, u32) {
    match kind {
        FailureKind::Threw(_) => (THREW, 0),
        FailureKind::TimedOut(ms) => (TIMED_OUT, *ms),
        FailureKind::MailboxFull(Bound::Messages(most)) => (MAILBOX_FULL, saturated(*most)),
        FailureKind::MailboxFull(Bound::Bytes(most)) => (MAILBOX_FULL_BYTES, saturated(*most)),
        FailureKind::MailboxFull(Bound::Queue(most)) => (QUEUE_FULL, saturated(*most)),
        FailureKind::ThreadExited => (THREAD_EXITED, 0),
        FailureKind::NoMemory => (NO_MEMORY, 0),
        FailureKind::PeerGone(Started::No) => (PEER_GONE, 0),
        FailureKind::PeerGone(Started::Yes) => (PEER_GONE, 1),
        FailureKind::PeerGone(Started::Unknown) => (PEER_GONE, 2),
        FailureKind::TooLarge(most) => (TOO_LARGE, saturated(*most)),
    }
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn to_word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn to_length(words: usize) -> i32 {
    i32::try_from(words).unwrap_or(i32::MAX)
}
