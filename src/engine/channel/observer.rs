//! An observer of the listeners on a channel: those in this process, not in others.
//!
//! It is told while locks are held, so that it hears of changes in the order in which they happen. So it notes them,
//! and does the rest later.

use std::sync::Arc;

use super::Channel;
use super::member::Member;
use super::route::ListenerOptions;
use super::row::{Entry, Row};
use super::table::Table;
use crate::engine::ids::ListenerId;
use crate::engine::sync::{Mutex, lock};

/// Hears of the members of a channel, and of their listeners. It must neither block nor call the engine.
///
/// Where it begins to observe a channel that is in use, it may hear of a listener twice, or before its member.
pub trait Observer: Send + Sync {
    /// A member has joined.
    fn joined(&self, member: &Arc<Member>);
    /// A member has left. Its listeners were removed before.
    fn left(&self, member: &Member);
    /// A listener to this event was added.
    fn added(
        &self,
        member: &Arc<Member>,
        event: &Arc<str>,
        id: ListenerId,
        options: &ListenerOptions,
    );
    /// A listener was removed, or claimed by an event.
    fn removed(&self, member: &Member, id: ListenerId);
}

/// The observer of a channel and its routes, if there is one.
#[derive(Default)]
pub(super) struct Observed(Mutex<Option<Arc<dyn Observer>>>);

impl Observed {
    pub(super) fn note(&self, member: &Member, note: impl FnOnce(&dyn Observer)) {
        if member.endpoint().is_ghost() {
            return;
        }
        if let Some(observer) = &*lock(&self.0) {
            note(&**observer);
        }
    }
}

impl Channel {
    /// Has an observer hear of all members and listeners of this process, those that there are first; or none any more.
    pub fn observe(&self, observer: Option<Arc<dyn Observer>>) {
        *lock(&self.observed.0) = observer.clone();
        let Some(observer) = observer else { return };
        let members = lock(&self.members).all();
        let are_here = members.iter().filter(|member| !member.endpoint().is_ghost());
        are_here.for_each(|member| observer.joined(member));
        let routes: Vec<_> = lock(&self.routes).by_event.values().cloned().collect();
        routes.iter().for_each(|route| lock(&route.table).tell_all(&*observer));
    }

    /// Tells every member of this process a piece of news: its kind, and its number.
    pub fn announce(&self, what: u32, number: u32) {
        let members = lock(&self.members).all();
        for member in members.iter().filter(|member| !member.endpoint().is_ghost()) {
            member.told(what, number);
        }
    }
}

impl Table {
    fn tell_all(&self, observer: &dyn Observer) {
        let are_here = self.rows.iter().filter(|row| !row.member.endpoint().is_ghost());
        for Row { member, entries, .. } in are_here {
            for &Entry { id, once, tracked, ref group, .. } in entries {
                let group = group.clone();
                let options = ListenerOptions { once, prepend: false, group, tracked };
                observer.added(member, &self.event, id, &options);
            }
        }
    }
}
