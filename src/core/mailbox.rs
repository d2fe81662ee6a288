//! A bounded FIFO with one coalesced wake: what stands in front of every member.
//!
//! Any thread posts; one owner collects. The owner is woken when there is something to do, once
//! for any number of letters.
//!
//! # The wake
//!
//! A wake is expensive (it crosses into another thread's event loop), so it is sent only by the
//! post that finds none on its way. `wake_pending` is set and cleared under the lock of the queue
//! itself: a letter is either queued before the owner's last look, and collected, or after it, and
//! then its post finds the flag cleared and sends a wake. Hence the invariant, checked with loom:
//! **a mailbox that is not empty has a wake on its way, or an owner that said it will look again.**
//!
//! # When full
//!
//! [`Mailbox::post`] refuses and hands the letter back. Nothing is dropped and nobody waits.
//!
//! # When closed
//!
//! [`Mailbox::close`] returns what was never collected and wakes the owner, so that one who waits
//! learns of it; every later post is handed back. Closing twice returns nothing the second time.

use std::collections::VecDeque;
use std::fmt;

use super::metrics;
use super::sync::{Mutex, lock};

/// How the owner of a mailbox is told that there is something in it.
pub trait Wake: Send + Sync {
    /// Makes the owner collect soon. Called from any thread, outside every lock of the engine; must
    /// neither block nor collect by itself. A wake for an owner that is gone is ignored: whoever
    /// ends an owner closes its mailbox.
    fn wake(&self);
}

/// A letter that was not accepted, and why. The letter is handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused<T> {
    /// As many letters wait as the mailbox holds.
    Full(T),
    /// The owner is gone, or going.
    Closed(T),
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Full(_) => "the mailbox is full",
            Refused::Closed(_) => "the mailbox is closed",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for Refused<T> {}

/// A bounded FIFO of letters with one coalesced wake. See the [module](self) for its semantics.
///
/// ```
/// use parallel_event_bus::core::mailbox::{Mailbox, Refused, Wake};
///
/// struct Bell;
/// impl Wake for Bell {
///     fn wake(&self) {}
/// }
///
/// let mailbox = Mailbox::new(2, Bell);
/// mailbox.post("a").unwrap();
/// mailbox.post("b").unwrap();
/// assert_eq!(mailbox.post("c"), Err(Refused::Full("c")));
///
/// let mut letters = Vec::new();
/// assert!(!mailbox.collect(16, &mut letters), "nothing is left");
/// assert_eq!(letters, ["a", "b"]);
/// ```
pub struct Mailbox<T, W: Wake> {
    queue: Mutex<Queue<T>>,
    capacity: usize,
    wake: W,
}

struct Queue<T> {
    letters: VecDeque<T>,
    /// A wake is on its way to the owner, or the owner has been told that more is left.
    wake_pending: bool,
    closed: bool,
}

impl<T, W: Wake> Mailbox<T, W> {
    /// An empty mailbox that holds at most `capacity` letters and tells its owner through `wake`.
    pub fn new(capacity: usize, wake: W) -> Self {
        metrics::MAILBOXES.add();
        Mailbox {
            queue: Mutex::new(Queue {
                letters: VecDeque::new(),
                wake_pending: false,
                closed: false,
            }),
            capacity,
            wake,
        }
    }

    /// Queues a letter, and wakes the owner unless a wake is on its way already.
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] or [`Refused::Closed`], with the letter.
    pub fn post(&self, letter: T) -> Result<(), Refused<T>> {
        let must_wake = {
            let mut queue = lock(&self.queue);
            if queue.closed {
                return Err(Refused::Closed(letter));
            }
            if queue.letters.len() >= self.capacity {
                return Err(Refused::Full(letter));
            }
            queue.letters.push_back(letter);
            queue.claim_wake()
        };
        self.wake_if(must_wake);
        Ok(())
    }

    /// Wakes the owner without a letter, for work that it holds itself. Returns false when the
    /// mailbox is closed, so that nobody waits for a wake that will not come.
    #[must_use = "false means that no wake will come"]
    pub fn nudge(&self) -> bool {
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

    /// Moves up to `max` letters to the end of `into`, oldest first, and returns whether any are
    /// left. For the owner, when it was woken.
    ///
    /// After `true` the owner must collect again of its own accord: no wake is sent for what is
    /// left. After `false` the next post sends one.
    #[must_use = "true means that the owner has to collect again"]
    pub fn collect(&self, max: usize, into: &mut Vec<T>) -> bool {
        let mut queue = lock(&self.queue);
        let taken = max.min(queue.letters.len());
        into.extend(queue.letters.drain(..taken));
        queue.wake_pending = !queue.letters.is_empty();
        queue.wake_pending
    }

    /// Refuses every further letter and returns those that were never collected.
    pub fn close(&self) -> VecDeque<T> {
        let (must_wake, letters) = {
            let mut queue = lock(&self.queue);
            let newly_closed = !std::mem::replace(&mut queue.closed, true);
            let must_wake = newly_closed && queue.claim_wake();
            (must_wake, std::mem::take(&mut queue.letters))
        };
        self.wake_if(must_wake);
        letters
    }

    /// What wakes the owner.
    pub fn waker(&self) -> &W {
        &self.wake
    }

    /// How many letters wait.
    pub fn len(&self) -> usize {
        lock(&self.queue).letters.len()
    }

    /// Whether no letter waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the owner is gone, or going.
    pub fn is_closed(&self) -> bool {
        lock(&self.queue).closed
    }

    /// Outside the lock: the owner may be running on another core already.
    fn wake_if(&self, must_wake: bool) {
        if must_wake {
            metrics::WAKES.increment();
            self.wake.wake();
        }
    }
}

impl<T> Queue<T> {
    /// Whether the caller is the one who has to send the wake.
    fn claim_wake(&mut self) -> bool {
        !std::mem::replace(&mut self.wake_pending, true)
    }
}

impl<T, W: Wake> Drop for Mailbox<T, W> {
    fn drop(&mut self) {
        metrics::MAILBOXES.remove();
    }
}
