//! Events with a key: in a group, those of one key go to one member, in order, as long as any is in flight there.
//!
//! The events of a key that are in flight are its *line*. It has a *stretch* for each member that has some of them, in
//! the order of emission, and usually there is one. A further one begins where the member of the last one does not
//! listen any more. Its deliveries are kept back until all before them are done, so a key is never at two members. When
//! a member ceases to listen, the deliveries that it has not started are [handed over](Route::hand_over): all of a key,
//! in order, to one other.
//!
//! A line is gone with the last event of it. An event costs the same however many keys there are.

use std::collections::{HashMap, VecDeque};
use std::mem::take;
use std::sync::Arc;

use super::backlog::Backlog;
use super::choosing::Chosen;
use super::member::Member;
use super::route::{Route, queue, wake_all};
use super::table::Table;
use super::{Delivery, Dispatch};
use crate::engine::delivery::recipient::Choice;
use crate::engine::ids::MemberId;
use crate::engine::metrics;
use crate::engine::sync::lock;

/// Number of deliveries that are kept back from which on those that nobody needs are looked for.
const FIRST_SWEEP: usize = 256;

/// Names a line of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) group: Arc<str>,
    key: Arc<str>,
}

/// An event of a line that is in flight. It has to [end](InLine::end), with no lock held.
pub struct InLine {
    route: Arc<Route>,
    name: Name,
    /// Stretch that it belongs to.
    stretch: u32,
}

/// The lines of a table. See the [module](self).
#[derive(Default)]
pub(super) struct Lines {
    by_name: HashMap<Name, VecDeque<Stretch>>,
    /// Of each member and group the lines with a stretch of it, and how many they have.
    by_member: HashMap<MemberId, HashMap<Arc<str>, HashMap<Name, usize>>>,
    /// Recipients of the event that is being addressed, and the lines that they belong to.
    noted: Vec<(u32, Name)>,
    last_stretch: u32,
}

/// Events of a line for one member, one after the other.
pub(super) struct Stretch {
    id: u32,
    pub(super) member: Arc<Member>,
    pub(super) in_flight: usize,
    pub(super) backlog: Backlog,
    /// Deliveries that wait for earlier stretches.
    pub(super) kept_back: VecDeque<Delivery>,
    /// Deliveries that another process had, and has not started: its listener is gone.
    refused: Vec<Delivery>,
    /// True if nothing more is added: its member is of another process, and has ceased to listen while it had some.
    pub(super) is_closed: bool,
    sweep_at: usize,
}

impl InLine {
    /// Returns one for an event that is counted in a stretch.
    pub(super) fn new(route: &Arc<Route>, name: &Name, stretch: u32) -> Self {
        InLine { route: route.clone(), name: name.clone(), stretch }
    }

    /// Returns the name of its line, and the number of its stretch.
    pub(super) fn place(&self) -> (Name, u32) {
        (self.name.clone(), self.stretch)
    }

    /// The event is not in flight any more.
    pub fn end(self) {
        let mut table = lock(&self.route.table);
        let ready = table.lines.end(&self.name, self.stretch);
        let (over, ready): (Vec<_>, Vec<_>) = ready.into_iter().partition(Delivery::is_over);
        let (to_wake, refused) = queue(ready);
        let left = self.route.pass_on(&mut table, &self.name, self.stretch);
        drop(table);
        wake_all(&to_wake);
        drop((over, refused));
        left.finish();
    }
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns a name for this key; the member that its last events are in flight for, if there is one; and whether an
    /// event for that member has to wait for others.
    fn last(&self, group: &Arc<str>, key: &Arc<str>) -> Option<(Name, Arc<Member>, bool)> {
        let name = Name { group: group.clone(), key: key.clone() };
        let line = self.by_name.get(&name)?;
        let last = line.back()?;
        Some((name, last.member.clone(), line.len() > 1 || last.is_closed))
    }

    /// Counts one more event as in flight for a member.
    pub(super) fn enter(&mut self, route: &Arc<Route>, name: Name, member: &Arc<Member>) -> InLine {
        let last = self.by_name.get(&name).and_then(VecDeque::back);
        if !last.is_some_and(|last| Arc::ptr_eq(&last.member, member) && !last.is_closed) {
            let at = self.by_name.get(&name).map_or(0, VecDeque::len);
            self.begin(&name, at, member);
        }
        let last = self.by_name.get_mut(&name).and_then(VecDeque::back_mut);
        let stretch = last.map_or(0, |last| {
            last.in_flight += 1;
            last.id
        });
        InLine::new(route, &name, stretch)
    }

    /// Begins a stretch, which is to be at this place of its line.
    fn begin(&mut self, name: &Name, at: usize, member: &Arc<Member>) {
        self.last_stretch = self.last_stretch.wrapping_add(1);
        let groups = self.by_member.entry(member.id()).or_default();
        let names = groups.entry(name.group.clone()).or_default();
        *names.entry(name.clone()).or_default() += 1;
        let line = self.by_name.entry(name.clone()).or_default();
        line.insert(at, Stretch::new(self.last_stretch, name, member));
    }

    /// Notes that a recipient of the event that is being addressed belongs to a line.
    pub(super) fn note(&mut self, recipient: usize, name: Name) {
        self.noted.push((u32::try_from(recipient).unwrap_or(u32::MAX), name));
    }

    /// Adds the recipients that were noted. Returns the deliveries that can be made at once, of all of the event.
    pub(super) fn add(
        &mut self,
        dispatch: &Arc<Dispatch>,
        mut deliveries: Vec<Delivery>,
        over: &mut Vec<Delivery>,
    ) -> Vec<Delivery> {
        for (recipient, name) in self.noted.drain(..) {
            let Some(line) = self.by_name.get_mut(&name) else { continue };
            let waits = line.len() > 1;
            let Some(last) = line.back_mut() else { continue };
            last.backlog.push(dispatch, recipient);
            let of_it = deliveries.iter().position(|delivery| delivery.recipient() == recipient);
            if let (true, Some(at)) = (waits, of_it) {
                last.keep_back(deliveries.remove(at), over);
            }
        }
        deliveries
    }

    /// Counts an event less. Returns the deliveries that have waited for it, in order.
    fn end(&mut self, name: &Name, stretch: u32) -> VecDeque<Delivery> {
        metrics::VISITS.add(1);
        let Some(at) = self.place_of(name, stretch) else { return VecDeque::new() };
        let Some(line) = self.by_name.get_mut(name) else { return VecDeque::new() };
        line[at].in_flight -= 1;
        if line[at].in_flight > 0 {
            return VecDeque::new();
        }
        let mut gone = line.remove(at);
        let mut ready = gone.as_mut().map_or_else(VecDeque::new, |gone| take(&mut gone.kept_back));
        ready.extend(line.front_mut().into_iter().flat_map(|first| first.kept_back.drain(..)));
        if line.is_empty() {
            self.by_name.remove(name);
        }
        if let Some(gone) = gone {
            self.forget(name, &gone);
        }
        ready
    }

    fn forget(&mut self, name: &Name, gone: &Stretch) {
        let id = gone.member.id();
        let Some(groups) = self.by_member.get_mut(&id) else { return };
        let Some(names) = groups.get_mut(&name.group) else { return };
        if let Some(count) = names.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                names.remove(name);
            }
        }
        if names.is_empty() {
            groups.remove(&name.group);
        }
        if groups.is_empty() {
            self.by_member.remove(&id);
        }
    }

    /// Returns the lines with a stretch of this member, of the groups that are wanted.
    pub(super) fn of(&self, member: &Member, is_wanted: impl Fn(&Arc<str>) -> bool) -> Vec<Name> {
        let groups = self.by_member.get(&member.id()).into_iter().flatten();
        let names =
            groups.filter(|(group, _)| is_wanted(group)).flat_map(|(_, names)| names.keys());
        names.inspect(|_| metrics::VISITS.add(1)).cloned().collect()
    }

    pub(super) fn line(&mut self, name: &Name) -> Option<&mut VecDeque<Stretch>> {
        self.by_name.get_mut(name)
    }

    /// Returns the place of the stretch with this number.
    pub(super) fn place_of(&self, name: &Name, stretch: u32) -> Option<usize> {
        self.by_name.get(name)?.iter().position(|each| each.id == stretch)
    }

    /// Begins a stretch behind the one at this place, for deliveries that are [handed over](Route::hand_over).
    pub(super) fn begin_behind(&mut self, name: &Name, at: usize, member: &Arc<Member>) {
        self.begin(name, at + 1, member);
    }

    /// Takes back a stretch that nothing came of.
    pub(super) fn drop_if_empty(&mut self, name: &Name, at: usize) {
        let Some(line) = self.by_name.get_mut(name) else { return };
        if line.get(at).is_some_and(|stretch| stretch.in_flight == 0)
            && let Some(gone) = line.remove(at)
        {
            self.forget(name, &gone);
        }
    }
}

impl Stretch {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    fn new(id: u32, name: &Name, member: &Arc<Member>) -> Self {
        let backlog = Backlog::new(Choice::Group(name.group.clone()));
        Stretch {
            id,
            member: member.clone(),
            in_flight: 0,
            backlog,
            kept_back: VecDeque::new(),
            refused: Vec::new(),
            is_closed: false,
            sweep_at: FIRST_SWEEP,
        }
    }

    /// Adds a delivery that another process has not started.
    pub(super) fn refuse(&mut self, delivery: Delivery) {
        self.refused.push(delivery);
    }

    /// Returns whether all deliveries in flight are ones that another process has not started. `over` gets deliveries
    /// that nobody needs, to be dropped when no lock is held.
    pub(super) fn is_refused(&mut self, over: &mut Vec<Delivery>) -> bool {
        if self.refused.is_empty() || self.refused.len() < self.in_flight {
            return false;
        }
        over.extend(self.refused.extract_if(.., |delivery| delivery.is_settled()));
        !self.refused.is_empty() && self.refused.len() == self.in_flight
    }

    /// Takes the deliveries that another process has not started.
    pub(super) fn take_refused(&mut self) -> Vec<Delivery> {
        take(&mut self.refused)
    }

    /// Keeps a delivery back. Those that are over do not pile up; they are to be dropped when no lock is held.
    pub(super) fn keep_back(&mut self, delivery: Delivery, over: &mut Vec<Delivery>) {
        if self.kept_back.len() >= self.sweep_at {
            self.drop_over(over);
            self.sweep_at = FIRST_SWEEP.max(2 * self.kept_back.len());
        }
        self.kept_back.push_back(delivery);
    }

    /// Takes the deliveries that are over out of those that are kept back.
    pub(super) fn drop_over(&mut self, over: &mut Vec<Delivery>) {
        let all = take(&mut self.kept_back);
        let (gone, left): (Vec<_>, _) = all.into_iter().partition(Delivery::is_over);
        over.extend(gone);
        self.kept_back = left.into();
    }
}

impl Table {
    /// Returns whether an event of this key has to wait for others, so that it cannot go without a payload.
    pub(super) fn may_wait(&self, key: &Arc<str>) -> bool {
        let mut groups = self.groups().into_iter();
        groups.any(|group| {
            self.lines.last(&group, key).is_some_and(|(_, member, waits)| {
                waits || self.place_of(&member, &Choice::Group(group)).is_none()
            })
        })
    }

    /// Chooses as [`choose`](Self::choose), but the member that events of the key are in flight for. Returns the line
    /// that the event belongs to; none for a listener without a group.
    pub(super) fn choose_by_key(
        &self,
        choice: &Choice,
        key: &Arc<str>,
        size: usize,
        emitter: &Arc<Member>,
    ) -> Option<(Chosen, Option<Name>)> {
        let groups = match choice {
            Choice::Group(group) => vec![group.clone()],
            _ => self.groups(),
        };
        for group in groups {
            let Some((name, member, waits)) = self.lines.last(&group, key) else { continue };
            let of = Choice::Group(group);
            let chosen = match self.place_of(&member, &of) {
                Some(place) => {
                    let own = (!waits).then_some(emitter);
                    Some(self.choose_at(place, &of, size, own))
                }
                // Its next member, behind what is in flight at others.
                None => self.choose(&of, size, None, None),
            };
            if let Some(chosen) = chosen {
                return Some((chosen, Some(name)));
            }
        }
        let chosen = self.choose(choice, size, Some(emitter), None)?;
        let name = self.group_of(&chosen).map(|group| Name { group, key: key.clone() });
        Some((chosen, name))
    }
}
