//! Steps in any order, and what holds after each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::InLine;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use proptest::prelude::*;

use crate::common::*;
use crate::{keys, of_group};

/// What may happen, in any order. Places are taken modulo their number.
#[derive(Clone, Debug)]
enum Step {
    Join,
    Leave(usize),
    Close(usize),
    Emit { key: u8, request: bool, own: usize },
    Collect(usize),
    Start(usize),
    Settle(usize),
    Cancel(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Join),
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
    is_listening: bool,
    /// True if no other member listened when it ceased to.
    has_no_heir: bool,
    /// Deliveries that were collected, and those that run.
    waiting: Vec<Delivery>,
    running: Vec<(u8, Delivery)>,
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
    /// True if a thread ended that had nobody to hand over to.
    may_lose: bool,
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
            may_lose: false,
        }
    }

    fn worker(&mut self, at: usize) -> Option<&mut Worker> {
        let at = at.checked_rem(self.workers.len())?;
        Some(&mut self.workers[at])
    }

    /// A worker does not listen any more.
    fn ceases(&mut self, at: usize) {
        let listening = self.workers.iter().filter(|worker| worker.is_listening).count();
        let Some(worker) = self.worker(at) else { return };
        if std::mem::replace(&mut worker.is_listening, false) {
            worker.has_no_heir = listening == 1;
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join => {
                let member = of_group(self.workers.len() as u32 + 2, &self.channel);
                let (waiting, running) = (Vec::new(), Vec::new());
                self.workers.push(Worker {
                    member,
                    is_listening: true,
                    has_no_heir: false,
                    waiting,
                    running,
                });
            }
            Step::Leave(at) => {
                self.ceases(at);
                if let Some(worker) = self.worker(at) {
                    worker.member.leave();
                }
            }
            Step::Close(at) => {
                self.ceases(at);
                let Some(worker) = self.worker(at) else { return };
                let has_no_heir = worker.has_no_heir;
                worker.member.endpoint().close();
                // In the order in which a thread lets go of them.
                let (waiting, running) =
                    (std::mem::take(&mut worker.waiting), std::mem::take(&mut worker.running));
                drop((waiting, running));
                self.may_lose |= has_no_heir;
            }
            Step::Emit { key, request, own } => self.emit(key, request, own),
            Step::Collect(at) => {
                if let Some(worker) = self.worker(at) {
                    let collected = deliveries(worker.member.endpoint());
                    worker.waiting.extend(collected);
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
        let open: Vec<_> = self.workers.iter().map(|worker| worker.is_listening).collect();
        let by = self.workers.get(own).filter(|worker| worker.is_listening);
        let emitter = by.map_or(&self.emitter, |worker| &worker.member).clone();
        let mut emitted = emit_as(&emitter, "e", &(number as u32).to_ne_bytes(), |emission| {
            emission.key = Some(format!("{key}").into());
            emission.request = request;
            emission.cancellable = true;
        });
        assert_eq!(emitted.others as usize + emitted.own.len(), usize::from(open.contains(&true)));
        if !emitted.own.is_empty() {
            // As the thread of the emitter: it catches up, and starts what is there before.
            let worker = &mut self.workers[own];
            let collected = deliveries(worker.member.endpoint());
            worker.waiting.extend(collected);
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

    /// The events of each key start in order, each once, and run at one member.
    fn check(&self) {
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
            let is_running = self.workers.iter().any(|worker| !worker.running.is_empty());
            let is_done = before == self.started.values().map(Vec::len).sum::<usize>();
            for at in 0..self.workers.len() {
                while let Some((_, delivery)) = self.workers[at].running.pop() {
                    delivery.succeed(0, None);
                }
            }
            for (worker, _, own) in std::mem::take(&mut self.own) {
                self.workers[worker].member.done(1);
                own.into_iter().for_each(InLine::end);
            }
            if is_done && !is_running {
                break;
            }
        }
        assert_eq!(keys(&self.emitter), 0, "a key is kept");
        for (number, (key, emitted)) in self.emitted.iter().enumerate() {
            let was_started = self.started.get(key).is_some_and(|all| all.contains(&number));
            let may_be_lost = self.cancelled.contains(&number)
                || (emitted.others == 0 && emitted.own.is_empty())
                || self.may_lose;
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
        let mut world = World::new(format!("affinity {:p}", &steps));
        for step in &steps {
            world.step(step);
            world.check();
        }
        world.end();
    }
}
