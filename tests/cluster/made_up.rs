//! Messages that nobody has said, with numbers that were overheard: two processes come back from each by themselves.

use parallel_event_bus::cluster::bridge::Input;
use parallel_event_bus::cluster::message::{Body, Message, Receipt};

use crate::world::World;

/// Two processes that know each other, and have nothing to say.
fn quiet_world() -> World {
    let mut world = World::new(2, 1);
    world.run_until(100, World::know_each_other);
    world.run(100);
    world
}

/// Has a process hear something in the name of the other one.
fn pretend(world: &mut World, to: usize, body: Body<'_>) {
    let from = world.nodes[1 - to].id;
    let made_up = Message { from, mine: 1, yours: 1, body }.write();
    world.nodes[to].inputs.push(Input::Heard(made_up));
}

fn has_gap(bytes: &[u8]) -> bool {
    match Message::read(bytes).unwrap().body {
        Body::Data { receipt, .. } | Body::Beat { receipt, .. } => receipt.has_gap,
        _ => false,
    }
}

#[test]
fn the_number_of_a_message_that_was_never_sent_is_asked_for_no_longer_than_to_the_next_beat() {
    let receipt = Receipt { ack: 0, has_gap: false };
    let data = Body::Data { number: u64::MAX, receipt, frames: &[] };
    for body in [data, Body::Beat { last: u64::MAX, receipt, digest: None }] {
        let mut world = quiet_world();
        pretend(&mut world, 1, body);
        world.run(1_500);
        let now = world.now + 1_000;
        let World { nodes, ledger, .. } = &mut world;
        let said = nodes[1].poll(now, ledger);
        assert!(!said.is_empty() && !said.iter().any(|(_, bytes)| has_gap(bytes)));
        world.end();
    }
}
