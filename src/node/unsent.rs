//! Events that JavaScript has written down and not posted: a burst crosses into the engine once for
//! many events.
//!
//! To cross, and what the engine does then, costs nearly half as much as to encode a small event. So in
//! a burst JavaScript leaves payloads one behind the other in the bytes that it has lent, and writes for
//! each event a record into words that it has lent too. They are sent with the next call that posts, lends or asks, at the latest when the turn is
//! over; and, because that may be long, twice a millisecond by the thread of the deadlines, and by
//! whoever changes who listens. `lib/channel/unsent.js` is the other side.
//!
//! # The words
//!
//! How many records there are; how often it was told that listeners changed; then the records, of three
//! words each: the route, and from where to where in the bytes the payload lies.
//!
//! JavaScript writes a record and its bytes first, then stores their number, atomically. It changes
//! nothing of what is counted before the number is 0 again; only its own thread makes it so, in a call.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;

use crate::core::deadline;
use crate::core::dispatch::Emission;
use crate::core::endpoint;
use crate::core::member::Member;
use crate::core::outcome::Reply;
use crate::core::route::{Posted, Route};

/// In a burst what was written down is looked for so often, whatever its thread does.
const PATIENCE: Duration = Duration::from_micros(500);

const COUNT: usize = 0;
const CHANGES: usize = 1;
const FIRST: usize = 2;
const RECORD: usize = 3;

/// Who emits an event, and who listens to it.
pub type Numbered = (Arc<Member>, Arc<Route>);

/// What one thread has not sent. See the [module](self).
#[derive(Default)]
pub struct Unsent(Mutex<State>);

#[derive(Default)]
struct State {
    /// Events that JavaScript emits by their number here.
    routes: Slab<Numbered>,
    records: Records,
    /// So many records were sent.
    sent: usize,
    /// JavaScript is in a burst.
    is_open: bool,
    /// A deadline will see to what is written down.
    is_watched: bool,
}

/// What JavaScript has written down.
#[derive(Default)]
struct Records {
    words: Lent<u32>,
    bytes: Lent<u8>,
}

/// Memory of JavaScript's.
struct Lent<T>(Option<NonNull<[T]>>);

// SAFETY: the memory is kept until it is taken back, in place, and any thread may use that of a
// SharedArrayBuffer; what is read of it is not written meanwhile, see `Records`.
unsafe impl<T> Send for Lent<T> {}

impl<T> Default for Lent<T> {
    fn default() -> Self {
        Lent(None)
    }
}

impl<T> From<&[T]> for Lent<T> {
    fn from(memory: &[T]) -> Self {
        Lent(Some(memory.into()))
    }
}

/// All that was written down has been sent, as long as this is held.
pub struct Sent<'a>(MutexGuard<'a, State>);

impl Sent<'_> {
    pub fn routes(&mut self) -> &mut Slab<Numbered> {
        &mut self.0.routes
    }
}

impl Unsent {
    /// On the JS thread: sends everything, so that what is called next comes after it.
    pub fn send_all(&self) -> Sent<'_> {
        let mut state = self.state();
        state.send();
        state.sent = 0;
        if let Some(count) = state.records.word(COUNT) {
            count.store(0, Ordering::Relaxed);
        }
        Sent(state)
    }

    /// Lends the words, for good.
    ///
    /// # Safety
    ///
    /// They are memory of a SharedArrayBuffer, which is kept until [`end`](Self::end). Elsewhere the number of records is only written
    /// atomically, and the records and their bytes not before the number is 0.
    pub unsafe fn lend_words(&self, words: &[u32]) {
        self.send_all().0.records.words = words.into();
    }

    /// Lends the bytes, in the place of others.
    ///
    /// # Safety
    ///
    /// As for the words; they are kept until others are lent, or the end.
    pub unsafe fn lend_bytes(&self, bytes: &[u8]) {
        self.send_all().0.records.bytes = bytes.into();
    }

    /// A burst begins: from now on events are written down.
    pub fn open(self: &Arc<Self>) {
        let mut state = self.state();
        state.is_open = true;
        if !std::mem::replace(&mut state.is_watched, true) {
            self.watch();
        }
    }

    /// The burst is over.
    pub fn close(&self) {
        self.send_all().0.is_open = false;
    }

    /// The thread ends: sends everything, and forgets what was lent.
    pub fn end(&self) {
        let mut sent = self.send_all();
        *sent.0 = State::default();
    }

    fn watch(self: &Arc<Self>) {
        let unsent = Arc::downgrade(self);
        deadline::schedule(PATIENCE, move || {
            let Some(unsent) = unsent.upgrade() else { return };
            let mut state = unsent.state();
            state.send();
            state.is_watched = state.is_open;
            if state.is_watched {
                unsent.watch();
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl endpoint::Unsent for Unsent {
    fn send(&self) {
        self.state().send();
    }

    fn outdate(&self) {
        if let Some(changes) = self.state().records.word(CHANGES) {
            changes.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl State {
    /// Sends what was not, those of one route that follow each other at once.
    fn send(&mut self) {
        let State { routes, records, sent, .. } = self;
        let count = records.len();
        let mut payloads = Vec::new();
        while *sent < count {
            payloads.clear();
            let first = records.get(*sent).map(|(route, _)| route);
            let rest = (*sent..count).map_while(|index| records.get(index));
            let same = rest.take_while(|(route, _)| Some(*route) == first);
            payloads.extend(same.map(|(_, payload)| payload));
            if let Some((emitter, route)) = first.and_then(|first| routes.get(first)) {
                post(emitter, route, &payloads);
            }
            // What can not be read, which is a defect, is not tried for ever.
            *sent += payloads.len().max(1);
        }
    }
}

impl Records {
    /// No more than there is room for, whatever the number says.
    fn len(&self) -> usize {
        let room = self.words.0.map_or(0, |words| words.len().saturating_sub(FIRST) / RECORD);
        self.word(COUNT).map_or(0, |count| room.min(count.load(Ordering::Acquire) as usize))
    }

    /// A route, and a payload for it.
    fn get(&self, index: usize) -> Option<(usize, &[u8])> {
        let at = FIRST + index * RECORD;
        let word = |offset| Some(self.word(at + offset)?.load(Ordering::Relaxed) as usize);
        let (route, start, end) = (word(0)?, word(1)?, word(2)?);
        let bytes = self.bytes.0.filter(|bytes| start <= end && end <= bytes.len())?;
        // SAFETY: it is within the bytes, which are lent; and of a record that is counted nobody writes
        // the bytes before all are sent.
        let payload = unsafe {
            std::slice::from_raw_parts(bytes.cast::<u8>().as_ptr().add(start), end - start)
        };
        Some((route, payload))
    }

    fn word(&self, index: usize) -> Option<&AtomicU32> {
        let words = self.words.0.filter(|words| index < words.len())?;
        // SAFETY: it is within the words, which are lent; here they are only read and written atomically.
        Some(unsafe { AtomicU32::from_ptr(words.cast::<u32>().as_ptr().add(index)) })
    }
}

fn post(emitter: &Arc<Member>, route: &Arc<Route>, payloads: &[&[u8]]) {
    if route.post_all(emitter, payloads) != Posted::NotPlain {
        return;
    }
    // Somebody has begun to listen in another way just now.
    for payload in payloads {
        let (to_one, timeout, withdrawable) = (false, None, false);
        let payload = Some(*payload);
        let reply = Reply::None;
        route.emit(emitter, Emission { payload, to_one, timeout, withdrawable, reply });
    }
}
