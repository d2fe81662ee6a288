//! The whole engine against a naive model of it, on one thread: whatever is done in whatever order,
//! every delivery settles once, every outcome adds up and arrives once, order holds, and nothing is
//! left. The only test of its file, because it looks at what lives in the whole process.
#![cfg(not(feature = "loom"))]

#[path = "../common/mod.rs"]
mod common;
mod rules;
mod steps;
mod world;

use proptest::prelude::*;

const ENDPOINTS: usize = 4;

proptest! {
    #[test]
    fn behaves_like_the_model(steps in steps::steps()) {
        let before = common::living();
        let mut world = world::World::new("model".into(), ENDPOINTS);
        for step in &steps {
            world.step(step);
            world.compare();
        }
        world.end();
        prop_assert_eq!(common::living(), before);
    }
}
