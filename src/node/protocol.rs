//! Every number and layout that Rust and JavaScript both know. `lib/channel/protocol.js` is the twin page, and a
//! test compares the two.
//!
//! # Messages
//!
//! `read` writes messages into words of 32 bits, one behind the other. The first word has the flags [`MORE_TO_READ`] and
//! [`HAS_OFFERS`].
//! Each message is a record that begins with its kind:
//!
//! | kind            | words that follow                                                                         |
//! | --------------- | ----------------------------------------------------------------------------------------- |
//! | [`BATCH`]       | handle, endpoint of the emitter, number of events; then the events, as below              |
//! | [`DELIVERY`]    | flags, handle, endpoint of the emitter, its token or 0, number of listeners; ids, payload |
//! | [`SETTLED`]     | token, successes, number of failures; the failures, 1 and the reply or 0                  |
//! | [`LOST`]        | member, flags, failure, detail, listeners, times, thread or 0; name?, payload?            |
//! | [`FORGET`]      | listener                                                                                  |
//! | [`THREAD_EXIT`] | member, thread                                                                            |
//! | [`STALL`]       | member, thread, messages that wait there, milliseconds                                    |
//! | [`DRAINED`]     | member                                                                                    |
//! | [`LISTENING`]   | member                                                                                    |
//! | [`TRACE`]       |                                                                                           |
//! | [`OVER`]        | token, kind of failure, detail; and the reason, if it [`THREW`]                           |
//! | [`NEWS`]        | member, kind of news, number                                                              |
//!
//! A failure within [`SETTLED`] is: listeners, thread, kind of failure, detail; and the error, if it [`THREW`].
//! The name is left out of a loss with [`LOST_VARIOUS`], its payload where it is [`LOST_COUNTED`].
//!
//! Names, payloads, replies and errors are bytes: their number, then the bytes, padded to whole words. Where
//! JavaScript has no memory for a message, its bytes are left out, and their number is 0.
//!
//! A payload that is long lies [`APART`], and so does a reply. JavaScript takes that of an event when it starts the
//! listeners. Behind the mark are: for a delivery, the first byte; for a reply or a loss, the index to take it by.
//!
//! A batch of two events, of which the first has two listeners and 5 bytes, the second one listener and none:
//!
//! ```text
//!  kind  handle endpoint events | count  id     id     bytes  payload       | count  id     bytes
//! ┌──────┬──────┬──────┬──────┬─┼──────┬──────┬──────┬──────┬──────┬──────┬─┼──────┬──────┬──────┐
//! │  1   │  h   │  e   │  2   │ │  2   │  7   │  9   │  5   │ abcd │ e000 │ │  1   │  7   │  0   │
//! └──────┴──────┴──────┴──────┴─┼──────┴──────┴──────┴──────┴──────┴──────┴─┼──────┴──────┴──────┘
//! ```
//!
//! # Burst records
//!
//! In a burst JavaScript writes events down in words that it has lent, and their payloads, one behind the
//! other, in bytes that it has lent:
//!
//! ```text
//!  BURST_COUNT   BURST_FIRST          + BURST_RECORD
//! ┌─────┬───────┬───────┬───────┬─────┬───────┬───────┬─────┬─
//! │count│genera-│ route │ start │ end │ route │ start │ end │ …
//! │     │ tion  │       │       │     │       │       │     │
//! └─────┴───────┴───────┴───┼───┴──┼──┴───────┴───┼───┴──┼──┴─
//!                           ▼      ▼              ▼      ▼
//!                   bytes:  payload of the first  payload of the second  …
//! ```
//!
//! JavaScript writes a record first and adds to the count then, atomically. The engine adds to the generation
//! whenever listeners have changed.

#![cfg_attr(not(all(feature = "cluster", unix)), allow(dead_code, reason = "links are left out"))]

// Kinds of messages.
/// Untracked events of one member for another.
pub const BATCH: u32 = 1;
/// One tracked event for listeners of one member.
pub const DELIVERY: u32 = 2;
/// The outcome of an awaited dispatch.
pub const SETTLED: u32 = 3;
/// Events of a member that did not get to the end of some listeners.
pub const LOST: u32 = 4;
/// The id of a removed listener is free.
pub const FORGET: u32 = 5;
/// Another thread has ended.
pub const THREAD_EXIT: u32 = 6;
/// Another thread has not looked into its mailbox for a while.
pub const STALL: u32 = 7;
/// Members of other threads have room again.
pub const DRAINED: u32 = 8;
/// Somebody has begun to listen to an event for which a member waited.
pub const LISTENING: u32 = 9;
/// The process begins to write a trace.
pub const TRACE: u32 = 10;
/// Nobody waits any more for listeners that are running, and want to know.
pub const OVER: u32 = 11;
/// Something has happened to the link of a channel to other processes.
pub const NEWS: u32 = 12;

// Kinds of news of the other processes.
/// A process has joined; its number.
pub const NEWS_PEER_JOIN: u32 = 1;
/// A process is gone; its number.
pub const NEWS_PEER_EXIT: u32 = 2;
/// The state of the link has changed, or something is wrong; the state, and above its bits the number of the trouble.
pub const NEWS_LINK_STATE: u32 = 3;

// States of a link.
/// It carries events.
pub const LINK_UP: u32 = 0;
/// It carries nothing for now.
pub const LINK_AWAY: u32 = 1;
/// It is being closed.
pub const LINK_CLOSING: u32 = 2;
/// It is closed.
pub const LINK_CLOSED: u32 = 3;
/// Bits of a state.
pub const LINK_STATE_BITS: u32 = 2;

// News of a link, for the thread that has opened it.
/// It is up.
pub const LINK_NEWS_OPENED: u32 = 1;
/// It cannot be opened.
pub const LINK_NEWS_FAILED: u32 = 2;
/// All peers know the listeners here; the token.
pub const LINK_NEWS_SYNCED: u32 = 3;
/// Something is wrong.
pub const LINK_NEWS_WARNING: u32 = 4;
/// It is closed; the number of events that had not settled.
pub const LINK_NEWS_CLOSED: u32 = 5;

// Flags of a delivery.
/// The delivery has to be started before its listeners are called.
pub const DELIVERY_MUST_START: u32 = 1;
/// The value of the listener is wanted.
pub const DELIVERY_IS_REQUEST: u32 = 2;
/// The emitter awaits the outcome.
pub const DELIVERY_IS_AWAITED: u32 = 4;
/// The emitter is in another process.
pub const DELIVERY_IS_FOREIGN: u32 = 8;

// Flags of a loss.
/// The listeners had started.
pub const LOST_STARTED: u32 = 1;
/// The loss comes without a payload: it may stand for many.
pub const LOST_COUNTED: u32 = 2;
/// The loss stands for events of several names.
pub const LOST_VARIOUS: u32 = 4;

// Kinds of failure, each with the detail that follows it.
/// The listener threw; the detail is 0, and the error follows.
pub const THREW: u32 = 0;
/// The time was over; the detail is the timeout in milliseconds.
pub const TIMED_OUT: u32 = 1;
/// The mailbox was full; the detail is the number of events that it may hold.
pub const MAILBOX_FULL: u32 = 2;
/// The thread has ended; the detail is 0.
pub const THREAD_EXITED: u32 = 3;
/// There was no memory for the event; the detail is 0.
pub const NO_MEMORY: u32 = 4;
/// The mailbox was full; the detail is the number of bytes that it may hold, at most 2³² − 1.
pub const MAILBOX_FULL_BYTES: u32 = 5;
/// So many events waited for the members of a group as may; the detail is their number.
pub const QUEUE_FULL: u32 = 6;
/// The process is gone; the detail is 0 if the listener had not started, 1 if it had, 2 if nobody knows.
pub const PEER_GONE: u32 = 7;
/// The event is too large for another process; the detail is the number of bytes that it may have.
pub const TOO_LARGE: u32 = 8;

/// From this number on, threads are those of other processes.
pub const FIRST_FOREIGN_THREAD: u32 = 2147483648;

// Flags of `dispatch`.
/// One listener gets the event, and replies.
pub const DISPATCH_REQUEST: u32 = 1;
/// The emitter may cancel the dispatch.
pub const DISPATCH_CANCELLABLE: u32 = 2;
/// The emitter awaits the outcome.
pub const DISPATCH_AWAITED: u32 = 4;
/// The emitter hears when it has settled, and awaits nothing.
pub const DISPATCH_TOLD: u32 = 8;
/// The emitter will ask for the number that names the event.
pub const DISPATCH_NAMED: u32 = 16;

// Results of `publish` and `dispatch`: a number of listeners elsewhere, or one of these.
/// The event has listeners elsewhere and came without a payload.
pub const NEEDS_PAYLOAD: i32 = -1;
/// Events of this name have to be dispatched.
pub const NOT_PLAIN: i32 = -2;
/// Added where `own` has something to say.
pub const HAS_OWN: i32 = 1 << 30;
/// Added where the event may have gone to other buses of this thread.
pub const LOOPS_BACK: i32 = 1 << 29;

// Words of the burst records.
/// Number of records.
pub const BURST_COUNT: usize = 0;
/// Number of changes of listeners.
pub const BURST_GENERATION: usize = 1;
/// Where the first record is.
pub const BURST_FIRST: usize = 2;
/// Words of a record: route, start, end.
pub const BURST_RECORD: usize = 3;

/// Words of an acknowledged range of a batch: handle, first event, number of events, listeners that failed.
pub const ACK_WORDS: usize = 4;

/// In the place of a number of bytes: they lie apart.
pub const APART: u32 = 2147483647;

/// Number of bytes of the longest payload that is written down in a burst.
pub const BURST_LONGEST: usize = 16384;

// Messages that lie apart.
/// Bytes of the head into which they are read, if they are not long themselves.
pub const HEAD_BYTES: usize = 16384;

// Flags in the first word of what `read` writes.
/// The reader has to read again, soon.
pub const MORE_TO_READ: u32 = 1;
/// There may be something to take over: a thread that has nothing to do tries before it sleeps.
pub const HAS_OFFERS: u32 = 2;
