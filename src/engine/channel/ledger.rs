//! The numbers of a channel: what became of events, by name, and what its members have to do.
//!
//! The engine counts what crosses it. The owner of a member counts the rest by itself, event by event, in memory that it
//! [keeps](Member::keep_row) where others can read it: so its numbers are there though it is stuck, and stay when it ends.
//!
//! Names of events may be without end. [`MOST_NAMES`] are told apart, the others in one sum. A name that was told apart
//! stays so, because a sum that loses a name would fall: systems that store numbers take that for a restart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Channel;
use super::member::Member;
use super::route::Route;
use crate::engine::fates::Counts;
use crate::engine::ids::MemberId;
use crate::engine::sync::lock;

/// Number of names of events that are told apart.
pub const MOST_NAMES: usize = 256;

/// Number of routes that are looked at to find groups.
const MOST_LOOKED_AT: usize = 1_024;

/// The name of an event; None for many events together.
pub type Name = Option<Arc<str>>;

/// Numbers in memory of an owner, who adds to them at any time.
pub trait Row: Send {
    /// Adds them to `sums`, one by one.
    fn add_to(&self, sums: &mut Vec<f64>);
}

/// The numbers of the events of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Listeners that events were addressed to in other members, by fate.
    pub fates: Counts,
    /// What the owners have counted.
    pub own: Vec<f64>,
}

/// The numbers of a member.
pub struct Load {
    /// Which.
    pub member: Arc<Member>,
    /// What its owner has counted, all events together.
    pub own: Vec<f64>,
    /// Number of events that it is at, by name, without the names of which there are none.
    pub running: Vec<(Name, f64)>,
    /// Groups of its listeners.
    pub groups: BTreeSet<Arc<str>>,
}

/// The numbers of a channel.
pub struct Survey {
    /// By name, the busiest first; in the end those of all other names. See the [module](self).
    pub events: Vec<(Name, Numbers)>,
    /// Of each member.
    pub loads: Vec<Load>,
}

type Named = (Name, Box<dyn Row>);

/// The counts of a member's owner; see [`Load`].
#[derive(Default)]
struct Counted {
    own: Vec<f64>,
    running: Vec<(Name, f64)>,
}

/// The places of two counts of events in rows.
#[derive(Clone, Copy)]
pub struct Progress {
    /// Of those that have begun.
    pub begun: usize,
    /// Of those of them that have ended.
    pub ended: usize,
}

impl Progress {
    /// Returns how many events have begun and have not ended.
    fn running(self, numbers: &[f64]) -> f64 {
        let count = |at: usize| numbers.get(at).copied().unwrap_or_default();
        count(self.begun) - count(self.ended)
    }
}

/// The rows of members, and what is left of members and routes that are gone.
#[derive(Default)]
pub(super) struct Ledger {
    rows: HashMap<MemberId, Vec<Named>>,
    past: HashMap<Name, Numbers>,
    /// Names that were told apart.
    told: HashSet<Arc<str>>,
}

impl Ledger {
    /// Keeps the numbers of a route that is forgotten.
    pub(super) fn close_route(&mut self, route: &Route) {
        let fates = route.fates.counts();
        if fates != Counts::default() {
            self.past_of(&Some(route.name().clone())).add(&fates, |_| {});
        }
    }

    fn close_member(&mut self, member: MemberId) {
        for (name, row) in self.rows.remove(&member).unwrap_or_default() {
            self.past_of(&name).add(&Counts::default(), |sums| row.add_to(sums));
        }
    }

    /// Returns the numbers of the names that were told apart before, and of the busiest where there is room for more;
    /// then the sum of all others.
    fn tell_apart(&mut self, mut by_name: HashMap<Name, Numbers>) -> Vec<(Name, Numbers)> {
        let mut rest = by_name.remove(&None);
        let mut all: Vec<_> = by_name.into_iter().collect();
        all.sort_by(|(a, of_a), (b, of_b)| {
            of_b.activity().total_cmp(&of_a.activity()).then_with(|| a.cmp(b))
        });
        let mut events = Vec::new();
        for (name, numbers) in all {
            if name.as_ref().is_some_and(|name| self.is_told(name)) {
                events.push((name, numbers));
            } else {
                let add = |sums: &mut Vec<f64>| add_all(&numbers.own, sums);
                rest.get_or_insert_default().add(&numbers.fates, add);
            }
        }
        events.extend(rest.map(|numbers| (None, numbers)));
        events
    }

    /// Returns whether a name is told apart, from now on if there is room.
    fn is_told(&mut self, name: &Arc<str>) -> bool {
        let has_room = self.told.len() < MOST_NAMES;
        self.told.contains(name) || (has_room && self.told.insert(name.clone()))
    }

    fn past_of(&mut self, name: &Name) -> &mut Numbers {
        let is_told = name.as_ref().is_some_and(|name| self.told.contains(name));
        let has_room = is_told || self.past.len() < MOST_NAMES || self.past.contains_key(name);
        self.past.entry(if has_room { name.clone() } else { None }).or_default()
    }
}

impl Numbers {
    fn add(&mut self, fates: &Counts, add_own: impl FnOnce(&mut Vec<f64>)) {
        self.fates.iter_mut().zip(fates).for_each(|(sum, count)| *sum += count);
        add_own(&mut self.own);
    }

    /// The first of its own numbers is that of emitted events.
    fn activity(&self) -> f64 {
        self.own.first().copied().unwrap_or_default() + self.fates.iter().sum::<u64>() as f64
    }
}

impl Member {
    /// Keeps numbers that the owner counts for events of this name, until it [closes](Self::close_rows) them.
    pub fn keep_row(&self, name: Name, row: Box<dyn Row>) {
        let mut ledger = lock(&self.channel().ledger);
        ledger.rows.entry(self.id()).or_default().push((name, row));
    }

    /// Adds the numbers of its rows to those of the channel, and lets go of the rows.
    pub fn close_rows(&self) {
        lock(&self.channel().ledger).close_member(self.id());
    }
}

impl Channel {
    /// Returns its numbers. Nobody is waited for.
    pub fn survey(&self, progress: Progress) -> Survey {
        let routes: Vec<_> = lock(&self.routes).by_event.values().cloned().collect();
        let mut by_name: HashMap<Name, Numbers> = HashMap::new();
        for route in &routes {
            let fates = route.fates.counts();
            if fates != Counts::default() {
                by_name.entry(Some(route.name().clone())).or_default().add(&fates, |_| {});
            }
        }
        let mut counted: HashMap<MemberId, Counted> = HashMap::new();
        {
            let ledger = lock(&self.ledger);
            for (name, past) in &ledger.past {
                let add = |sums: &mut Vec<f64>| add_all(&past.own, sums);
                by_name.entry(name.clone()).or_default().add(&past.fates, add);
            }
            for (member, rows) in &ledger.rows {
                let Counted { own, running } = counted.entry(*member).or_default();
                for (name, row) in rows {
                    let mut numbers = Vec::new();
                    row.add_to(&mut numbers);
                    add_all(&numbers, own);
                    let count = progress.running(&numbers);
                    if count > 0.0 {
                        running.push((name.clone(), count));
                    }
                    let of_name = by_name.entry(name.clone()).or_default();
                    of_name.add(&Counts::default(), |sums| add_all(&numbers, sums));
                }
            }
        }
        let mut groups: HashMap<MemberId, BTreeSet<Arc<str>>> = HashMap::new();
        routes
            .iter()
            .take(MOST_LOOKED_AT)
            .for_each(|route| lock(&route.table).add_groups(&mut groups));
        let load = |member: Arc<Member>| {
            let Counted { own, running } = counted.remove(&member.id()).unwrap_or_default();
            let groups = groups.remove(&member.id()).unwrap_or_default();
            Load { member, own, running, groups }
        };
        let members = lock(&self.members).all();
        let events = lock(&self.ledger).tell_apart(by_name);
        Survey { events, loads: members.into_iter().map(load).collect() }
    }
}

/// Adds numbers to sums, one by one.
pub fn add_all(numbers: &[f64], sums: &mut Vec<f64>) {
    if sums.len() < numbers.len() {
        sums.resize(numbers.len(), 0.0);
    }
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
}
