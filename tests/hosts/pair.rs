//! Two hosts, and the link between them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};

use parallel_event_bus::cluster::bridge::{Bridge, Config, Input, To};
use parallel_event_bus::cluster::host::{FRAME_OVERHEAD, Happened, Host};
use parallel_event_bus::cluster::outgoing::Window;
use parallel_event_bus::cluster::peer::PeerId;
use parallel_event_bus::engine::channel::member::Member;

use crate::common::{self, Emitted, Waker, emit_as, plain};

static LAST: AtomicU32 = AtomicU32::new(0);

pub const MAX_EVENT: usize = 100_000;

/// Two processes. The first one is *here*, the second one *there*.
pub struct Pair {
    pub hosts: [Option<Host>; 2],
    pub now: u64,
    channels: [String; 2],
    /// Messages that were not carried yet, by receiver.
    under_way: [Vec<Vec<u8>>; 2],
    pub happened: [Vec<Happened>; 2],
    /// Counts of the whole process are looked at.
    _alone: MutexGuard<'static, ()>,
}

pub fn id(number: u8) -> PeerId {
    PeerId::new([number; PeerId::BYTES])
}

impl Pair {
    /// Returns two hosts that know each other.
    pub fn new() -> Self {
        let mut pair = Self::apart();
        pair.up();
        pair.run();
        pair
    }

    pub fn apart() -> Self {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let channels = ["here", "there"].map(|side| format!("{side} {number}"));
        let alone = common::alone();
        let hosts = [0, 1].map(|at| Some(Self::host(&channels, at, MAX_EVENT)));
        let (under_way, happened) = Default::default();
        Pair { hosts, now: 0, channels, under_way, happened, _alone: alone }
    }

    fn host(channels: &[String; 2], at: usize, max_event: usize) -> Host {
        let config = Config {
            id: id(at as u8 + 1),
            space: "test".into(),
            name: ["here", "there"][at].into(),
            channels: ["orders".into()].into(),
            window: Window { messages: 64, bytes: 1 << 20 },
            most: 16 << 10,
            longest: max_event + FRAME_OVERHEAD,
            beat: 1_000,
            peer_timeout: 5_000,
            link_timeout: 30_000,
        };
        let channels = [("orders".into(), channels[at].as_str().into())];
        Host::new(config, channels, max_event, Arc::new(Waker::default()), 0)
    }

    /// As [`new`](Self::new), where the second one takes events of so many bytes alone.
    pub fn with_small_events(bytes: usize) -> Self {
        let mut pair = Self::apart();
        // One at a time observes a channel.
        pair.hosts[1] = None;
        pair.hosts[1] = Some(Self::host(&pair.channels, 1, bytes));
        pair.up();
        pair.run();
        pair
    }

    pub fn up(&mut self) {
        self.turn(0, vec![Input::Up]);
        self.turn(1, vec![Input::Up]);
    }

    /// A member of a thread of its own in one of the processes.
    pub fn member(&self, at: usize, thread: u32) -> Arc<Member> {
        common::member(thread, &self.channels[at])
    }

    pub fn small_member(&self, at: usize, thread: u32, events: usize) -> Arc<Member> {
        common::small_member(thread, &self.channels[at], events)
    }

    /// Emits a cancellable event in one of the processes, for a listener in the other. Returns the members of both.
    pub fn emit_across(
        &mut self,
        from: usize,
        timeout: Option<u32>,
    ) -> (Emitted, [Arc<Member>; 2]) {
        let (emitter, listening) = (self.member(from, 1), self.member(1 - from, 2));
        listening.listen("x", 1, plain());
        self.run();
        let emitted = emit_as(&emitter, "x", b"", |emission| {
            (emission.cancellable, emission.timeout) = (true, timeout);
        });
        self.run();
        (emitted, [emitter, listening])
    }

    pub fn turn(&mut self, at: usize, inputs: Vec<Input>) {
        let Some(host) = &mut self.hosts[at] else { return };
        let sent = host.turn(self.now, inputs);
        self.happened[at].extend(host.happened());
        for (to, bytes) in sent {
            assert!(matches!(to, To::All) || to == To::Peer(id(2 - at as u8)));
            self.under_way[1 - at].push(bytes);
        }
    }

    /// Has a process say its last words.
    pub fn exit(&mut self, at: usize) {
        let Some(mut host) = self.hosts[at].take() else { return };
        let said = host.last_words(self.now);
        self.under_way[1 - at].extend(said.into_iter().map(|(_, bytes)| bytes));
    }

    /// Takes the messages to one process off the link.
    pub fn lose_messages_to(&mut self, at: usize) {
        self.under_way[at].clear();
    }

    /// One side takes its messages, and has its turn.
    pub fn step(&mut self, at: usize) {
        let inputs = std::mem::take(&mut self.under_way[at]).into_iter().map(Input::Heard);
        self.turn(at, inputs.collect());
    }

    /// As [`step`](Self::step), with the first of the messages alone.
    pub fn step_by_one(&mut self, at: usize) {
        let first = self.under_way[at].remove(0);
        self.turn(at, vec![Input::Heard(first)]);
    }

    /// Carries messages until nothing is under way.
    pub fn run(&mut self) {
        for _ in 0..20 {
            self.step(0);
            self.step(1);
        }
        assert!(self.under_way.iter().all(Vec::is_empty), "the link becomes quiet");
    }

    /// Lets time pass on both sides.
    pub fn pass(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(500) {
            self.now += 500;
            self.run();
        }
    }

    /// Ends a process at once.
    pub fn kill(&mut self, at: usize) {
        self.hosts[at] = None;
        self.under_way[at].clear();
        self.turn(1 - at, vec![Input::Lost(id(at as u8 + 1))]);
    }

    pub fn bridge(&self, at: usize) -> &Bridge {
        self.hosts[at].as_ref().expect("it lives").bridge()
    }

    pub fn unsettled(&self) -> [usize; 2] {
        [0, 1].map(|at| self.hosts[at].as_ref().map_or(0, Host::unsettled))
    }
}
