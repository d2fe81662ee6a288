//! Links: they carry bytes between processes, and say whether they can. Nothing else.
//!
//! Each link has a thread of its own, which runs the [host](super::host): acknowledgements, beats and timeouts go on
//! while every JS thread is stuck.

#[cfg(feature = "nats")]
pub mod nats;
mod runner;
pub mod unix;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Millis;
use super::bridge::{Config, Input, To};
use super::host::PeerInfo;
use crate::engine::mailbox::Wake;

/// A trouble of a link: a code, and the reason.
pub type Trouble = (&'static str, String);

/// Carries bytes between processes.
pub trait Link: Send {
    /// Returns the waker of a thread that [waits](Self::wait).
    fn wake(&self) -> Arc<dyn Wake>;

    /// Waits for something to happen, but no longer than `most`. Returns the inputs. `greeting` goes to the other end
    /// of each new connection between two processes.
    fn wait(&mut self, most: Duration, greeting: &[u8]) -> Vec<Input>;

    /// Sends a message, as soon as it can. There may be nobody to get it.
    fn send(&mut self, to: To, message: Vec<u8>);

    /// Returns true if every process that was there when the link was opened has been heard, or is known to be gone.
    fn has_met_all(&self) -> bool;

    /// Returns the bytes of frames that it takes in one message.
    fn most_frames(&self) -> usize;

    /// Takes the troubles that do not end the link.
    fn troubles(&mut self) -> Vec<Trouble> {
        Vec::new()
    }

    /// Ends the link: sends as much as it can in so much time.
    fn end(&mut self, most: Duration);
}

/// The state of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// It carries events.
    #[default]
    Up = 0,
    /// It carries nothing for now.
    Away = 1,
    /// It is being closed.
    Closing = 2,
    /// It is closed.
    Closed = 3,
}

/// Bits of a number with a [`State`]; those above have the number of a [trouble](super::troubles).
pub const STATE_BITS: u32 = 2;

/// News for the owner of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The link is up, for the first time.
    Opened,
    /// It cannot be opened: a code, and why.
    Failed(&'static str, String),
    /// All peers know the listeners that this process had when [`Handle::sync`] was called with this token.
    Synced(u32),
    /// Something is wrong that does not end the link.
    Warning(&'static str, String),
    /// The link is closed, with so many events unsettled.
    Closed(usize),
}

/// The channels of this process that have a link: each has one at most.
static LINKED: Mutex<BTreeSet<Arc<str>>> = Mutex::new(BTreeSet::new());

/// Channels that have a link, until it is dropped.
struct Linked(BTreeSet<Arc<str>>);

impl Linked {
    /// Takes these channels. The error is one that has a link.
    fn take(channels: &BTreeSet<Arc<str>>) -> Result<Self, Arc<str>> {
        let mut linked = LINKED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.intersection(&linked).next() {
            return Err(channel.clone());
        }
        linked.extend(channels.iter().cloned());
        Ok(Linked(channels.clone()))
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        let mut linked = LINKED.lock().unwrap_or_else(PoisonError::into_inner);
        linked.retain(|channel| !self.0.contains(channel));
    }
}

/// A command of the owner of a link.
enum Command {
    Sync(u32),
    Close(Millis),
}

/// The state that a link and its owner share.
#[derive(Default)]
struct Shared {
    commands: Vec<Command>,
    news: Vec<News>,
    peers: Vec<PeerInfo>,
    state: State,
    waker: Option<Arc<dyn Wake>>,
}

/// A link, for its owner. Dropping it ends the link at once.
pub struct Handle {
    shared: Arc<Mutex<Shared>>,
}

impl Handle {
    /// Opens a link on a thread of its own. `open` makes it there, or says why it cannot. `notify` is called when
    /// there is news.
    pub fn open<L: Link + 'static>(
        config: Config,
        max_event: usize,
        open: impl FnOnce(&Config) -> Result<L, Trouble> + Send + 'static,
        notify: Arc<dyn Wake>,
    ) -> std::io::Result<Self> {
        let shared = Arc::<Mutex<Shared>>::default();
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("event-bus-link".into());
        thread.spawn(move || runner::run(config, max_event, open, &of_thread, &*notify))?;
        Ok(Handle { shared })
    }

    /// Takes the news.
    pub fn news(&self) -> Vec<News> {
        std::mem::take(&mut lock(&self.shared).news)
    }

    /// Returns the peers that are there.
    pub fn peers(&self) -> Vec<PeerInfo> {
        lock(&self.shared).peers.clone()
    }

    /// Returns the state of the link.
    pub fn state(&self) -> State {
        lock(&self.shared).state
    }

    /// Asks for [`News::Synced`].
    pub fn sync(&self, token: u32) {
        self.command(Command::Sync(token));
    }

    /// Ends the link when all that is under way has settled, but no later than in so many milliseconds.
    pub fn close(&self, most: Millis) {
        self.command(Command::Close(most));
    }

    fn command(&self, command: Command) {
        let waker = {
            let mut shared = lock(&self.shared);
            shared.commands.push(command);
            shared.waker.clone()
        };
        waker.iter().for_each(|waker| waker.wake());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close(0);
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
