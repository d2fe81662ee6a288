//! The steps that the engine can be taken through. Places are taken modulo their number.

use proptest::prelude::*;

use crate::ENDPOINTS;
use crate::rules::EVENTS;

#[derive(Clone, Debug)]
pub enum Step {
    Join {
        endpoint: usize,
        events: usize,
        bytes: usize,
    },
    Leave {
        member: usize,
    },
    Close {
        endpoint: usize,
    },
    Listen {
        member: usize,
        event: usize,
        once: bool,
        prepend: bool,
        tracked: bool,
        group: Option<usize>,
    },
    Unlisten {
        listener: usize,
    },
    Emit {
        member: usize,
        event: usize,
        size: usize,
        payload: bool,
        request: bool,
        cancellable: bool,
        timeout: bool,
        awaited: bool,
    },
    Publish {
        member: usize,
        event: usize,
        size: usize,
        count: usize,
    },
    Cancel {
        emission: usize,
    },
    Expire {
        emission: usize,
    },
    Collect {
        endpoint: usize,
        max: usize,
    },
    /// Looks for deliveries that wait in vain.
    Tick,
    /// Takes over what others have not started.
    Steal {
        endpoint: usize,
    },
    /// Begins to work on the next thing that was collected.
    Take {
        endpoint: usize,
    },
    Start {
        held: usize,
    },
    Settle {
        held: usize,
        index: usize,
        how: How,
    },
    Drop {
        held: usize,
    },
    OwnDone,
    Room {
        member: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Succeed,
    Fail,
    Lose,
    Cancel,
}

const ANY: std::ops::Range<usize> = 0..1_000;

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rarely = || prop::bool::weighted(0.15);
    let event = || 0..EVENTS;
    let size = || 4..12_usize;
    let how = prop_oneof![
        5 => Just(How::Succeed),
        3 => Just(How::Fail),
        1 => Just(How::Lose),
        1 => Just(How::Cancel),
    ];
    let group = prop_oneof![2 => Just(None), 2 => (0..2_usize).prop_map(Some)];
    let emit = (
        ANY,
        event(),
        size(),
        prop::bool::weighted(0.9),
        rarely(),
        rarely(),
        rarely(),
        prop::bool::weighted(0.7),
    );
    let step = prop_oneof![
        4 => (ANY, 1..6_usize, 8..40_usize)
            .prop_map(|(endpoint, events, bytes)| Step::Join { endpoint, events, bytes }),
        1 => ANY.prop_map(|member| Step::Leave { member }),
        1 => ANY.prop_map(|endpoint| Step::Close { endpoint }),
        10 => (ANY, event(), rarely(), any::<bool>(), prop::bool::weighted(0.05), group).prop_map(
            |(member, event, once, prepend, tracked, group)| {
                Step::Listen { member, event, once, prepend, tracked, group }
            }
        ),
        2 => ANY.prop_map(|listener| Step::Unlisten { listener }),
        16 => emit.prop_map(
            |(member, event, size, payload, request, cancellable, timeout, awaited)| Step::Emit {
                member, event, size, payload, request, cancellable, timeout, awaited,
            }
        ),
        10 => (ANY, event(), size(), 1..4_usize)
            .prop_map(|(member, event, size, count)| Step::Publish { member, event, size, count }),
        1 => ANY.prop_map(|emission| Step::Cancel { emission }),
        1 => ANY.prop_map(|emission| Step::Expire { emission }),
        12 => (ANY, 0..5_usize).prop_map(|(endpoint, max)| Step::Collect { endpoint, max }),
        12 => ANY.prop_map(|endpoint| Step::Take { endpoint }),
        10 => Just(Step::Tick),
        6 => ANY.prop_map(|endpoint| Step::Steal { endpoint }),
        8 => ANY.prop_map(|held| Step::Start { held }),
        14 => (ANY, 0..4_usize, how)
            .prop_map(|(held, index, how)| Step::Settle { held, index, how }),
        6 => ANY.prop_map(|held| Step::Drop { held }),
        2 => Just(Step::OwnDone),
        2 => ANY.prop_map(|member| Step::Room { member }),
    ];
    // Often there is a group with a member in each endpoint: else few events would be there to take over.
    let steps = prop::collection::vec(step, 0..150);
    (any::<bool>(), steps).prop_map(|(has_group, steps)| {
        let group = if has_group { a_group() } else { Vec::new() };
        group.into_iter().chain(steps).collect()
    })
}

fn a_group() -> Vec<Step> {
    let joins = (0..ENDPOINTS).map(|endpoint| Step::Join { endpoint, events: 9, bytes: 90 });
    let listens = (0..ENDPOINTS).map(|member| Step::Listen {
        member,
        event: 0,
        once: false,
        prepend: false,
        tracked: false,
        group: Some(0),
    });
    joins.chain(listens).collect()
}
