//! The promises of the engine, in as few words as possible: no locks, no threads, no cleverness.

use std::collections::VecDeque;

use parallel_event_bus::engine::outcome::Outcome;

pub const EVENTS: usize = 3;

/// Members, endpoints and emissions are named by their places in these lists.
#[derive(Default)]
pub struct Rules {
    pub endpoints: Vec<Endpoint>,
    pub members: Vec<Member>,
    /// The listeners to each event, in order.
    pub rows: [Vec<Row>; EVENTS],
    pub emissions: Vec<Emission>,
    pub choices: u64,
}

#[derive(Default)]
pub struct Endpoint {
    pub closed: bool,
    /// Events in the mailbox, in order.
    pub queue: VecDeque<Item>,
    /// Texts of the other messages, in any order.
    pub messages: Vec<String>,
}

/// An event on its way to a member: an emission and its recipient, and how often that had moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub emission: usize,
    pub recipient: usize,
    pub moves: usize,
}

pub struct Member {
    pub endpoint: usize,
    pub left: bool,
    pub limits: (usize, usize),
    pub events: usize,
    pub bytes: usize,
    pub in_flight: usize,
    pub pending: usize,
    pub failed: usize,
    /// How often it asked for room and was not told since.
    pub asked: usize,
}

pub struct Row {
    pub member: usize,
    pub entries: Vec<Entry>,
}

#[derive(Clone)]
pub struct Entry {
    pub id: u32,
    pub once: bool,
    pub tracked: bool,
    pub group: Option<usize>,
    pub chosen: u64,
    /// An event was addressed to a listener of its row since it was added.
    pub addressed: bool,
}

/// The remains of a listener that was removed, but for where it waits.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    Something,
}

pub struct Emission {
    pub emitter: usize,
    pub event: usize,
    pub size: usize,
    /// In batches: a recipient is an event of its own.
    pub publish: bool,
    pub must_start: bool,
    pub request: bool,
    pub cancelled: bool,
    pub token: Option<u32>,
    pub recipients: Vec<Recipient>,
    pub outcome: Outcome,
}

pub struct Recipient {
    pub member: usize,
    pub listeners: Vec<u32>,
    pub choice: Choice,
    pub moves: usize,
    /// A `once` listener was claimed for it.
    pub claimed: bool,
    /// One was, now or before: so its place among others that may be taken over is not that of its emission.
    pub was_claimed: bool,
    /// It counts as in flight for its member.
    pub in_flight: bool,
    pub started: bool,
    pub settled: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Everyone,
    Group(usize),
    Any,
}

impl Choice {
    pub fn allows(self, entry: &Entry) -> bool {
        match self {
            Choice::Everyone => entry.group.is_none(),
            Choice::Group(group) => entry.group == Some(group),
            Choice::Any => true,
        }
    }
}

impl Recipient {
    pub fn open(&self) -> u32 {
        self.settled.iter().filter(|settled| !**settled).count() as u32
    }
}

impl Recipient {
    /// Another member may have it.
    pub fn is_movable(&self) -> bool {
        let is_chosen = self.choice != Choice::Everyone;
        is_chosen && self.in_flight && !self.started && !self.claimed && self.open() > 0
    }
}

impl Emission {
    pub fn is_finished(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.open() == 0)
    }
}

impl Rules {
    pub fn join(&mut self, endpoint: usize, limits: (usize, usize)) {
        self.members.push(Member {
            endpoint,
            left: self.endpoints[endpoint].closed,
            limits,
            events: 0,
            bytes: 0,
            in_flight: 0,
            pending: 0,
            failed: 0,
            asked: 0,
        });
        if self.endpoints[endpoint].closed {
            // It leaves as it comes.
            self.tell_drained();
        }
    }

    pub fn listen(&mut self, member: usize, event: usize, prepend: bool, entry: Entry) {
        if self.members[member].left {
            return;
        }
        let rows = &mut self.rows[event];
        let at = rows.iter().position(|row| row.member == member).unwrap_or_else(|| {
            rows.push(Row { member, entries: Vec::new() });
            rows.len() - 1
        });
        let entries = &mut rows[at].entries;
        entries.insert(if prepend { 0 } else { entries.len() }, entry);
    }

    pub fn unlisten(&mut self, member: usize, id: u32) -> Left {
        let mut left = Left::Something;
        for rows in &mut self.rows {
            for row in rows.iter_mut().filter(|row| row.member == member) {
                let is_it = |entry: &Entry| entry.id == id;
                if row.entries.iter().any(|entry| is_it(entry) && !entry.addressed) {
                    left = Left::Nothing;
                }
                row.entries.retain(|entry| !is_it(entry));
            }
        }
        self.tidy();
        left
    }

    pub fn tidy(&mut self) {
        self.rows.iter_mut().for_each(|rows| rows.retain(|row| !row.entries.is_empty()));
    }

    pub fn leave(&mut self, member: usize) {
        self.members[member].left = true;
        self.members[member].asked = 0;
        self.rows.iter_mut().for_each(|rows| rows.retain(|row| row.member != member));
        self.tell_drained();
    }

    pub fn fits(&self, member: usize, size: usize) -> bool {
        self.fits_within(member, size, self.members[member].limits)
    }

    fn fits_within(&self, member: usize, size: usize, limits: (usize, usize)) -> bool {
        let Member { events, bytes, .. } = self.members[member];
        events < limits.0 && (events == 0 || bytes + size <= limits.1)
    }

    pub fn take(&mut self, member: usize, size: usize) -> bool {
        let limits = self.members[member].limits;
        self.take_within(member, size, limits)
    }

    /// Takes an event that another member had. Beyond its own bound it has room for as much as that one had.
    pub fn take_over(&mut self, member: usize, size: usize, former: usize) -> bool {
        let (events, bytes) = self.members[member].limits;
        let (more_events, more_bytes) = self.members[former].limits;
        self.take_within(member, size, (events + more_events, bytes + more_bytes.max(size)))
    }

    fn take_within(&mut self, member: usize, size: usize, limits: (usize, usize)) -> bool {
        let fits = self.fits_within(member, size, limits);
        if fits {
            self.members[member].events += 1;
            self.members[member].bytes += size;
        }
        fits
    }

    /// Whether more than one part in `parts` of either bound is used.
    pub fn uses(&self, member: usize, parts: usize) -> bool {
        let Member { limits, events, bytes, .. } = self.members[member];
        events > limits.0 / parts || bytes > limits.1 / parts
    }

    /// An event of this size takes no room any more. Returns whether little is used now, and whether no more than
    /// half is, of which [`Rules::tell_of_room`] is to know.
    pub fn give_back(&mut self, member: usize, size: usize) -> (bool, bool) {
        let (was_high, was_low) = (self.uses(member, 2), !self.uses(member, 4));
        self.members[member].events -= 1;
        self.members[member].bytes -= size;
        let is_low = !was_low && !self.uses(member, 4);
        (is_low, was_high && !self.uses(member, 2))
    }

    pub fn tell_of_room(&mut self, member: usize, (is_low, is_not_high): (bool, bool)) {
        if is_low || (is_not_high && self.asked(self.members[member].endpoint) > 0) {
            self.tell_drained();
        }
    }

    pub fn wait_for_room(&mut self, member: usize) {
        self.members[member].asked += 1;
        self.tell_drained();
    }

    fn asked(&self, endpoint: usize) -> usize {
        self.places(endpoint).map(|at| self.members[at].asked).sum()
    }

    fn places(&self, endpoint: usize) -> impl Iterator<Item = usize> {
        let is_there = move |member: &Member| !member.left && member.endpoint == endpoint;
        (0..self.members.len()).filter(move |at| is_there(&self.members[*at]))
    }

    fn is_high(&self, endpoint: usize) -> bool {
        self.places(endpoint).any(|at| self.uses(at, 2))
    }

    /// Whether its room is scarce only for those of its listeners that may wait for room themselves.
    fn is_blocked(&self, endpoint: usize) -> bool {
        let asked = self.asked(endpoint);
        let is_high_without = |at: usize| {
            let Member { limits, events, bytes, .. } = self.members[at];
            let left = events.saturating_sub(asked);
            left > limits.0 / 2 || bytes * left / events.max(1) > limits.1 / 2
        };
        self.is_high(endpoint) && !self.places(endpoint).any(is_high_without)
    }

    pub fn is_congested(&self, except: usize) -> bool {
        let mut others = (0..self.endpoints.len()).filter(|at| *at != except && self.is_high(*at));
        others.any(|at| !self.is_blocked(at) || !self.is_blocked(except))
    }

    pub fn tell_drained(&mut self) {
        let free: Vec<_> = (0..self.endpoints.len()).filter(|at| !self.is_congested(*at)).collect();
        for at in 0..self.members.len() {
            let Member { left, endpoint, asked, .. } = self.members[at];
            if !left && asked > 0 && free.contains(&endpoint) {
                self.members[at].asked = 0;
                self.message(endpoint, format!("drained {at}"));
            }
        }
    }

    pub fn message(&mut self, endpoint: usize, said: String) {
        if !self.endpoints[endpoint].closed {
            self.endpoints[endpoint].messages.push(said);
        }
    }
}
