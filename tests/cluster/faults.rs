//! Any order of steps, any faults. Each event settles once, and comes at most once and in order. All processes that
//! live know the listeners in each other. Nothing is left, and nothing grows without bound.

use std::collections::VecDeque;

use proptest::prelude::*;

use parallel_event_bus::cluster::bridge::Input;

use crate::net::Faults;
use crate::node::{MOST_INPUTS, WINDOW};
use crate::world::World;

/// Places are taken modulo their number.
#[derive(Clone, Debug)]
enum Step {
    Listen(usize),
    Unlisten(usize, u32),
    Emit { from: usize, to: usize, listeners: u32, size: usize, count: usize },
    Settle { node: usize, at: usize, how: usize },
    Run(u64),
    Misbehave(Faults),
    Cut(usize, usize),
    Heal,
    Restart(usize, bool),
    Unlink(usize),
    Relink(usize),
    Stop(usize),
    Continue(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0..4_usize;
    let faults = (0..60_u64, 0..50_u64, 0..40_u64)
        .prop_map(|(loss, repeats, disorder)| Step::Misbehave(Faults { loss, repeats, disorder }));
    let emit =
        (0..4_usize, 0..4_usize, 1..4_u32, prop_oneof![0..40_usize, 900..5_000_usize], 1..40_usize);
    prop_oneof![
        2 => node.clone().prop_map(Step::Listen),
        1 => (node.clone(), 1..10_u32).prop_map(|(node, listener)| Step::Unlisten(node, listener)),
        6 => emit.prop_map(|(from, to, listeners, size, count)| {
            Step::Emit { from, to, listeners, size, count }
        }),
        6 => (node.clone(), 0..50_usize, 0..3_usize)
            .prop_map(|(node, at, how)| Step::Settle { node, at, how }),
        6 => prop_oneof![1..20_u64, 100..1_500_u64, 3_000..9_000_u64].prop_map(Step::Run),
        2 => faults,
        1 => (node.clone(), node.clone()).prop_map(|(from, to)| Step::Cut(from, to)),
        1 => Just(Step::Heal),
        1 => (node.clone(), any::<bool>()).prop_map(|(node, known)| Step::Restart(node, known)),
        1 => node.clone().prop_map(Step::Unlink),
        1 => node.clone().prop_map(Step::Relink),
        1 => node.clone().prop_map(Step::Stop),
        1 => node.prop_map(Step::Continue),
    ]
}

fn take(world: &mut World, step: &Step) {
    let count = world.nodes.len();
    match *step {
        Step::Listen(node) => {
            world.nodes[node % count].listen("x");
        }
        Step::Unlisten(node, listener) => world.nodes[node % count].unlisten(listener),
        Step::Emit { from, to, listeners, size, count: events } => {
            let (from, to) = (from % count, world.nodes[to % count].id);
            for _ in 0..events {
                world.nodes[from].emit(to, listeners, size, &mut world.ledger);
            }
        }
        Step::Settle { node, at, how } => world.nodes[node % count].settle(at, how),
        Step::Run(ms) => world.run(ms),
        Step::Misbehave(faults) => world.net.faults = faults,
        Step::Cut(from, to) => world.net.cut(from % count, to % count),
        Step::Heal => world.net.heal(),
        Step::Restart(node, others_know) => world.restart(node % count, others_know),
        Step::Unlink(node) => world.nodes[node % count].inputs.push(Input::Down),
        Step::Relink(node) => world.nodes[node % count].inputs.push(Input::Up),
        Step::Stop(node) => world.nodes[node % count].is_stopped = true,
        Step::Continue(node) => world.nodes[node % count].is_stopped = false,
    }
}

/// The bytes that are kept for a peer are its window, one burst of a turn beyond it, and frames about its own events.
fn check_bounds(world: &World) {
    let most = WINDOW.bytes + MOST_INPUTS * 5_100 + 64 * world.ledger.entries.len();
    for node in &world.nodes {
        for (_, peer) in node.bridge.peers() {
            assert!(peer.kept() <= most, "{} bytes are kept, of {most}", peer.kept());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2_000, ..Default::default() })]
    #[test]
    fn whatever_happens_each_event_settles_once(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(4, seed);
        for step in &steps {
            take(&mut world, step);
            check_bounds(&world);
        }
        world.end();
    }
}

#[test]
fn a_message_that_is_lost_has_each_later_one_sent_once_more() {
    let mut world = World::new(2, 1);
    world.run_until(100, World::know_each_other);
    world.run(100);
    let (there, now) = (world.nodes[1].id, world.now);
    let mut first = Vec::new();
    for _ in 0..12 {
        assert!(world.nodes[0].emit(there, 1, 10, &mut world.ledger));
        first.extend(world.nodes[0].poll(now, &mut world.ledger));
    }
    // They come one by one, as over a slow link.
    let mut under_way: VecDeque<_> = first.into_iter().skip(1).map(|said| (1, said)).collect();
    let mut sent = under_way.len() + 1;
    while let Some((to, (_, bytes))) = under_way.pop_front() {
        world.nodes[to].inputs.push(Input::Heard(bytes));
        let said = world.nodes[to].poll(now, &mut world.ledger);
        sent += if to == 0 { said.len() } else { 0 };
        under_way.extend(said.into_iter().map(|said| (1 - to, said)));
    }
    assert_eq!(world.nodes[1].received.len(), 12);
    assert!(sent <= 2 * 12 + 1, "{sent} messages for 12 events");
    world.end();
}
