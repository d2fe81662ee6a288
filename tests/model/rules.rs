//! What the engine promises, in as few words as possible: no locks, no threads, no cleverness.

use std::collections::VecDeque;

use parallel_event_bus::core::outcome::{Cause, Failure, Outcome};
use parallel_event_bus::core::route::Own;

pub const EVENTS: usize = 3;

/// Members, endpoints and emissions are named by their places in these lists.
#[derive(Default)]
pub struct Rules {
    pub endpoints: Vec<Endpoint>,
    pub members: Vec<Member>,
    /// Who listens to each event, in order.
    pub rows: [Vec<Row>; EVENTS],
    pub emissions: Vec<Emission>,
    choices: u64,
}

#[derive(Default)]
pub struct Endpoint {
    pub closed: bool,
    /// Events in the mailbox, in order.
    pub queue: VecDeque<Item>,
    /// What other letters will say, in any order.
    pub letters: Vec<String>,
}

/// An event on its way to a member: an emission and its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub emission: usize,
    pub part: usize,
}

pub struct Member {
    pub endpoint: usize,
    pub left: bool,
    pub limits: (usize, usize),
    pub messages: usize,
    pub bytes: usize,
    pub in_flight: usize,
    pub pending: usize,
    pub failed: usize,
    pub waits_for_room: bool,
}

pub struct Row {
    pub member: usize,
    pub entries: Vec<Entry>,
}

#[derive(Clone)]
pub struct Entry {
    pub id: u32,
    pub once: bool,
    pub limited: bool,
    pub group: Option<usize>,
    pub chosen: u64,
}

pub struct Emission {
    pub emitter: usize,
    pub event: usize,
    pub size: usize,
    /// In packets: a part is an event of its own.
    pub post: bool,
    pub limited: bool,
    pub to_one: bool,
    pub withdrawn: bool,
    pub token: Option<u32>,
    pub parts: Vec<Part>,
    pub outcome: Outcome,
}

pub struct Part {
    pub member: usize,
    pub listeners: Vec<u32>,
    pub choice: Choice,
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
    fn allows(self, entry: &Entry) -> bool {
        match self {
            Choice::Everyone => entry.group.is_none(),
            Choice::Group(group) => entry.group == Some(group),
            Choice::Any => true,
        }
    }
}

impl Part {
    pub fn open(&self) -> u32 {
        self.settled.iter().filter(|settled| !**settled).count() as u32
    }
}

impl Emission {
    pub fn is_finished(&self) -> bool {
        self.parts.iter().all(|part| part.open() == 0)
    }
}

impl Rules {
    pub fn join(&mut self, endpoint: usize, limits: (usize, usize)) {
        self.members.push(Member {
            endpoint,
            left: self.endpoints[endpoint].closed,
            limits,
            messages: 0,
            bytes: 0,
            in_flight: 0,
            pending: 0,
            failed: 0,
            waits_for_room: false,
        });
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

    pub fn unlisten(&mut self, member: usize, id: u32) {
        for rows in &mut self.rows {
            for row in rows.iter_mut().filter(|row| row.member == member) {
                row.entries.retain(|entry| entry.id != id);
            }
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        self.rows.iter_mut().for_each(|rows| rows.retain(|row| !row.entries.is_empty()));
    }

    pub fn leave(&mut self, member: usize) {
        self.members[member].left = true;
        self.rows.iter_mut().for_each(|rows| rows.retain(|row| row.member != member));
        self.tell_drained();
    }

    fn fits(&self, member: usize, size: usize) -> bool {
        let Member { limits, messages, bytes, .. } = self.members[member];
        messages < limits.0 && (messages == 0 || bytes + size <= limits.1)
    }

    fn take(&mut self, member: usize, size: usize) -> bool {
        let fits = self.fits(member, size);
        if fits {
            self.members[member].messages += 1;
            self.members[member].bytes += size;
        }
        fits
    }

    /// Whether more than one part in `parts` of either bound is used.
    fn uses(&self, member: usize, parts: usize) -> bool {
        let Member { limits, messages, bytes, .. } = self.members[member];
        messages > limits.0 / parts || bytes > limits.1 / parts
    }

    /// An event of this size no longer waits for a member.
    pub fn give_back(&mut self, member: usize, messages: usize, bytes: usize) {
        let was_low = !self.uses(member, 4);
        self.members[member].messages -= messages;
        self.members[member].bytes -= bytes;
        if !was_low && !self.uses(member, 4) {
            self.tell_drained();
        }
    }

    pub fn wait_for_room(&mut self, member: usize) {
        self.members[member].waits_for_room = true;
        self.tell_drained();
    }

    pub fn is_congested(&self, except: usize) -> bool {
        (0..self.members.len()).any(|at| {
            let other = &self.members[at];
            !other.left && other.endpoint != except && self.uses(at, 2)
        })
    }

    fn tell_drained(&mut self) {
        for at in 0..self.members.len() {
            let Member { left, endpoint, waits_for_room, .. } = self.members[at];
            if !left && waits_for_room && !self.is_congested(endpoint) {
                self.members[at].waits_for_room = false;
                self.letter(endpoint, format!("drained {at}"));
            }
        }
    }

    pub fn letter(&mut self, endpoint: usize, said: String) {
        if !self.endpoints[endpoint].closed {
            self.endpoints[endpoint].letters.push(said);
        }
    }

    /// Row and entry of who is chosen, and whether there is room, which is taken.
    fn choose(
        &mut self,
        event: usize,
        choice: Choice,
        size: usize,
        own: Option<usize>,
        except: Option<usize>,
    ) -> Option<(usize, usize, bool)> {
        let mut candidates: Vec<_> = self.rows[event]
            .iter()
            .enumerate()
            .filter(|(_, row)| Some(row.member) != except)
            .filter_map(|(at, row)| {
                let entry = row.entries.iter().position(|entry| choice.allows(entry))?;
                let in_flight = self.members[row.member].in_flight;
                Some((in_flight, row.entries[entry].chosen, at, entry))
            })
            .collect();
        candidates.sort_unstable();
        for &(_, _, row, entry) in &candidates {
            let member = self.rows[event][row].member;
            if own == Some(member) || self.take(member, size) {
                return Some((row, entry, true));
            }
        }
        candidates.first().map(|&(_, _, row, entry)| (row, entry, false))
    }

    /// The id of the chosen listener, which is used up if it is a `once` listener.
    fn claim(&mut self, event: usize, row: usize, entry: usize) -> u32 {
        self.choices += 1;
        let entries = &mut self.rows[event][row].entries;
        entries[entry].chosen = self.choices;
        let id = entries[entry].id;
        if entries[entry].once {
            entries.remove(entry);
        }
        id
    }

    pub fn has_others(&self, emitter: usize, event: usize) -> bool {
        self.rows[event].iter().any(|row| row.member != emitter)
    }

    pub fn is_plain(&self, event: usize) -> bool {
        let entries = self.rows[event].iter().flat_map(|row| &row.entries);
        entries.into_iter().all(|entry| !entry.once && !entry.limited && entry.group.is_none())
    }

    /// Returns what the emitter has to call itself. `emission` has no parts yet.
    pub fn emit(&mut self, mut emission: Emission) -> Vec<Own> {
        let Emission { emitter, event, size, to_one, .. } = emission;
        let mut own = Vec::new();
        let mut parts = Vec::new();
        if !to_one {
            for row in 0..self.rows[event].len() {
                let member = self.rows[event][row].member;
                let entries = self.rows[event][row].entries.clone();
                let ids: Vec<_> =
                    entries.iter().filter(|e| e.group.is_none()).map(|e| e.id).collect();
                let mut has_room = true;
                if member == emitter {
                    let once = entries.iter().filter(|e| e.group.is_none() && e.once);
                    own.extend(once.map(|e| Own { listener: e.id, chosen: false }));
                } else if !ids.is_empty() {
                    has_room = self.take(member, size);
                    parts.push((member, ids, Choice::Everyone, has_room));
                }
                if has_room {
                    let row = &mut self.rows[event][row];
                    row.entries.retain(|entry| !entry.once || entry.group.is_some());
                }
            }
        }
        let mut choices = if to_one { vec![Choice::Any] } else { vec![] };
        if !to_one {
            for entry in self.rows[event].iter().flat_map(|row| &row.entries) {
                let choice = entry.group.map(Choice::Group);
                choices.extend(choice.filter(|choice| !choices.contains(choice)));
            }
        }
        for choice in choices {
            let chosen = self.choose(event, choice, size, Some(emitter), None);
            let Some((row, entry, has_room)) = chosen else { continue };
            let member = self.rows[event][row].member;
            let id = if has_room {
                self.claim(event, row, entry)
            } else {
                self.rows[event][row].entries[entry].id
            };
            if member == emitter {
                self.members[member].in_flight += 1;
                own.push(Own { listener: id, chosen: true });
            } else {
                parts.push((member, vec![id], choice, has_room));
            }
        }
        self.tidy();
        if !parts.is_empty() {
            self.members[emitter].pending += 1;
        }
        emission.limited |= to_one || parts.iter().any(|part| part.2 != Choice::Everyone);
        self.send(emission, parts);
        own
    }

    /// Returns how many listeners elsewhere there are.
    pub fn post(&mut self, emission: Emission) -> u32 {
        let Emission { emitter, event, size, .. } = emission;
        let mut parts = Vec::new();
        for row in 0..self.rows[event].len() {
            let member = self.rows[event][row].member;
            if member != emitter {
                let ids = self.rows[event][row].entries.iter().map(|entry| entry.id).collect();
                self.members[emitter].pending += 1;
                let has_room = self.take(member, size);
                parts.push((member, ids, Choice::Everyone, has_room));
            }
        }
        let listeners = parts.iter().map(|part: &(_, Vec<u32>, _, _)| part.1.len() as u32).sum();
        self.send(emission, parts);
        listeners
    }

    fn send(&mut self, mut emission: Emission, parts: Vec<(usize, Vec<u32>, Choice, bool)>) {
        let number = self.emissions.len();
        let mut refused = Vec::new();
        for (at, (member, listeners, choice, has_room)) in parts.into_iter().enumerate() {
            let settled = vec![false; listeners.len()];
            emission.parts.push(Part { member, listeners, choice, started: false, settled });
            if has_room {
                self.queue(member, Item { emission: number, part: at });
            } else {
                refused.push(at);
            }
        }
        self.emissions.push(emission);
        for part in refused {
            self.fail_rest(Item { emission: number, part }, Cause::Full);
        }
    }

    fn queue(&mut self, member: usize, item: Item) {
        self.members[member].in_flight += 1;
        let endpoint = self.members[member].endpoint;
        self.endpoints[endpoint].queue.push_back(item);
    }

    pub fn part(&self, item: Item) -> &Part {
        &self.emissions[item.emission].parts[item.part]
    }

    fn part_mut(&mut self, item: Item) -> &mut Part {
        &mut self.emissions[item.emission].parts[item.part]
    }

    pub fn start(&mut self, item: Item) -> bool {
        let may = !self.emissions[item.emission].withdrawn && self.part(item).open() > 0;
        self.part_mut(item).started |= may;
        may
    }

    /// One listener is done: None for one that counts for nothing.
    pub fn settle(
        &mut self,
        item: Item,
        index: usize,
        result: Option<Result<Option<Vec<u8>>, Cause>>,
    ) {
        let thread = self.thread_of(self.part(item).member);
        let part = self.part_mut(item);
        if part.settled.get(index).is_none_or(|settled| *settled) {
            return;
        }
        part.settled[index] = true;
        let outcome = &mut self.emissions[item.emission].outcome;
        match result {
            None => {}
            Some(Ok(answer)) => {
                outcome.success += 1;
                outcome.answer = answer;
            }
            Some(Err(cause)) => {
                let (part, index) = (item.part as u32, index as u32);
                outcome.failures.push(Failure { part, index, listeners: 1, thread, cause });
            }
        }
        self.finish(item);
    }

    pub fn thread_of(&self, member: usize) -> u32 {
        self.members[member].endpoint as u32
    }

    /// All listeners of a part that have not settled fail.
    pub fn fail_rest(&mut self, item: Item, cause: Cause) {
        let listeners = self.part(item).open();
        if listeners == 0 {
            return;
        }
        let thread = self.thread_of(self.part(item).member);
        let part = self.part_mut(item);
        let started = part.started;
        let index = part.settled.iter().position(|settled| !settled).unwrap() as u32;
        part.settled.fill(true);
        let emission = &mut self.emissions[item.emission];
        let part = item.part as u32;
        let failure = Failure { part, index, listeners, thread, cause: cause.clone() };
        emission.outcome.failures.push(failure);
        let emitter = emission.emitter;
        if !emission.withdrawn {
            let endpoint = self.members[emitter].endpoint;
            let what = format!("{} {cause:?} × {listeners}", item.emission);
            self.letter(endpoint, format!("lost {what}, {thread}, {started}, {emitter}"));
        }
        self.finish(item);
    }

    fn finish(&mut self, item: Item) {
        let emission = &self.emissions[item.emission];
        let emitter = emission.emitter;
        if emission.post {
            if self.part(item).open() == 0 {
                self.members[emitter].pending -= 1;
            }
            return;
        }
        if !emission.is_finished() {
            return;
        }
        let emission = &mut self.emissions[item.emission];
        emission.outcome.failures.sort_by_key(|failure| (failure.part, failure.index));
        let (token, outcome) = (emission.token, emission.outcome.clone());
        self.members[emitter].pending -= 1;
        self.members[emitter].failed += outcome.failed() as usize;
        if let (Some(token), false) = (token, self.emissions[item.emission].withdrawn) {
            let endpoint = self.members[emitter].endpoint;
            self.letter(endpoint, format!("settled {token} {outcome:?}"));
        }
    }

    /// An event of a packet is dealt with, and so many of its listeners failed.
    pub fn settle_post(&mut self, item: Item) {
        if self.part(item).open() > 0 {
            let member = self.part(item).member;
            self.members[member].in_flight -= 1;
            self.part_mut(item).settled.fill(true);
            self.finish(item);
        }
    }

    /// A packet with this event was dropped.
    pub fn drop_post(&mut self, item: Item) {
        let open = self.part(item).open();
        let emitter = self.emissions[item.emission].emitter;
        if open > 0 {
            self.members[emitter].failed += open as usize;
            let member = self.part(item).member;
            self.members[member].in_flight -= 1;
            self.fail_rest(item, Cause::Gone);
        }
    }

    /// A delivery was dropped.
    pub fn drop_delivery(&mut self, item: Item) {
        let member = self.part(item).member;
        self.members[member].in_flight -= 1;
        let part = self.part(item);
        if part.open() == 0 {
            return;
        }
        let (choice, started) = (part.choice, part.started);
        let Emission { event, size, .. } = self.emissions[item.emission];
        if !started && choice != Choice::Everyone {
            let chosen = self.choose(event, choice, size, None, Some(member));
            if let Some((row, entry, true)) = chosen {
                let to = self.rows[event][row].member;
                let id = self.claim(event, row, entry);
                self.tidy();
                self.part_mut(item).member = to;
                self.part_mut(item).listeners = vec![id];
                self.queue(to, item);
                return;
            }
        }
        self.fail_rest(item, Cause::Gone);
    }

    pub fn withdraw(&mut self, emission: usize) {
        self.emissions[emission].withdrawn = true;
        let mut last = None;
        for part in 0..self.emissions[emission].parts.len() {
            let item = Item { emission, part };
            if !self.part(item).started && self.part(item).open() > 0 {
                self.part_mut(item).settled.fill(true);
                last = Some(item);
            }
        }
        if let Some(item) = last {
            self.finish(item);
        }
    }

    pub fn expire(&mut self, emission: usize, ms: u32) {
        for part in 0..self.emissions[emission].parts.len() {
            self.fail_rest(Item { emission, part }, Cause::TimedOut(ms));
        }
    }

    /// What waited is dropped, and so is what it `had` collected, in this order.
    pub fn close(&mut self, endpoint: usize, had: &[Item]) {
        let members = 0..self.members.len();
        let of = |rules: &Self, at: usize| {
            rules.members[at].endpoint == endpoint && !rules.members[at].left
        };
        let leaving: Vec<_> = members.clone().filter(|at| of(self, *at)).collect();
        leaving.iter().for_each(|member| self.leave(*member));
        self.endpoints[endpoint].closed = true;
        self.endpoints[endpoint].letters.clear();
        while let Some(item) = self.endpoints[endpoint].queue.pop_front() {
            let (member, size) = (self.part(item).member, self.emissions[item.emission].size);
            self.give_back(member, 1, size);
            self.drop_item(item);
        }
        if !leaving.is_empty() {
            for at in members {
                let Member { left, endpoint: of, .. } = self.members[at];
                if !left && of != endpoint {
                    self.letter(of, format!("exit {at} {endpoint}"));
                }
            }
            self.tell_drained();
        }
        had.iter().for_each(|item| self.drop_item(*item));
    }

    pub fn drop_item(&mut self, item: Item) {
        if self.emissions[item.emission].post {
            self.drop_post(item);
        } else {
            self.drop_delivery(item);
        }
    }
}
