//! A FIFO with one coalesced wake. It stands in front of every thread and task that takes part.
//!
//! Any thread pushes; one owner collects. The owner is woken when there is something to do, once
//! for any number of messages.
//!
//! # The wake
//!
//! A wake is expensive (it crosses into another thread's event loop), so it is sent only by the
//! push that finds none on its way. `wake_pending` is set and cleared under the lock of the queue
//! itself: a message is either queued before the owner's last look, and collected, or after it, and
//! then its push finds the flag cleared and sends a wake. Hence the invariant, checked with loom:
//! **a mailbox that is not empty has a wake on its way, or an owner that said it will look again.**
//!
//! # When full
//!
//! It never is. Its messages are bounded where an event is addressed, for each member of a channel by itself
//! ([`capacity`](super::capacity)), because the members of one thread share its mailbox. When it is empty it
//! has no more memory than it needs for a few messages.
//!
//! # When closed
//!
//! [`Mailbox::close`] returns the messages that were never collected and wakes the owner, so that one that
//! waits learns of it. Every later push is handed back. Closing twice returns nothing the second time.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::metrics;
use super::sync::{Mutex, lock};

/// Memory for so many messages is kept while none waits.
const MOST_KEPT: usize = 1_024;

/// Tells the owner of a mailbox that there is something in it.
pub trait Wake: Send + Sync {
    /// Makes the owner collect soon. Called from any thread, outside every lock of the engine; must neither
    /// block nor collect by itself. A wake for an owner that is gone is ignored: to end an owner is to close
    /// its mailbox.
    fn wake(&self);

    /// Returns for how long the owner has been idle in its life, waiting included that has not ended. None for one
    /// that cannot tell. Called from any thread.
    fn idle(&self) -> Option<Duration> {
        None
    }
}

impl<W: Wake + ?Sized> Wake for std::sync::Arc<W> {
    fn wake(&self) {
        (**self).wake();
    }

    fn idle(&self) -> Option<Duration> {
        (**self).idle()
    }
}

/// The mailbox is closed: its owner is gone, or going. The message is handed back.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed<T>(pub T);

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mailbox is closed")
    }
}

impl<T: fmt::Debug> std::error::Error for Closed<T> {}

/// A FIFO of messages with one coalesced wake. See the [module](self) for its semantics.
///
/// ```
/// use parallel_event_bus::engine::mailbox::{Closed, Mailbox, Wake};
///
/// struct Silent;
/// impl Wake for Silent {
///     fn wake(&self) {}
/// }
///
/// let mailbox = Mailbox::new(Silent);
/// mailbox.push("a").unwrap();
/// mailbox.push("b").unwrap();
///
/// let mut messages = Vec::new();
/// assert!(mailbox.collect(16, &mut messages), "there was something, so look again");
/// assert_eq!(messages, ["a", "b"]);
/// assert!(!mailbox.collect(16, &mut messages), "from now on a push wakes");
///
/// mailbox.close();
/// assert_eq!(mailbox.push("c"), Err(Closed("c")));
/// ```
pub struct Mailbox<T, W: Wake> {
    queue: Mutex<Queue<T>>,
    waker: W,
    _counted: metrics::Counted,
}

struct Queue<T> {
    messages: VecDeque<T>,
    /// A wake is on its way to the owner, or the owner has been told to look again.
    wake_pending: bool,
    closed: bool,
}

impl<T, W: Wake> Mailbox<T, W> {
    /// Returns an empty mailbox that tells its owner through `waker`.
    pub fn new(waker: W) -> Self {
        Mailbox {
            queue: Mutex::new(Queue {
                messages: VecDeque::new(),
                wake_pending: false,
                closed: false,
            }),
            waker,
            _counted: metrics::MAILBOXES.count(),
        }
    }

    /// Queues a message, and wakes the owner unless a wake is on its way already.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the message.
    pub fn push(&self, message: T) -> Result<(), Closed<T>> {
        self.enqueue(message).map(|must_wake| self.wake_if(must_wake))
    }

    /// Does the first half of [`push`](Self::push), for a caller that holds a lock: queues a message, and
    /// returns whether the caller has to call [`send_wake`](Self::send_wake), once the lock is released.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the message.
    #[must_use = "true means that the owner waits for a wake"]
    pub fn enqueue(&self, message: T) -> Result<bool, Closed<T>> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(Closed(message));
        }
        queue.messages.push_back(message);
        Ok(queue.claim_wake())
    }

    /// Enqueues as [`enqueue`](Self::enqueue) any number of messages, which may also be added to the last one that
    /// waits: `write` gets all that do. If none does when it has returned, nobody needs to be woken.
    ///
    /// # Errors
    ///
    /// [`Closed`]; `write` was not called.
    #[must_use = "true means that the owner waits for a wake"]
    pub fn write(&self, write: impl FnOnce(&mut VecDeque<T>)) -> Result<bool, Closed<()>> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(Closed(()));
        }
        write(&mut queue.messages);
        Ok(!queue.messages.is_empty() && queue.claim_wake())
    }

    /// Does the first half of [`wake`](Self::wake), for a caller that holds a lock, as [`enqueue`](Self::enqueue) is of
    /// `push`. A closed mailbox has nobody to wake.
    #[must_use = "true means that the owner waits for a wake"]
    pub fn claim_wake(&self) -> bool {
        let mut queue = lock(&self.queue);
        !queue.closed && queue.claim_wake()
    }

    /// Sends the wake that [`enqueue`](Self::enqueue) asked for.
    pub fn send_wake(&self) {
        self.wake_if(true);
    }

    /// Wakes the owner without a message, for work that it holds itself. Returns false when the
    /// mailbox is closed, so that nobody waits for a wake that will not come.
    ///
    /// It shares a wake as a message does, and one that is told to look again is not woken. So the
    /// owner sees to that work after the look that found nothing, not only before.
    #[must_use = "false means that no wake will come"]
    pub fn wake(&self) -> bool {
        let must_wake = {
            let mut queue = lock(&self.queue);
            if queue.closed {
                return false;
            }
            queue.claim_wake()
        };
        self.wake_if(must_wake);
        true
    }

    /// Moves up to `max` messages to the end of `into`, oldest first, and returns whether there were
    /// any. For the owner, when it was woken.
    ///
    /// After `true` the owner must collect again of its own accord, soon: no wake is sent for the rest, nor
    /// for messages that are pushed until then. So a burst that is read as fast as it is written is still one
    /// wake. After `false` the next push sends one.
    #[must_use = "true means that the owner has to collect again"]
    pub fn collect(&self, max: usize, into: &mut Vec<T>) -> bool {
        self.take(max, into, false)
    }

    /// Collects as [`collect`](Self::collect), but the owner must collect again also if it found nothing. For
    /// one that is about to sleep and would rather wait for a moment: being woken costs more.
    pub fn poll(&self, max: usize, into: &mut Vec<T>) {
        self.take(max, into, true);
    }

    fn take(&self, max: usize, into: &mut Vec<T>, stays_awake: bool) -> bool {
        let mut queue = lock(&self.queue);
        let taken = max.min(queue.messages.len());
        into.extend(queue.messages.drain(..taken));
        if queue.messages.is_empty() && queue.messages.capacity() > MOST_KEPT {
            queue.messages = VecDeque::new();
        }
        queue.wake_pending = stays_awake || taken > 0 || !queue.messages.is_empty();
        queue.wake_pending
    }

    /// Moves all messages to the end of `into`, for an owner that was not woken and wants them early. It
    /// counts as no look: a wake that is on its way still comes.
    pub fn take_early(&self, into: &mut Vec<T>) {
        into.extend(lock(&self.queue).messages.drain(..));
    }

    /// Refuses every further message and returns those that were never collected.
    pub fn close(&self) -> VecDeque<T> {
        let (must_wake, messages) = {
            let mut queue = lock(&self.queue);
            let newly_closed = !std::mem::replace(&mut queue.closed, true);
            let must_wake = newly_closed && queue.claim_wake();
            (must_wake, std::mem::take(&mut queue.messages))
        };
        self.wake_if(must_wake);
        messages
    }

    /// Returns the waker of the owner.
    pub fn waker(&self) -> &W {
        &self.waker
    }

    /// Returns how many messages wait.
    pub fn len(&self) -> usize {
        lock(&self.queue).messages.len()
    }

    /// Returns whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a wake is on its way to the owner, or the owner has been told to look again.
    pub(super) fn is_wake_pending(&self) -> bool {
        lock(&self.queue).wake_pending
    }

    /// Returns whether the owner is gone, or going.
    pub fn is_closed(&self) -> bool {
        lock(&self.queue).closed
    }

    /// Wakes, outside the lock: the owner may be running on another core already.
    fn wake_if(&self, must_wake: bool) {
        if must_wake {
            metrics::WAKES.increment();
            self.waker.wake();
        }
    }
}

impl<T> Queue<T> {
    /// Returns whether the caller has to send the wake.
    fn claim_wake(&mut self) -> bool {
        !std::mem::replace(&mut self.wake_pending, true)
    }
}
