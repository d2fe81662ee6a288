//! Events for listeners that were chosen elsewhere, in another process.

use std::collections::HashSet;
use std::sync::Arc;

use super::Delivery;
use super::Dispatch;
use super::member::Member;
use super::route::{Route, queue, wake_all};
use super::row::{Entry, Row};
use super::table::Table;
use crate::engine::capacity::Bound;
use crate::engine::delivery::dispatch::Emission;
use crate::engine::delivery::recipient::{Choice, Recipient};
use crate::engine::ids::ListenerId;
use crate::engine::outcome::Report;
use crate::engine::payload::{Content, Payload};
use crate::engine::sync::lock;

/// An event for some listeners of one member. Each step is [reported](Report::Each).
pub struct Named<'a> {
    /// The listeners.
    pub listeners: &'a [ListenerId],
    /// The arguments, encoded.
    pub payload: Payload,
    /// True for a request.
    pub request: bool,
    /// True if it may be [cancelled](Dispatch::cancel).
    pub cancellable: bool,
    /// Milliseconds that are left, and of how many.
    pub timeout: Option<(u32, u32)>,
    /// Names it in the reports.
    pub token: u32,
    /// True if its emitter hears of each failure.
    pub awaited: bool,
}

/// The fate of an event for named listeners.
pub enum Taken {
    /// It is on its way to those of them that are there: the places of these among the named ones.
    By(Vec<u32>, Arc<Dispatch>),
    /// None of them is there any more.
    ByNobody,
    /// There is no room for it. Nothing has happened.
    Full(Bound),
}

impl Route {
    /// Delivers an event to listeners of a member. `once` listeners are claimed.
    pub fn deliver(
        self: &Arc<Self>,
        emitter: &Arc<Member>,
        to: &Arc<Member>,
        named: Named<'_>,
    ) -> Taken {
        let mut table = lock(&self.table);
        let places = table.places_of(to, named.listeners);
        if places.is_empty() {
            return Taken::ByNobody;
        }
        let full = table.full_queue_of(to, named.listeners[places[0] as usize]);
        let room = full.map_or_else(|| to.take_room(named.payload.size()), Err);
        if let Err(bound) = room {
            return Taken::Full(bound);
        }
        let is_there = |place: &u32| named.listeners[*place as usize];
        let listeners: Arc<[ListenerId]> = places.iter().map(is_there).collect();
        let has_claimed = table.claim(to, &listeners);
        table.prune();
        let recipient =
            Recipient::new(to.clone(), listeners, Choice::Everyone, Ok(()), has_claimed);
        let emission = Emission {
            payload: None,
            request: named.request,
            timeout: None,
            cancellable: named.cancellable || named.timeout.is_some(),
            key: None,
            report: Report::Each { token: named.token, awaited: named.awaited },
        };
        let payload = Content::Kept(named.payload).into_payload().unwrap_or_default();
        let dispatch = Dispatch::begin(self, emitter, emission, payload, vec![recipient]);
        let (to_wake, refused) = queue(Delivery::all(&dispatch));
        drop(table);
        wake_all(&to_wake);
        drop(refused);
        if let Some((left, of)) = named.timeout {
            dispatch.expire_in(left, of);
        }
        Taken::By(places, dispatch)
    }

    /// Returns whether a listener of another process gets events of this member.
    pub fn has_ghosts(&self, emitter: &Arc<Member>) -> bool {
        lock(&self.table).has_ghosts(emitter)
    }
}

impl Table {
    /// Returns the places of those of these listeners that a member has.
    fn places_of(&self, member: &Arc<Member>, ids: &[ListenerId]) -> Vec<u32> {
        let Some(&at) = self.places.get(&member.id()) else { return Vec::new() };
        let entries = &self.rows[at].entries;
        if let [id] = ids {
            let is_here = entries.iter().any(|entry| entry.id == *id);
            return if is_here { vec![0] } else { Vec::new() };
        }
        let here: HashSet<_> = entries.iter().map(|entry| entry.id).collect();
        (0..).zip(ids).filter(|(_, id)| here.contains(id)).map(|(place, _)| place).collect()
    }

    /// Returns the bound of the queue of a member and its group, if no more may wait for a listener of it.
    fn full_queue_of(&self, member: &Member, id: ListenerId) -> Option<Bound> {
        let row = &self.rows[*self.places.get(&member.id())?];
        let group = row.entries.iter().find(|entry| entry.id == id)?.group.clone()?;
        self.full_queue(member, &Choice::Group(group))
    }

    /// Counts an event for these listeners of a member, and claims the `once` ones. Returns whether there were any.
    fn claim(&mut self, member: &Arc<Member>, ids: &[ListenerId]) -> bool {
        let Some(&at) = self.places.get(&member.id()) else { return false };
        self.rows[at].addressed += 1;
        if self.special == 0 {
            return false;
        }
        let named: HashSet<_> = ids.iter().collect();
        let is_claimed = |entry: &Entry| entry.once && named.contains(&entry.id);
        let entries = self.rows[at].entries.extract_if(.., |entry| is_claimed(entry));
        let claimed: Vec<_> = entries.collect();
        claimed.iter().for_each(|entry| self.took_entry(at, entry));
        !claimed.is_empty()
    }

    /// Returns whether another member is of another process.
    fn has_ghosts(&self, emitter: &Arc<Member>) -> bool {
        let is_other = |row: &&Row| !row.is_empty() && !Arc::ptr_eq(&row.member, emitter);
        self.rows.iter().filter(is_other).any(|row| row.member.endpoint().is_ghost())
    }
}
