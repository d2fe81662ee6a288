//! Holds the event loop of a thread open, and lets it go.
//!
//! A process ends when nothing holds its event loop, although its promises wait. So the loop is held while an
//! event of this thread is pending, while a bus asks for it, and while a message waits: it may tell of an
//! outcome.
//!
//! Other threads end these reasons at any moment. Each wakes the owner when it has ended the last one.
//! Between the two there is no reason to be seen, and still a turn to come. An event may also be pending that
//! its owner has not seen begin: of a burst, others flush the rest. Hence the rule that `tests/loom` checks:
//! **only an owner that was woken, and has looked, lets go**, because afterwards it does all that is to do.
//! Everything else that ends a reason [asks](Hold::review) for a wake.

use std::cell::Cell;

use super::mailbox::{Mailbox, Wake};

/// Of one thread, which alone touches it. See the [module](self).
///
/// The methods get `set`, which holds the event loop, or lets it go. It is called only for a change, and where it
/// fails nothing has changed.
#[derive(Debug, Default)]
pub struct Hold {
    is_held: Cell<bool>,
    /// Number of those that asked for the loop to be held until they say otherwise.
    asking: Cell<usize>,
}

impl Hold {
    /// Holds the loop: there is a reason now, and its end will wake the owner.
    ///
    /// # Errors
    ///
    /// Those of `set`.
    pub fn hold<E>(&self, set: impl FnOnce(bool) -> Result<(), E>) -> Result<(), E> {
        self.change(true, set)
    }

    /// Counts one more, or one less, that asks for the loop to be held. To be [reviewed](Self::review).
    pub fn ask(&self, more: bool) {
        let asking = self.asking.get();
        self.asking.set(if more { asking + 1 } else { asking.saturating_sub(1) });
    }

    /// Looks whether a reason has come, or gone. Where none is left it wakes the owner, which lets go then.
    ///
    /// # Errors
    ///
    /// Those of `set`.
    pub fn review<T, W: Wake, E>(
        &self,
        mailbox: &Mailbox<T, W>,
        is_pending: impl FnOnce() -> bool,
        set: impl FnOnce(bool) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_needed(mailbox, is_pending) {
            return self.hold(set);
        }
        // One that is closed has nobody to wake, nor a loop to end.
        if self.is_held.get() && !mailbox.wake() {
            return self.change(false, set);
        }
        Ok(())
    }

    /// Lets go, if there is no reason. The owner was woken and has looked, and will now do all that is to do.
    ///
    /// # Errors
    ///
    /// Those of `set`.
    pub fn looked<T, W: Wake, E>(
        &self,
        mailbox: &Mailbox<T, W>,
        is_pending: impl FnOnce() -> bool,
        set: impl FnOnce(bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_needed = self.is_needed(mailbox, is_pending);
        self.change(is_needed, set)
    }

    fn is_needed<T, W: Wake>(
        &self,
        mailbox: &Mailbox<T, W>,
        is_pending: impl FnOnce() -> bool,
    ) -> bool {
        self.asking.get() > 0
            || is_pending()
            // In this order: the message about an event came before the event was no longer pending.
            || !mailbox.is_empty()
    }

    fn change<E>(&self, hold: bool, set: impl FnOnce(bool) -> Result<(), E>) -> Result<(), E> {
        if self.is_held.get() != hold {
            set(hold)?;
            self.is_held.set(hold);
        }
        Ok(())
    }
}
