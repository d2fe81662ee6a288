//! Several processes, the link between them, and the clock.

use parallel_event_bus::cluster::Millis;
use parallel_event_bus::cluster::bridge::{Input, To};
use parallel_event_bus::cluster::peer::PeerId;

use crate::ledger::Ledger;
use crate::net::Net;
use crate::node::{Node, config};

pub struct World {
    pub now: Millis,
    pub net: Net,
    pub nodes: Vec<Node>,
    pub ledger: Ledger,
    last_id: u64,
}

impl World {
    pub fn new(nodes: usize, seed: u64) -> Self {
        let net = Net::new(seed);
        let nodes_of = (1..=nodes as u64).map(|number| Node::new(config(number), 0)).collect();
        let ledger = Ledger::default();
        World { now: 0, net, nodes: nodes_of, ledger, last_id: nodes as u64 }
    }

    /// Ends a process at once, and starts another in its place. Others may know, or not.
    pub fn restart(&mut self, at: usize, others_know: bool) {
        let old = self.nodes[at].id;
        self.ledger.emitter_ended(old);
        self.net.forget(at);
        self.last_id += 1;
        self.nodes[at] = Node::new(config(self.last_id), self.now);
        if others_know {
            self.nodes.iter_mut().for_each(|node| node.inputs.push(Input::Lost(old)));
        }
    }

    pub fn at(&self, id: PeerId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Polls all processes with something to do, until nothing is to be done at this moment.
    pub fn settle(&mut self) {
        for (to, bytes) in self.net.arrived(self.now) {
            self.nodes[to].inputs.push(Input::Heard(bytes));
        }
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            let has_work = !node.inputs.is_empty() || node.bridge.wakes_at() <= self.now;
            if node.is_stopped || !has_work {
                continue;
            }
            for (to, bytes) in self.nodes[at].poll(self.now, &mut self.ledger) {
                self.transmit(at, to, &bytes);
            }
        }
    }

    fn transmit(&mut self, from: usize, to: To, bytes: &[u8]) {
        match to {
            To::All => {
                for to in (0..self.nodes.len()).filter(|to| *to != from) {
                    self.net.send(self.now, from, to, bytes);
                }
            }
            To::Peer(id) => {
                if let Some(to) = self.at(id) {
                    self.net.send(self.now, from, to, bytes);
                }
            }
        }
    }

    /// Lets so much time pass.
    pub fn run(&mut self, ms: Millis) {
        let end = self.now + ms;
        self.settle();
        while self.now < end {
            let awake = self.nodes.iter().filter(|node| !node.is_stopped);
            let beat = awake.map(|node| node.bridge.wakes_at()).min();
            let has_inputs = self.nodes.iter().any(|n| !n.is_stopped && !n.inputs.is_empty());
            let soon = has_inputs.then_some(self.now);
            let next = [beat, self.net.next_at(), soon].into_iter().flatten().min();
            self.now = next.unwrap_or(end).max(self.now + 1).min(end);
            self.settle();
        }
    }

    /// Runs until something holds. Returns after how many milliseconds it does.
    pub fn run_until(&mut self, most: Millis, holds: impl Fn(&World) -> bool) -> Millis {
        let begin = self.now;
        self.settle();
        while !holds(self) {
            assert!(self.now < begin + most, "it does not hold after {most} ms");
            self.run(1);
        }
        self.now - begin
    }

    pub fn know_each_other(&self) -> bool {
        let others = self.nodes.len() - 1;
        self.nodes.iter().all(|node| node.bridge.peers().count() == others)
    }

    /// Whether each process knows the listeners in each other one.
    pub fn tables_agree(&self) -> bool {
        self.know_each_other()
            && self.nodes.iter().all(|node| {
                node.bridge.peers().all(|(id, peer)| {
                    let Some(at) = self.at(id) else { return false };
                    let channels = &config(0).channels;
                    let theirs = self.nodes[at].bridge.table();
                    peer.table().digest(channels) == theirs.digest(channels)
                        && peer.table().listeners() == theirs.listeners()
                })
            })
    }

    /// With a link that behaves, settles all that is open, and checks that nothing is left.
    pub fn end(&mut self) {
        self.net.heal();
        for node in &mut self.nodes {
            node.is_stopped = false;
            node.inputs.push(Input::Up);
        }
        for _ in 0..40 {
            self.run(1_000);
            for node in &mut self.nodes {
                (0..node.received.len()).for_each(|how| node.settle(0, how));
            }
        }
        assert!(self.tables_agree(), "each process knows who listens");
        self.ledger.check_all_settled();
        for node in &self.nodes {
            assert!(node.owed.values().all(|owed| owed.is_empty()), "nothing is owed");
            assert!(node.bridge.is_acknowledged(), "all is acknowledged");
            assert!(node.bridge.peers().all(|(_, peer)| peer.kept() == 0), "nothing is kept");
        }
    }
}
