//! Notes of the engine for a host, from any thread: changes of listeners here, and ghosts with messages.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cluster::peer::PeerId;
use crate::engine::channel::member::Member;
use crate::engine::channel::observer::Observer;
use crate::engine::channel::route::ListenerOptions;
use crate::engine::ids::ListenerId;
use crate::engine::mailbox::Wake;

/// A change of the members or listeners here.
pub(super) enum Note {
    Joined(Arc<Member>),
    /// A member has left; true if its thread has ended.
    Left(u32, bool),
    Added(Arc<Member>, Arc<str>, ListenerId, ListenerOptions),
    Removed(u32, ListenerId),
}

/// A list that wakes its reader with the first item.
struct List<T> {
    items: Mutex<Vec<T>>,
    wake: Arc<dyn Wake>,
}

impl<T> List<T> {
    fn new(wake: Arc<dyn Wake>) -> Self {
        List { items: Mutex::new(Vec::new()), wake }
    }

    fn push(&self, item: T) {
        let is_first = {
            let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            items.push(item);
            items.len() == 1
        };
        if is_first {
            self.wake.wake();
        }
    }

    fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.items.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Changes of the members and listeners here, which no peer was told of yet.
pub(super) struct Notes(List<Note>);

impl Notes {
    pub(super) fn new(wake: Arc<dyn Wake>) -> Self {
        Notes(List::new(wake))
    }

    pub(super) fn take(&self) -> Vec<Note> {
        self.0.take()
    }

    /// Wakes the reader although there is nothing new.
    pub(super) fn wake(&self) {
        self.0.wake.wake();
    }
}

impl Observer for Notes {
    fn joined(&self, member: &Arc<Member>) {
        self.0.push(Note::Joined(member.clone()));
    }

    fn left(&self, member: &Member) {
        self.0.push(Note::Left(member.id().as_u32(), member.endpoint().has_ended()));
    }

    fn added(
        &self,
        member: &Arc<Member>,
        event: &Arc<str>,
        id: ListenerId,
        options: &ListenerOptions,
    ) {
        self.0.push(Note::Added(member.clone(), event.clone(), id, options.clone()));
    }

    fn removed(&self, member: &Member, id: ListenerId) {
        self.0.push(Note::Removed(member.id().as_u32(), id));
    }
}

/// Ghosts that were woken: each a peer, and an endpoint there.
pub(super) struct Ready(List<(PeerId, u32)>);

impl Ready {
    pub(super) fn new(wake: Arc<dyn Wake>) -> Self {
        Ready(List::new(wake))
    }

    pub(super) fn take(&self) -> Vec<(PeerId, u32)> {
        self.0.take()
    }
}

/// Wakes the ghost of an endpoint of a peer.
pub(super) struct GhostWake {
    pub(super) ready: Arc<Ready>,
    pub(super) peer: PeerId,
    pub(super) endpoint: u32,
}

impl Wake for GhostWake {
    fn wake(&self) {
        self.ready.0.push((self.peer, self.endpoint));
    }
}
