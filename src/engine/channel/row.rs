//! The listeners of one member to an event. Kept by a [table](super::table).

use std::sync::Arc;

use super::member::Member;
use super::observer::Observed;
use super::service::Service;
use crate::engine::ids::ListenerId;

/// A member's place in a table.
pub(super) struct Row {
    pub(super) member: Arc<Member>,
    pub(super) entries: Vec<Entry>,
    /// The ids of the entries without a group, as deliveries share them; `None` after a change.
    pub(super) everyone: Option<Arc<[ListenerId]>>,
    /// Number of events that were addressed to entries of it.
    pub(super) addressed: u64,
    pub(super) service: Service,
    /// True while its endpoint has an offer to take over what others have not started.
    pub(super) has_offer: bool,
}

/// A listener.
pub(super) struct Entry {
    pub(super) id: ListenerId,
    pub(super) once: bool,
    pub(super) group: Option<Arc<str>>,
    pub(super) tracked: bool,
    /// Which choice it was the last time it was chosen.
    pub(super) chosen: u64,
    /// Number of events that had been addressed to its row when it was added.
    pub(super) since: u64,
}

impl Entry {
    pub(super) fn is_special(&self) -> bool {
        self.once || self.tracked || self.group.is_some()
    }
}

impl Row {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn everyone(&mut self) -> Arc<[ListenerId]> {
        let entries = &self.entries;
        self.everyone
            .get_or_insert_with(|| {
                entries.iter().filter(|entry| entry.group.is_none()).map(|entry| entry.id).collect()
            })
            .clone()
    }

    /// Returns how many there were.
    pub(super) fn claim_once(&mut self, observed: &Observed) -> usize {
        let before = self.entries.len();
        let Row { member, entries, .. } = self;
        entries.retain(|entry| {
            let stays = !entry.once || entry.group.is_some();
            if !stays {
                observed.note(member, |observer| observer.removed(member, entry.id));
            }
            stays
        });
        let claimed = before - self.entries.len();
        if claimed > 0 {
            self.everyone = None;
        }
        claimed
    }
}
