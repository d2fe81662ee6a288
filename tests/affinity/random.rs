//! Steps in any order, and what holds after each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::InLine;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::route::ListenerOptions;
use parallel_event_bus::engine::outcome::FailureKind;
use proptest::prelude::*;

use crate::common::*;
use crate::keys;

/// What may happen, in any order. Places are taken modulo their number.
#[derive(Clone, Debug)]
enum Step {
    Join { room: usize, kind: Kind },
    Leave(usize),
    Close(usize),
    Emit { key: u8, request: bool, own: usize },
    Collect(usize),
    Start(usize),
    Settle(usize),
    Cancel(usize),
}

/// The listeners of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Lasting,
    Once,
    /// One for one event, and behind it one that lasts.
    Both,
}

const ONCE: u32 = 1;
const LASTING: u32 = 2;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => Just(Kind::Lasting), 1 => Just(Kind::Once), 1 => Just(Kind::Both)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1..9_usize, kinds()).prop_map(|(room, kind)| Step::Join { room, kind }),
        1 => (0..9_usize).prop_map(Step::Leave),
        1 => (0..9_usize).prop_map(Step::Close),
        12 => (0..3_u8, any::<bool>(), 0..30_usize)
            .prop_map(|(key, request, own)| Step::Emit { key, request, own }),
        8 => (0..9_usize).prop_map(Step::Collect),
        8 => (0..9_usize).prop_map(Step::Start),
        8 => (0..9_usize).prop_map(Step::Settle),
        1 => (0..99_usize).prop_map(Step::Cancel),
    ];
    prop::collection::vec(step, 0..120)
}

/// A member of the group, and the thread that it is of.
struct Worker {
    member: Arc<Member>,
    kind: Kind,
    has_left: bool,
    /// Deliveries that were collected, and those that run.
    waiting: Vec<Delivery>,
    running: Vec<(u8, Delivery)>,
}

impl Worker {
    /// Reads its mailbox, and claims the listeners for one event, as a thread does.
    fn collect(&mut self) {
        let collected = deliveries(self.member.endpoint());
        if collected.iter().any(|delivery| delivery.listeners() == [ONCE]) {
            let _ = self.member.unlisten(ONCE);
        }
        self.waiting.extend(collected);
    }
}

struct World {
    channel: String,
    emitter: Arc<Member>,
    workers: Vec<Worker>,
    emitted: Vec<(u8, Emitted)>,
    /// Own listeners that were called by reference: worker, key, and what to end.
    own: Vec<(usize, u8, Vec<InLine>)>,
    cancelled: BTreeSet<usize>,
    /// Numbers of events that were started, by key.
    started: BTreeMap<u8, Vec<usize>>,
    /// Numbers of events that a thread has lost, as nobody had room for them.
    lost: BTreeSet<usize>,
    refused: BTreeSet<usize>,
    /// Endpoints that are told of no outcome any more.
    closed: BTreeSet<u32>,
}

impl World {
    fn new(channel: String) -> Self {
        World {
            emitter: member(1, &channel),
            channel,
            workers: Vec::new(),
            emitted: Vec::new(),
            own: Vec::new(),
            cancelled: BTreeSet::new(),
            started: BTreeMap::new(),
            lost: BTreeSet::new(),
            refused: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    fn worker(&mut self, at: usize) -> Option<&mut Worker> {
        let at = at.checked_rem(self.workers.len())?;
        Some(&mut self.workers[at])
    }

    fn join(&mut self, room: usize, kind: Kind) {
        let member = small_member(self.workers.len() as u32 + 2, &self.channel, room);
        if kind != Kind::Lasting {
            member.listen("e", ONCE, ListenerOptions { once: true, ..in_group("g") });
        }
        if kind != Kind::Once {
            member.listen("e", LASTING, in_group("g"));
        }
        let (waiting, running) = (Vec::new(), Vec::new());
        self.workers.push(Worker { member, kind, has_left: false, waiting, running });
    }

    fn close(&mut self, at: usize) {
        let Some(worker) = self.worker(at) else { return };
        worker.has_left = true;
        let endpoint = worker.member.endpoint().clone();
        let room = worker.member.capacity().limits().max_messages;
        endpoint.close();
        // In the order in which a thread lets go of them.
        drop((std::mem::take(&mut worker.waiting), std::mem::take(&mut worker.running)));
        if self.look_for_losses() {
            self.assert_no_room(room);
        }
        self.closed.insert(endpoint.id());
    }

    /// Returns whether there are more events than before that failed and had not started.
    fn look_for_losses(&mut self) -> bool {
        let before = self.lost.len();
        for (number, (key, emitted)) in self.emitted.iter_mut().enumerate() {
            let Some(failure) = emitted.outcome().and_then(|mut outcome| outcome.failures.pop())
            else {
                continue;
            };
            let mut of_key = self.started.get(key).into_iter().flatten();
            match failure.kind {
                FailureKind::MailboxFull(_) => _ = self.refused.insert(number),
                _ if !of_key.any(|it| *it == number) => _ = self.lost.insert(number),
                _ => {}
            }
        }
        self.lost.len() > before
    }

    /// Nobody has room for one more event of a member with so much room that is gone.
    fn assert_no_room(&self, room: usize) {
        let lasting = self.workers.iter().filter(|it| !it.has_left && it.kind != Kind::Once);
        let lasting: Vec<_> = lasting.map(|worker| worker.member.capacity()).collect();
        for capacity in &lasting {
            assert!(capacity.events() >= capacity.limits().max_messages + room);
        }
        let listening = self.emitter.channel().route("e").breadth();
        assert_eq!(listening, lasting.len(), "somebody listens for one event");
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join { room, kind } => self.join(room, kind),
            Step::Leave(at) => {
                if let Some(worker) = self.worker(at) {
                    worker.has_left = true;
                    worker.member.leave();
                }
            }
            Step::Close(at) => self.close(at),
            Step::Emit { key, request, own } => self.emit(key, request, own),
            Step::Collect(at) => {
                if let Some(worker) = self.worker(at) {
                    worker.collect();
                }
            }
            Step::Start(at) => self.start(at),
            Step::Settle(at) => self.settle(at),
            Step::Cancel(at) => {
                let Some(at) = at.checked_rem(self.emitted.len()) else { return };
                if let Some(dispatch) = &self.emitted[at].1.dispatch {
                    dispatch.cancel();
                    self.cancelled.insert(at);
                }
            }
        }
    }

    fn emit(&mut self, key: u8, request: bool, own: usize) {
        let number = self.emitted.len();
        let is_heard = self.emitter.channel().route("e").audience() > 0;
        let by = self.workers.get(own).filter(|worker| !worker.has_left);
        let emitter = by.map_or(&self.emitter, |worker| &worker.member).clone();
        let mut emitted = emit_as(&emitter, "e", &(number as u32).to_ne_bytes(), |emission| {
            emission.key = Some(format!("{key}").into());
            emission.request = request;
            emission.cancellable = true;
        });
        assert_eq!(emitted.others as usize + emitted.own.len(), usize::from(is_heard));
        if !emitted.own.is_empty() {
            // As the thread of the emitter: it catches up, and starts what is there before.
            let worker = &mut self.workers[own];
            worker.collect();
            while !self.workers[own].waiting.is_empty() {
                self.start(own);
            }
            self.started.entry(key).or_default().push(number);
            let in_line = std::mem::take(&mut emitted.in_line);
            self.own.push((own, key, in_line));
        }
        self.emitted.push((key, emitted));
    }

    fn start(&mut self, at: usize) {
        let Some(worker) = self.worker(at) else { return };
        if worker.waiting.is_empty() {
            return;
        }
        let delivery = worker.waiting.remove(0);
        if !delivery.start() {
            return;
        }
        let bytes: [u8; 4] = delivery.payload()[..4].try_into().unwrap();
        let number = u32::from_ne_bytes(bytes) as usize;
        let key = self.emitted[number].0;
        self.started.entry(key).or_default().push(number);
        self.worker(at).unwrap().running.push((key, delivery));
    }

    fn settle(&mut self, at: usize) {
        if at.is_multiple_of(2) && !self.own.is_empty() {
            let (worker, _, own) = self.own.remove(0);
            self.workers[worker].member.done(1);
            return own.into_iter().for_each(InLine::end);
        }
        let Some(worker) = self.worker(at) else { return };
        if let Some((_, delivery)) = worker.running.pop() {
            delivery.succeed(0, None);
        }
    }

    /// The events of each key start in order, each once, and run at one member. None is lost that somebody has room for.
    fn check(&mut self) {
        // One that waited for others, or ran where nobody takes those behind it.
        if self.look_for_losses() {
            self.assert_no_room(1);
        }
        for (key, started) in &self.started {
            assert!(started.is_sorted_by(|one, next| one < next), "key {key}: {started:?}");
        }
        let mut places: BTreeMap<u8, BTreeSet<usize>> = BTreeMap::new();
        for (at, worker) in self.workers.iter().enumerate() {
            for (key, _) in &worker.running {
                places.entry(*key).or_default().insert(at);
            }
        }
        for (at, key, _) in &self.own {
            places.entry(*key).or_default().insert(*at);
        }
        assert!(places.values().all(|at| at.len() == 1), "{places:?}");
    }

    fn end(mut self) {
        // Everybody works to the end.
        loop {
            let before = self.started.values().map(Vec::len).sum::<usize>();
            for at in 0..self.workers.len() {
                self.step(&Step::Collect(at));
                while !self.workers[at].waiting.is_empty() {
                    self.start(at);
                    self.check();
                }
            }
            let is_running = !self.own.is_empty()
                || self.workers.iter().any(|worker| !worker.running.is_empty());
            let is_done = before == self.started.values().map(Vec::len).sum::<usize>();
            for at in 0..self.workers.len() {
                while let Some((_, delivery)) = self.workers[at].running.pop() {
                    delivery.succeed(0, None);
                    self.check();
                }
            }
            for (worker, _, own) in std::mem::take(&mut self.own) {
                self.workers[worker].member.done(1);
                own.into_iter().for_each(InLine::end);
                self.check();
            }
            if is_done && !is_running {
                break;
            }
        }
        assert_eq!(keys(&self.emitter), 0, "a key is kept");
        for (number, (key, emitted)) in self.emitted.iter().enumerate() {
            let was_started = self.started.get(key).is_some_and(|all| all.contains(&number));
            let may_be_lost = [&self.cancelled, &self.lost, &self.refused]
                .iter()
                .any(|numbers| numbers.contains(&number))
                || self.closed.contains(&emitted.emitter().id())
                || (emitted.others == 0 && emitted.own.is_empty());
            assert!(was_started || may_be_lost, "event {number} is lost");
        }
        for worker in &self.workers {
            assert_eq!((worker.member.in_flight(), worker.member.capacity().events()), (0, 0));
        }
        let all: Vec<Arc<Endpoint>> =
            self.workers.iter().map(|worker| worker.member.endpoint().clone()).collect();
        all.iter().for_each(|endpoint| endpoint.close());
        self.emitter.endpoint().close();
    }
}

proptest! {
    #[test]
    fn events_of_a_key_start_in_order_at_one_member_at_a_time(steps in steps()) {
        static WORLDS: AtomicUsize = AtomicUsize::new(0);
        // One that failed leaves something behind.
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let mut world = World::new(format!("affinity {number}"));
        for step in &steps {
            world.step(step);
            world.check();
        }
        world.end();
    }
}
