//! The numbers of a channel: what became of events, by name, and what is left when members and routes are gone.
#![cfg(not(feature = "loom"))]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use common::*;
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::ledger::{
    MOST_NAMES, Name, Numbers, Progress, Row, add_all,
};
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::ListenerOptions;
use parallel_event_bus::engine::mailbox::Wake;
use parallel_event_bus::engine::timer::schedule;

/// As long as the tests of this package wait for anything.
const WATCHDOG: Duration = Duration::from_secs(60);

/// The places of begun and ended events in the rows of these tests.
const PROGRESS: Progress = Progress { begun: 2, ended: 3 };

struct Words(Vec<f64>);

impl Row for Words {
    fn add_to(&self, sums: &mut Vec<f64>) {
        add_all(&self.0, sums);
    }
}

fn numbers(member: &Member, name: &str) -> Numbers {
    let mut events = member.channel().survey(PROGRESS).events.into_iter();
    events.find(|(of, _)| of.as_deref() == Some(name)).map(|(_, found)| found).unwrap_or_default()
}

#[test]
fn each_listener_of_a_dispatch_counts_once_by_what_became_of_it() {
    let emitter = member(1, "fates");
    let (one, full, gone) = (member(2, "fates"), small_member(3, "fates", 1), member(4, "fates"));
    for to in [&one, &full, &gone] {
        to.listen("e", 1, plain());
    }
    one.listen("e", 2, plain());
    let _takes_the_room = emit(&emitter, "e", b"");
    let first = delivery(one.endpoint());
    first.succeed(0, None);
    first.succeed(0, None);
    first.fail(1, vec![]);
    drop(first);
    let second = emit(&emitter, "e", b"");
    gone.endpoint().close();
    let fates = numbers(&emitter, "e").fates;
    // Delivered, failed, timed out, refused, lost, cancelled.
    assert_eq!(fates, [1, 1, 0, 1, 2, 0]);
    assert_eq!(emitter.fates(), fates, "the emitter counts alike");
    drop(second);
}

#[test]
fn events_of_a_batch_count_by_their_names() {
    let (emitter, other) = (member(1, "names"), member(2, "names"));
    other.listen("a", 1, plain());
    other.listen("b", 2, plain());
    other.listen("b", 3, plain());
    for event in ["a", "b", "a", "b", "b"] {
        emitter.channel().route(event).publish(&emitter, Some(b""));
    }
    let mut read = batches(other.endpoint());
    let batch = &mut read[0];
    batch.settle(0, 4, 0);
    batch.settle(4, 1, 1);
    batch.settle(0, 5, 0);
    assert_eq!(numbers(&emitter, "a").fates, [2, 0, 0, 0, 0, 0]);
    assert_eq!(numbers(&emitter, "b").fates, [5, 1, 0, 0, 0, 0]);
    assert_eq!(other.received(), 5);
}

#[test]
fn the_numbers_of_members_and_routes_that_are_gone_stay() {
    let (watcher, emitter) = (member(1, "past"), member(2, "past"));
    watcher.listen("e", 1, plain());
    emitter.keep_row(Some("e".into()), Box::new(Words(vec![3.0, 4.0])));
    let route = emitter.channel().route("e");
    route.publish(&emitter, Some(b""));
    batches(watcher.endpoint())[0].settle(0, 1, 0);
    watcher.unlisten(1);
    emitter.close_rows();
    emitter.leave();
    watcher.channel().let_go(vec![route]);
    let left = numbers(&watcher, "e");
    assert_eq!((left.fates[0], left.own), (1, vec![3.0, 4.0]));
}

#[test]
fn names_beyond_the_busiest_are_one_number() {
    let watcher = member(1, "many names");
    for number in 0..2 * MOST_NAMES {
        let row = Words(vec![number as f64, 1.0]);
        watcher.keep_row(Some(format!("e{number}").into()), Box::new(row));
    }
    let events = watcher.channel().survey(PROGRESS).events;
    assert_eq!(events.len(), MOST_NAMES + 1);
    assert_eq!(events[0].0.as_deref(), Some("e511"));
    let (name, rest) = &events[MOST_NAMES];
    assert_eq!((name, rest.own[1]), (&None, MOST_NAMES as f64));
}

#[test]
fn names_that_were_told_apart_stay_so_and_the_sum_of_the_others_never_falls() {
    let watcher = member(1, "names that come and go");
    let keep = |name: String, count: f64| {
        watcher.keep_row(Some(name.into()), Box::new(Words(vec![count])));
    };
    let survey = || watcher.channel().survey(PROGRESS).events;
    let names = |events: &[(Name, Numbers)]| {
        events.iter().filter_map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
    };
    let rest = |events: &[(Name, Numbers)]| match events.last() {
        Some((None, rest)) => rest.own[0],
        _ => 0.0,
    };
    (0..MOST_NAMES - 1).for_each(|number| keep(format!("early {number}"), 2.0));
    let first = survey();
    assert_eq!((first.len(), rest(&first)), (MOST_NAMES - 1, 0.0));
    // There is room for the busier of two.
    keep("late".into(), 5.0);
    keep("later".into(), 4.0);
    let second = survey();
    assert_eq!(names(&second).difference(&names(&first)).count(), 1);
    assert_eq!(rest(&second), 4.0);
    // However busy it becomes, it is not taken out of the sum.
    keep("later".into(), 100.0);
    watcher.close_rows();
    let third = survey();
    assert_eq!((names(&third), rest(&third)), (names(&second), 104.0));
}

#[test]
fn a_member_tells_of_its_groups_its_room_and_its_events() {
    let (emitter, worker) = (member(1, "loads"), member(2, "loads"));
    let group = Some("g".into());
    worker.listen("e", 1, ListenerOptions { group, ..plain() });
    let running: Vec<_> = (0..3).map(|_| emit(&emitter, "e", b"12345678")).collect();
    assert_eq!((worker.unsettled(), worker.capacity().bytes()), (3, 24));
    // They are gone with what was read.
    drop(read(worker.endpoint()));
    let survey = emitter.channel().survey(PROGRESS);
    let load = survey.loads.iter().find(|load| Arc::ptr_eq(&load.member, &worker)).unwrap();
    assert_eq!(load.groups.iter().map(|name| &**name).collect::<Vec<_>>(), ["g"]);
    assert_eq!((worker.received(), worker.unsettled()), (3, 0));
    assert_eq!((worker.capacity().bytes(), worker.capacity().most_events()), (0, 3));
    drop(running);
}

#[test]
fn a_member_tells_which_events_it_is_at() {
    let (watcher, worker) = (member(1, "running"), member(2, "running"));
    for (name, row) in [
        (Some("a"), vec![0.0, 0.0, 5.0, 3.0]),
        (Some("over"), vec![0.0, 0.0, 5.0, 5.0]),
        (Some("short"), vec![9.0]),
        (None, vec![0.0, 0.0, 1.0, 0.0]),
    ] {
        worker.keep_row(name.map(Into::into), Box::new(Words(row)));
    }
    let survey = watcher.channel().survey(PROGRESS);
    let of = |member| survey.loads.iter().find(|load| Arc::ptr_eq(&load.member, member)).unwrap();
    assert_eq!(of(&worker).running, [(Some("a".into()), 2.0), (None, 1.0)]);
    assert_eq!(of(&worker).own, [9.0, 0.0, 11.0, 8.0]);
    assert_eq!(of(&watcher).running, []);
}

/// An owner that may be idle, or busy with something of its own.
struct Owner {
    idle: AtomicUsize,
    wakes: mpsc::Sender<()>,
    is_idle: bool,
}

impl Wake for Owner {
    fn wake(&self) {
        let _ = self.wakes.send(());
    }

    fn idle(&self) -> Option<Duration> {
        let more = usize::from(self.is_idle);
        Some(Duration::from_millis(self.idle.fetch_add(more, Ordering::Relaxed) as u64))
    }
}

fn owner(thread: u32, channel: &str, is_idle: bool) -> (Arc<Member>, mpsc::Receiver<()>) {
    let (wakes, woken) = mpsc::channel();
    let owner = Owner { idle: AtomicUsize::new(0), wakes, is_idle };
    let endpoint = Endpoint::new(thread, Arc::new(owner));
    (endpoint.join(channel, MailboxLimits::default()), woken)
}

#[test]
fn others_are_told_of_a_thread_that_spins_although_nothing_waits_for_it_and_not_of_an_idle_one() {
    let (observer, woken) = owner(1, "spins", true);
    let ((idle, idle_woken), (spins, spins_woken)) =
        (owner(2, "idles", true), owner(3, "spins", false));
    idle.endpoint().watch_for_stalls(Duration::from_millis(5));
    spins.endpoint().watch_for_stalls(Duration::from_millis(5));
    woken.recv_timeout(WATCHDOG).expect("a stall is told of");
    let [Message::Notice(Notice::Stall(stall))] = &read(observer.endpoint())[..] else {
        panic!("other messages")
    };
    assert_eq!((stall.thread, stall.waiting), (3, 0));
    assert!(spins.endpoint().stalled_for() >= Duration::from_millis(5));
    assert_eq!(idle.endpoint().stalled_for(), Duration::ZERO);
    assert_eq!((idle_woken.try_iter().count(), spins_woken.try_iter().count()), (0, 1));
    // It looks after all, which ends the stall.
    let _ = read(spins.endpoint());
    let (tell, told) = mpsc::channel();
    fn until_over(endpoint: Arc<Endpoint>, tell: mpsc::Sender<()>) {
        if endpoint.stalled_for().is_zero() {
            let _ = tell.send(());
        } else {
            schedule(Duration::from_millis(1), move || until_over(endpoint, tell));
        }
    }
    until_over(spins.endpoint().clone(), tell);
    told.recv_timeout(WATCHDOG).expect("it is over");
}
