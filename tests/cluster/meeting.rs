//! How processes meet, keep their tables the same, and notice ends.

use parallel_event_bus::cluster::bridge::{Config, Input, Skew, Why};
use parallel_event_bus::cluster::frame::{Change, Joined};
use parallel_event_bus::cluster::message::{self, MAJOR, Message};
use parallel_event_bus::cluster::outgoing::Window;

use crate::node::{CHANNEL, Node, WINDOW, config};
use crate::world::World;

#[test]
fn processes_meet_and_know_who_listens() {
    let mut world = World::new(3, 1);
    world.nodes[0].listen("created");
    world.run(50);
    assert!(world.tables_agree());
    let id = world.nodes[0].id;
    let table = world.nodes[1].bridge.peer(id).unwrap().table();
    assert_eq!(&*table.listener(1).unwrap().event, "created");
}

#[test]
fn changes_alone_are_told() {
    let mut world = World::new(2, 1);
    for _ in 0..1_000 {
        world.nodes[0].listen("created");
    }
    world.run(50);
    let before = world.net.bytes;
    world.nodes[0].unlisten(500);
    world.run(50);
    assert!(world.tables_agree());
    assert!(world.net.bytes - before < 400, "{} bytes were sent", world.net.bytes - before);
}

#[test]
fn many_processes_know_all_listeners_within_a_second() {
    let (nodes, listeners) = if cfg!(debug_assertions) { (20, 200) } else { (100, 1_000) };
    let mut world = World::new(nodes, 1);
    for node in &mut world.nodes {
        for _ in 0..listeners {
            node.listen("created");
        }
    }
    let ms = world.run_until(1_000, World::know_each_other);
    assert!(ms < 1_000);
    let ms = world.run_until(1_000 - ms, World::tables_agree);
    assert!(ms < 1_000);
}

#[test]
fn a_process_that_is_not_heard_is_gone_after_its_timeout() {
    let mut world = World::new(2, 1);
    world.run(100);
    let id = world.nodes[1].id;
    world.net.cut(1, 0);
    world.run(4_000);
    assert_eq!(world.nodes[0].gone, []);
    world.run(2_500);
    assert_eq!(world.nodes[0].gone, [(id, Why::Silent)]);
}

#[test]
fn a_process_that_was_taken_for_dead_comes_with_a_new_session() {
    let mut world = World::new(2, 1);
    world.run(100);
    let ids = [world.nodes[0].id, world.nodes[1].id];
    world.nodes[0].emit(ids[1], 1, 10, &mut world.ledger);
    world.run(100);
    world.net.cut(1, 0);
    world.run(7_000);
    world.net.heal();
    world.run(6_000);
    assert!(world.tables_agree());
    assert_eq!(world.nodes[1].gone.len(), 1, "it hears that it was given up");
    assert_eq!(world.ledger.entries[0].settled, 1, "and its event is gone");
    world.end();
}

#[test]
fn a_link_that_is_away_kills_nobody_before_its_timeout() {
    let mut world = World::new(2, 1);
    world.run(100);
    for node in &mut world.nodes {
        node.inputs.push(Input::Down);
    }
    world.run(20_000);
    assert!(world.nodes.iter().all(|node| node.gone.is_empty()));
    world.run(15_000);
    assert!(world.nodes.iter().all(|node| node.gone[0].1 == Why::Away));
}

#[test]
fn what_was_lost_with_a_link_is_sent_again() {
    let mut world = World::new(2, 1);
    world.run(100);
    let id = world.nodes[1].id;
    world.net.faults.loss = 100;
    world.nodes[0].emit(id, 1, 10, &mut world.ledger);
    world.run(100);
    world.nodes.iter_mut().for_each(|node| node.inputs.push(Input::Down));
    world.run(1_000);
    world.net.heal();
    world.nodes.iter_mut().for_each(|node| node.inputs.push(Input::Up));
    world.run(1_500);
    assert_eq!(world.ledger.entries[0].received, 1);
    world.end();
}

#[test]
fn a_process_that_was_stopped_takes_nobody_for_dead() {
    let mut world = World::new(2, 1);
    world.run(100);
    world.nodes[0].is_stopped = true;
    world.run(4_500);
    world.nodes[0].is_stopped = false;
    // Before it has read the messages that have come in the meantime.
    let now = world.now + 400_000;
    world.nodes[0].bridge.poll(now, []);
    assert_eq!(world.nodes[0].gone, []);
}

#[test]
fn a_process_that_says_goodbye_is_gone_at_once() {
    let mut world = World::new(2, 1);
    world.run(100);
    let id = world.nodes[1].id;
    world.nodes[1].inputs.push(Input::Bye);
    world.run(5);
    assert_eq!(world.nodes[0].gone, [(id, Why::Left)]);
}

#[test]
fn an_outage_of_minutes_keeps_no_more_than_the_window() {
    let mut world = World::new(2, 1);
    world.run(100);
    let id = world.nodes[1].id;
    for node in &mut world.nodes {
        node.bridge = bridge_of(node, 3_600_000);
        node.inputs = std::mem::take(&mut Node::new(config(1), 0).inputs);
    }
    world.run(7_000);
    world.nodes[0].inputs.push(Input::Down);
    let mut sent = 0;
    for _ in 0..600 {
        world.run(1_000);
        sent += usize::from(world.nodes[0].emit(id, 1, 100, &mut world.ledger));
    }
    let kept = world.nodes[0].bridge.peer(id).unwrap().kept();
    assert!(kept <= 4_096 + 200, "{kept} bytes are kept");
    assert!(sent < 100, "{sent} events were taken");
}

fn bridge_of(node: &Node, link_timeout: u64) -> parallel_event_bus::cluster::bridge::Bridge {
    let number = u64::from_be_bytes(node.id.bytes()[..8].try_into().unwrap());
    let config = Config { link_timeout, peer_timeout: link_timeout, ..config(number) };
    parallel_event_bus::cluster::bridge::Bridge::new(config, 0)
}

#[test]
fn another_major_version_is_no_peer_and_told_once() {
    let mut world = World::new(2, 1);
    let id = crate::node::id(9);
    let hello = message::Message { from: id, mine: 1, yours: 0, body: message::Body::Bye };
    for _ in 0..3 {
        let mut bytes = hello.write();
        bytes[3] = MAJOR + 1;
        world.nodes[0].inputs.push(Input::Heard(bytes));
    }
    world.run(10);
    assert_eq!(world.nodes[0].skewed, [(id, Skew::Major(MAJOR + 1))]);
    assert_eq!(world.nodes[0].bridge.peers().count(), 1);
}

#[test]
fn another_space_is_none_of_its_business() {
    let mut world = World::new(2, 1);
    world.nodes[1] = Node::new(Config { space: "other".into(), ..config(2) }, 0);
    world.run(6_000);
    assert!(world.nodes.iter().all(|node| node.bridge.peers().count() == 0));
}

#[test]
fn channels_that_a_peer_does_not_share_are_not_told_of() {
    let mut world = World::new(2, 1);
    world.nodes[1] = Node::new(Config { channels: ["else".into()].into(), ..config(2) }, 0);
    world.nodes[0].listen("created");
    world.run(1_000);
    let id = world.nodes[0].id;
    assert_eq!(world.nodes[1].bridge.peer(id).unwrap().table().listeners(), 0);
}

#[test]
fn a_process_that_takes_its_link_for_gone_talks_to_nobody() {
    let mut world = World::new(2, 1);
    world.run_until(100, World::know_each_other);
    // Messages to it come all the same.
    world.nodes[1].inputs.push(Input::Down);
    world.run(40_000);
    let before = world.net.bytes;
    world.run(10_000);
    let said = world.net.bytes - before;
    assert!(said < 10_000, "{said} bytes in ten seconds");
    world.end();
}

#[test]
fn a_greeting_that_was_made_up_parts_two_processes_for_a_while_only() {
    let mut world = World::new(2, 1);
    world.run_until(100, World::know_each_other);
    let greeting = world.nodes[0].bridge.greeting();
    let mut made_up = Message::read(&greeting).unwrap();
    (made_up.mine, made_up.yours) = (1 << 40, 1);
    world.nodes[1].inputs.push(Input::Heard(made_up.write()));
    world.run(200);
    assert!(!world.know_each_other(), "it is taken for a new session");
    world.run_until(20_000, World::know_each_other);
    world.end();
}

#[test]
fn members_beyond_those_that_peers_keep_end_no_session() {
    const MOST: u32 = 1 << 16;
    let mut world = World::new(2, 1);
    world.run_until(100, World::know_each_other);
    let joined = |member| Joined {
        member,
        endpoint: member,
        thread: 0,
        channel: CHANNEL.into(),
        max_messages: 1,
        max_bytes: 1,
    };
    let changes = (0..=MOST + 100).map(|member| Input::Local(Change::Joined(joined(member))));
    world.nodes[0].inputs.extend(changes);
    world.run(10_000);
    assert!(world.nodes.iter().all(|node| node.gone.is_empty()));
    let known = world.nodes[1].bridge.peers().map(|(_, peer)| peer.table().members());
    assert_eq!(known.collect::<Vec<_>>(), [MOST as usize]);
    world.end();
}

#[test]
fn no_more_is_under_way_than_both_sides_have_room_for() {
    for messages in [WINDOW.messages, 3] {
        let mut world = World::new(2, 1);
        let window = Window { messages, bytes: 1 << 20 };
        world.nodes[0] =
            Node::new(Config { window: Window { messages: 16, ..window }, ..config(1) }, 0);
        world.nodes[1] = Node::new(Config { window, ..config(2) }, 0);
        world.run_until(100, World::know_each_other);
        world.run(100);
        // Nothing is acknowledged from now on.
        world.net.cut(1, 0);
        let before = world.net.bytes;
        for at in 0..200 {
            world.nodes[0].listen(&format!("{at:0>200}"));
            world.run(1);
        }
        let under_way = (world.net.bytes - before) / 200;
        assert!(under_way <= 2 * messages, "{under_way} messages");
        world.end();
    }
}
