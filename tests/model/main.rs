//! The whole engine against a naive model of it, on one thread. In any order of steps every delivery settles
//! once, every outcome adds up and arrives once, order holds, and nothing is left. The only test of its file,
//! because it looks at the counts of the whole process.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod emitting;
mod rules;
mod settling;
mod steps;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_event_bus::engine::timer;
use proptest::prelude::*;

const ENDPOINTS: usize = 4;

static CASES: AtomicUsize = AtomicUsize::new(0);

proptest! {
    #[test]
    fn behaves_like_the_model(steps in steps::steps()) {
        // The model ticks by itself.
        timer::freeze();
        let before = common::living();
        // A channel of its own, so that a case that fails leaves nothing for the next to trip over.
        let number = CASES.fetch_add(1, Ordering::Relaxed);
        let mut world = world::World::new(format!("model {number}"), ENDPOINTS);
        for step in &steps {
            world.step(step);
            world.compare();
        }
        world.end();
        common::is_as(before);
    }
}
