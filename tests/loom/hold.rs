//! Whether the event loop of a thread is held open: it may end when nothing is pending, and not before the
//! thread knows that.

use std::cell::Cell;
use std::sync::Arc;

use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Flush as _;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::hold::Hold;
use parallel_event_bus::engine::outcome::Report;

use crate::Waker;
use crate::burst::Script;
use crate::engine::{delivery, emit, end, listening, member, read, search};

/// A JS thread, as `src/node/thread.rs` and `lib/local/run-queue.js` have it.
struct Loop {
    hold: Hold,
    waker: Waker,
    member: Arc<Member>,
    is_held: Cell<bool>,
    /// How many drains there were, how many messages they read, and whether the last one saw that nothing is
    /// pending.
    drains: Cell<usize>,
    messages: Cell<usize>,
    is_idle: Cell<bool>,
}

impl Loop {
    fn new() -> Self {
        let waker = Waker::new();
        let member = member(1, &waker, MailboxLimits::default());
        Loop {
            hold: Hold::default(),
            waker,
            member,
            is_held: Cell::new(false),
            drains: Cell::new(0),
            messages: Cell::new(0),
            is_idle: Cell::new(false),
        }
    }

    fn set(&self) -> impl FnOnce(bool) -> Result<(), ()> {
        |hold| {
            assert!(self.is_held.replace(hold) != hold, "only a change is told");
            Ok(())
        }
    }

    fn is_pending(&self) -> impl FnOnce() -> bool {
        || self.member.pending() > 0
    }

    /// An event went to others.
    fn emitted(&self) {
        self.hold.hold(self.set()).unwrap();
    }

    /// An event waits for listeners of this thread.
    fn wake(&self) {
        self.emitted();
        assert!(self.member.endpoint().mailbox().wake());
    }

    fn review(&self) {
        let mailbox = self.member.endpoint().mailbox();
        self.hold.review(mailbox, self.is_pending(), self.set()).unwrap();
    }

    /// Another bus of the thread begins and ceases to ask for the loop.
    fn ref_and_unref(&self) {
        for ask in [true, false] {
            self.hold.ask(ask);
            self.review();
        }
    }

    /// Runs all turns that there are to be now. Returns false if the loop has ended: a wake that is on its
    /// way comes too late then.
    fn turn(&self) -> bool {
        let mailbox = self.member.endpoint().mailbox();
        while self.is_held.get() && self.waker.take() {
            let mut again = true;
            // A drain that has to read again does, with the loop held or not.
            while again {
                let mut messages = Vec::new();
                again = self.member.endpoint().collect(8, &mut messages);
                self.hold.looked(mailbox, self.is_pending(), self.set()).unwrap();
                self.messages.set(self.messages.get() + messages.len());
                drop(messages);
                self.drains.set(self.drains.get() + 1);
                self.is_idle.set(self.member.is_idle());
            }
        }
        self.is_held.get()
    }
}

/// Deals with all that has come to a member.
fn settle(of: &Arc<Member>) {
    for message in read(of.endpoint()) {
        if let Message::Batch(mut batch) = message {
            batch.settle(0, batch.len(), 0);
        }
    }
}

#[test]
fn a_loop_does_not_end_before_its_thread_has_read_what_became_of_its_event_and_does_then() {
    search(|| {
        let js = Loop::new();
        let other = listening(2, None, 9);
        emit(&js.member, Report::Message(1));
        js.emitted();
        let delivery = delivery(&other);
        let settling = thread::spawn(move || delivery.succeed(0, None));
        // So that a look may come before the message.
        js.wake();
        js.ref_and_unref();
        let is_alive = js.turn();
        settling.join().unwrap();
        assert!(!(is_alive && js.turn()), "nothing is left to wait for");
        assert_eq!((js.messages.get(), js.is_idle.get()), (1, true));
        end(&[&js.member, &other]);
    });
}

#[test]
fn so_it_is_where_no_message_tells_that_nothing_is_pending() {
    search(|| {
        let js = Loop::new();
        let other = listening(2, None, 9);
        let mut script = Script::new(&js.member);
        script.cross(1);
        js.emitted();
        let settling = {
            let other = other.clone();
            thread::spawn(move || settle(&other))
        };
        js.ref_and_unref();
        let is_alive = js.turn();
        settling.join().unwrap();
        assert!(!(is_alive && js.turn()), "nothing is left to wait for");
        assert!(
            js.is_idle.get(),
            "it ended with an event pending, or without a turn to tell of it"
        );
        script.burst.end();
        end(&[&js.member, &other]);
    });
}

#[test]
fn so_it_is_for_what_was_written_down_and_sent_by_another_thread() {
    search(|| {
        let js = Loop::new();
        let other = listening(2, None, 9);
        let mut script = Script::new(&js.member);
        script.cross(1);
        js.emitted();
        // Nothing is pending then.
        settle(&other);
        script.emit(2);
        let others = {
            let (burst, other) = (script.burst.clone(), other.clone());
            thread::spawn(move || {
                burst.flush();
                settle(&other);
            })
        };
        js.ref_and_unref();
        script.burst.close();
        js.review();
        let is_alive = js.turn();
        others.join().unwrap();
        settle(&other);
        assert!(!(is_alive && js.turn()), "nothing is left to wait for");
        assert!(
            js.is_idle.get(),
            "it ended with an event pending, or without a turn to tell of it"
        );
        assert_eq!(js.member.pending(), 0);
        script.burst.end();
        end(&[&js.member, &other]);
    });
}

#[test]
fn a_loop_with_an_event_for_its_own_listeners_does_not_end_before_they_are_called() {
    search(|| {
        let js = Loop::new();
        js.member.listen("e", 1, Default::default());
        let other = listening(2, None, 9);
        let emitting = {
            let other = other.clone();
            thread::spawn(move || {
                other.channel().route("e").publish(&other, Some(b""));
            })
        };
        // An earlier turn.
        js.turn();
        let drains = js.drains.get();
        js.wake();
        js.ref_and_unref();
        let is_alive = js.turn();
        emitting.join().unwrap();
        assert!(!(is_alive && js.turn()), "nothing is left to wait for");
        assert!(js.drains.get() > drains, "no drain has called them");
        end(&[&js.member, &other]);
    });
}
