//! The bound of what waits for the members of a group in all, beside what each has room for.

use super::member::Member;
use crate::engine::capacity::Bound;

/// What may be in flight to the members of a group in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Events that wait.
    pub max_waiting: u32,
    /// Events that each member takes at once.
    pub takes: u32,
}

/// Returns the bound of the queue of these members, each with its events in flight, if there is no room. Members without
/// one count for nothing.
pub(super) fn exceeded<'a>(loads: impl Iterator<Item = (&'a Member, usize)>) -> Option<Bound> {
    let (mut queue, mut takes, mut in_flight) = (None, 0usize, 0);
    for (member, load) in loads {
        let Some(its) = member.queue.get() else { continue };
        queue = Some(its);
        takes = takes.saturating_add(its.takes as usize);
        in_flight += load;
    }
    let most = queue?.max_waiting;
    (in_flight >= takes.saturating_add(most as usize)).then_some(Bound::Queue(most.into()))
}
