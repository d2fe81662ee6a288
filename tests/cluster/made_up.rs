//! Messages that nobody has said, with numbers that were overheard: two processes come back from each by themselves.

use std::sync::Arc;

use parallel_event_bus::cluster::bridge::{Action, Config, Input, To};
use parallel_event_bus::cluster::frame::{Added, Change, Frame};
use parallel_event_bus::cluster::message::{Body, CODEC, Hello, MINOR, Message, Receipt};
use parallel_event_bus::cluster::peer::PeerId;
use parallel_event_bus::cluster::wire::Writer;

use crate::node::{config, id};
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

/// Has the first process send an event that is lost on its way.
fn emit_in_vain(world: &mut World) {
    let there = world.nodes[1].id;
    world.net.cut(0, 1);
    assert!(world.nodes[0].emit(there, 1, 10, &mut world.ledger));
    world.run(10);
    world.net.heal();
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_drops_nothing() {
    let mut world = quiet_world();
    emit_in_vain(&mut world);
    let receipt = Receipt { ack: u64::MAX, has_gap: false };
    pretend(&mut world, 0, Body::Beat { last: 0, receipt, digest: None });
    world.run(5_000);
    assert_eq!(world.nodes[1].received.len(), 1);
    assert_eq!(world.nodes[0].gone, []);
    world.end();
}

#[test]
fn a_message_that_nobody_has_any_more_is_not_waited_for_without_end() {
    let mut world = quiet_world();
    emit_in_vain(&mut world);
    // The table was the first message, and the event is the second.
    let receipt = Receipt { ack: 2, has_gap: false };
    pretend(&mut world, 0, Body::Beat { last: 0, receipt, digest: None });
    world.run(10_000);
    assert_eq!(world.nodes[1].received.len(), 0, "it is gone");
    world.run(30_000);
    world.ledger.check_all_settled();
    world.run_until(1_000, World::know_each_other);
    world.end();
}

#[test]
fn a_goodbye_of_a_session_that_never_was_ends_none() {
    let mut world = quiet_world();
    let from = world.nodes[1].id;
    let bye = Message { from, mine: 7, yours: 1, body: Body::Bye }.write();
    world.nodes[0].inputs.push(Input::Heard(bye));
    world.run(10);
    assert_eq!(world.nodes[0].gone, []);
}

#[test]
fn whoever_asks_for_everything_again_and_again_does_not_get_it_each_time() {
    let mut world = quiet_world();
    emit_in_vain(&mut world);
    let (before, receipt) = (world.net.bytes, Receipt { ack: 0, has_gap: true });
    for _ in 0..100 {
        pretend(&mut world, 0, Body::Beat { last: 0, receipt, digest: None });
        world.settle();
    }
    let said = world.net.bytes - before;
    assert!(said < 400, "{said} bytes for an event of ten");
    world.end();
}

#[test]
fn a_listener_that_nobody_has_added_is_forgotten() {
    let mut world = quiet_world();
    let added = Added {
        listener: 99,
        member: 7,
        event: "x".into(),
        once: false,
        prepend: false,
        tracked: false,
        group: None,
    };
    let (kind, body) = Frame::Change(Change::Added(added)).encode();
    let mut frames = Writer(vec![kind]);
    frames.bytes(&body);
    let receipt = Receipt { ack: 0, has_gap: false };
    pretend(&mut world, 1, Body::Data { number: 2, receipt, frames: &frames.0 });
    world.run(10);
    assert!(!world.tables_agree(), "it is believed at first");
    world.run_until(10_000, World::tables_agree);
    world.end();
}

#[test]
fn a_process_that_nobody_knows_is_greeted_now_and_then() {
    let mut world = quiet_world();
    let receipt = Receipt { ack: 0, has_gap: false };
    let body = Body::Beat { last: 0, receipt, digest: None };
    let stranger = Message { from: id(77), mine: 3, yours: 4, body }.write();
    let mut greetings = 0;
    for _ in 0..50 {
        let heard = [Input::Heard(stranger.clone())];
        let said = world.nodes[0].bridge.poll(world.now, heard);
        greetings += said
            .iter()
            .filter(|action| matches!(action, Action::Transmit(To::Peer(to), _) if *to == id(77)))
            .count();
    }
    assert_eq!(greetings, 1);
}

/// Returns a greeting of a process that says something else of itself.
fn changed_greeting(from: PeerId, channels: Vec<Arc<str>>) -> Vec<u8> {
    let Config { space, window, longest, .. } = config(0);
    let (name, minor) = ("made up".into(), MINOR);
    let hello =
        Hello { wants_answer: true, minor, codec: CODEC, space, name, channels, window, longest };
    Message { from, mine: 0, yours: 0, body: Body::Hello(hello) }.write()
}

#[test]
fn a_greeting_that_was_changed_on_its_way_parts_nobody_for_long() {
    for channels in [vec![], vec!["another".into()]] {
        // Before the two have met, and when they know each other.
        for delay in [0, 3_000] {
            let mut world = World::new(2, 1);
            world.run(delay);
            // Of both: where they agree that they have nothing in common, their tables agree, too.
            for to in 0..2 {
                let greeting = changed_greeting(world.nodes[1 - to].id, channels.clone());
                world.nodes[to].inputs.push(Input::Heard(greeting));
            }
            world.run(10_000);
            assert!(world.tables_agree());
            let names: Vec<_> =
                world.nodes[1].bridge.peers().map(|(_, peer)| peer.name().clone()).collect();
            assert_eq!(names, [config(1).name]);
            let there = world.nodes[1].id;
            assert!(world.nodes[0].emit(there, 1, 10, &mut world.ledger));
            world.run(100);
            assert_eq!(world.nodes[1].received.len(), 1);
            world.end();
        }
    }
}
