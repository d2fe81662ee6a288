//! Events that are written down and not flushed. Three threads know of them: the one that emits, that of the
//! timers, and one that changes the listeners.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::burst::{self, Burst};
use parallel_event_bus::engine::channel::endpoint::Flush as _;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::{ListenerOptions, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::Report;
use parallel_event_bus::engine::payload::Content;

use crate::Waker;
use crate::engine::{end, listening, member, read, search};

/// Payloads of one byte, which is their place here.
static PAYLOADS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
const ROOM: usize = 3;

/// Memory that a JS thread has lent. Loom fails where one thread writes while another one reads.
struct Memory {
    count: AtomicUsize,
    changes: AtomicUsize,
    records: [UnsafeCell<usize>; ROOM],
}

// SAFETY: loom is to find out whether it is.
unsafe impl Sync for Memory {}

#[derive(Default)]
pub(crate) struct Records(Option<Arc<Memory>>);

impl burst::Records for Records {
    fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |memory| memory.count.load(Ordering::Acquire))
    }

    fn clear(&self) {
        if let Some(memory) = &self.0 {
            memory.count.store(0, Ordering::Relaxed);
        }
    }

    fn get(&self, index: usize) -> Option<(usize, &[u8])> {
        // SAFETY: loom fails if it is written meanwhile.
        let payload = self.0.as_ref()?.records[index].with(|record| unsafe { *record });
        Some((0, &PAYLOADS[payload..=payload]))
    }

    fn invalidate(&self) {
        if let Some(memory) = &self.0 {
            memory.changes.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// A JS thread in a burst of `e`, as `lib/channel/publisher.js` and `lib/channel/burst.js` have it.
pub(crate) struct Script {
    pub(crate) burst: Arc<Burst<Records>>,
    memory: Arc<Memory>,
    /// To how many the last event went that crossed, and how often listeners had changed then.
    others: u32,
    changes: usize,
}

impl Script {
    pub(crate) fn new(emitter: &Arc<Member>) -> Self {
        let memory = Arc::new(Memory {
            count: AtomicUsize::new(0),
            changes: AtomicUsize::new(0),
            records: [(); ROOM].map(|()| UnsafeCell::new(0)),
        });
        let burst = Arc::new(Burst::<Records>::default());
        {
            let mut flushed = burst.flush_all();
            flushed.records().0 = Some(memory.clone());
            flushed.routes().insert((emitter.clone(), emitter.channel().route("e")));
        }
        emitter.endpoint().set_burst(burst.clone());
        Script { burst, memory, others: 0, changes: 0 }
    }

    fn changes(&self) -> usize {
        // As JavaScript reads it.
        self.memory.changes.load(Ordering::Relaxed)
    }

    /// Returns to how many listeners it goes, as all that emit.
    pub(crate) fn cross(&mut self, payload: usize) -> u32 {
        self.changes = self.changes();
        let mut flushed = self.burst.flush_all();
        let (member, route) = &flushed.routes()[0];
        let payload = Some(&PAYLOADS[payload..=payload]);
        self.others = match route.publish(member, payload) {
            Published::To(others) => others,
            Published::NeedsPayload => unreachable!(),
            Published::NotPlain => {
                let (request, timeout, cancellable) = (false, None, false);
                let payload = payload.map(Content::Lent);
                let emission = Emission {
                    payload,
                    request,
                    timeout,
                    cancellable,
                    key: None,
                    report: Report::None,
                };
                route.dispatch(member, emission);
                // The next one crosses, too.
                0
            }
        };
        self.others
    }

    pub(crate) fn emit(&mut self, payload: usize) -> u32 {
        if self.others == 0 || self.changes != self.changes() {
            return self.cross(payload);
        }
        let count = self.memory.count.load(Ordering::Relaxed);
        // SAFETY: loom fails if somebody reads it meanwhile.
        self.memory.records[count].with_mut(|record| unsafe { *record = payload });
        self.memory.count.store(count + 1, Ordering::Release);
        if count + 1 == ROOM {
            drop(self.burst.flush_all());
        }
        self.others
    }
}

/// Returns the events that have come to a member, all of them dealt with.
fn heard(of: &Arc<Member>) -> Vec<u8> {
    let mut payloads = Vec::new();
    for message in read(of.endpoint()) {
        match message {
            Message::Batch(mut batch) => {
                let events = 0..batch.len();
                payloads.extend(events.map(|index| batch.event(index).unwrap().2[0]));
                batch.settle(0, batch.len(), 0);
            }
            Message::Delivery(delivery) => {
                payloads.push(delivery.payload()[0]);
                (0..2).for_each(|index| delivery.succeed(index, None));
            }
            _ => {}
        }
    }
    payloads
}

/// The thread of the timers looks so often.
fn looks(script: &Script, times: usize) -> thread::JoinHandle<()> {
    let burst = script.burst.clone();
    thread::spawn(move || (0..times).for_each(|_| burst.flush()))
}

#[test]
fn what_was_written_down_is_sent_once_in_order_and_not_written_over() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let mut script = Script::new(&emitter);
        let timers = looks(&script, 2);
        assert_eq!(script.cross(1), 1);
        script.emit(2);
        script.emit(3);
        script.cross(4);
        // In the place of 2.
        script.emit(5);
        timers.join().unwrap();
        script.burst.close();
        assert_eq!(heard(&other), [1, 2, 3, 4, 5]);
        assert_eq!((emitter.pending(), emitter.addressed()), (0, 5));
        script.burst.end();
        end(&[&emitter, &other]);
    });
}

#[test]
fn what_was_emitted_before_a_listener_goes_is_sent_before() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let mut script = Script::new(&emitter);
        script.cross(1);
        script.emit(2);
        let is_gone = Arc::new(AtomicUsize::new(0));
        let changer = {
            let (other, is_gone) = (other.clone(), is_gone.clone());
            thread::spawn(move || {
                let _comes = other.unlisten(1);
                is_gone.store(1, Ordering::Release);
            })
        };
        let timers = looks(&script, 1);
        let is_after = is_gone.load(Ordering::Acquire) == 1;
        let others = script.emit(3);
        changer.join().unwrap();
        timers.join().unwrap();
        script.burst.close();
        let heard = heard(&other);
        assert!(heard.starts_with(&[1, 2]), "emitted before: {heard:?}");
        assert!(!is_after || (others, heard.len()) == (0, 2), "emitted after");
        assert_eq!(emitter.pending(), 0);
        script.burst.end();
        end(&[&emitter, &other]);
    });
}

#[test]
fn who_begins_to_listen_gets_what_is_emitted_from_then_on() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let late = member(3, &Waker::new(), MailboxLimits::default());
        let mut script = Script::new(&emitter);
        script.cross(1);
        let listens = Arc::new(AtomicUsize::new(0));
        let changer = {
            let (late, listens) = (late.clone(), listens.clone());
            thread::spawn(move || {
                late.listen("e", 1, ListenerOptions::default());
                listens.store(1, Ordering::Release);
            })
        };
        let is_after = listens.load(Ordering::Acquire) == 1;
        let others = script.emit(2);
        changer.join().unwrap();
        script.burst.close();
        assert_eq!(heard(&other), [1, 2]);
        let late_heard = heard(&late);
        assert!(late_heard.is_empty() || late_heard == [2]);
        assert!(!is_after || (others, late_heard.len()) == (2, 1));
        assert_eq!(emitter.pending(), 0);
        script.burst.end();
        end(&[&emitter, &other, &late]);
    });
}

#[test]
fn who_begins_to_listen_in_another_way_keeps_nobody_from_what_is_written_down() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let mut script = Script::new(&emitter);
        script.cross(1);
        script.emit(2);
        let changer = {
            let other = other.clone();
            let options = ListenerOptions { tracked: true, ..Default::default() };
            thread::spawn(move || other.listen("e", 2, options))
        };
        script.emit(3);
        changer.join().unwrap();
        script.burst.close();
        assert_eq!(heard(&other), [1, 2, 3]);
        assert_eq!(emitter.pending(), 0);
        script.burst.end();
        end(&[&emitter, &other]);
    });
}

#[test]
fn an_owner_that_ends_sends_all_and_leaves_nothing_to_others() {
    search(|| {
        let emitter = member(1, &Waker::new(), MailboxLimits::default());
        let other = listening(2, None, 9);
        let mut script = Script::new(&emitter);
        script.cross(1);
        let timers = looks(&script, 2);
        script.emit(2);
        script.burst.end();
        // The memory of JavaScript is no longer there.
        script.memory.records[0].with_mut(|_| ());
        emitter.endpoint().close();
        timers.join().unwrap();
        assert_eq!(heard(&other), [1, 2]);
        end(&[&emitter, &other]);
    });
}
