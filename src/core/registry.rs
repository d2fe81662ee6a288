//! Which threads take part: the process-wide list of members and their mailboxes.
//!
//! A member joins with its mailbox and holds a [`Registration`]; dropping that takes the member
//! out and closes its mailbox. Ids are never used twice, so a late message for a member that left
//! can not reach another.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::mailbox::{Mailbox, Wake};
use super::sync::{Mutex, lock};

/// Names one member for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u32);

impl MemberId {
    /// The bare number, for a side that can hold nothing else.
    pub fn as_u32(self) -> u32 {
        self.0
    }
}

/// Members by id. Cloning is cheap and shares the list.
pub struct Registry<T, W: Wake>(Arc<Mutex<Members<T, W>>>);

struct Members<T, W: Wake> {
    by_id: BTreeMap<MemberId, Arc<Mailbox<T, W>>>,
    /// The last id given out; 0 before the first.
    last_id: u32,
}

impl<T, W: Wake> Registry<T, W> {
    /// An empty list.
    pub fn new() -> Self {
        Registry(Arc::new(Mutex::new(Members { by_id: BTreeMap::new(), last_id: 0 })))
    }

    /// Takes a member in, with the mailbox that `make` builds for its id. It stays until the
    /// registration is dropped.
    ///
    /// # Errors
    ///
    /// Whatever `make` fails with; nobody has joined then.
    ///
    /// # Panics
    ///
    /// After 4 294 967 295 members in one process.
    pub fn join<E>(
        &self,
        make: impl FnOnce(MemberId) -> Result<Mailbox<T, W>, E>,
    ) -> Result<Registration<T, W>, E> {
        let id = {
            let mut members = lock(&self.0);
            members.last_id = members.last_id.checked_add(1).expect("member ids are used up");
            MemberId(members.last_id)
        };
        let mailbox = Arc::new(make(id)?);
        lock(&self.0).by_id.insert(id, mailbox.clone());
        Ok(Registration { id, mailbox, registry: self.clone() })
    }

    /// The mailbox of a member, or `None` when it left.
    pub fn mailbox(&self, id: MemberId) -> Option<Arc<Mailbox<T, W>>> {
        lock(&self.0).by_id.get(&id).cloned()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        lock(&self.0).by_id.len()
    }

    /// Whether nobody takes part.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T, W: Wake> Clone for Registry<T, W> {
    fn clone(&self) -> Self {
        Registry(self.0.clone())
    }
}

impl<T, W: Wake> Default for Registry<T, W> {
    fn default() -> Self {
        Self::new()
    }
}

/// A member's place in the [`Registry`]; dropping it leaves.
pub struct Registration<T, W: Wake> {
    id: MemberId,
    mailbox: Arc<Mailbox<T, W>>,
    registry: Registry<T, W>,
}

impl<T, W: Wake> Registration<T, W> {
    /// The member's id.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// The member's mailbox.
    pub fn mailbox(&self) -> &Arc<Mailbox<T, W>> {
        &self.mailbox
    }

    /// Takes the member out and returns the letters it never collected. Nobody can post to it
    /// afterwards, not even who looked its mailbox up before.
    pub fn leave(&self) -> VecDeque<T> {
        lock(&self.registry.0).by_id.remove(&self.id);
        self.mailbox.close()
    }
}

impl<T, W: Wake> Drop for Registration<T, W> {
    fn drop(&mut self) {
        self.leave();
    }
}
