//! The letters of an endpoint as a stream: what a drain is for a JS thread, for a Rust task.
//!
//! A receiver owns its [`Endpoint`], whose wake is the waker of the task that reads. The stream
//! ends when the endpoint is closed. Dropping the receiver closes the endpoint, by which everything
//! that it owed settles, what it had collected and not handed out included.
//!
//! Most tasks want their listeners called instead: [`listener`](super::listener) does that with the
//! letters of a receiver.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::Stream;
use futures::task::AtomicWaker;

use super::endpoint::{Endpoint, Letter};
use super::mailbox::Wake;

/// How many letters are taken under one lock.
const BATCH: usize = 64;

/// Wakes the task that reads.
#[derive(Default)]
struct TaskWake(AtomicWaker);

impl Wake for TaskWake {
    fn wake(&self) {
        self.0.wake();
    }
}

/// The letters of an endpoint of its own. See the [module](self).
///
/// ```
/// use futures::StreamExt;
/// use parallel_event_bus::core::endpoint::Letter;
/// use parallel_event_bus::core::quota::Limits;
/// use parallel_event_bus::core::receiver::Receiver;
/// use parallel_event_bus::core::route::ListenerOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut letters = Receiver::new(1);
/// let orders = letters.endpoint().join("orders", Limits::default());
/// orders.listen("created", 7, ListenerOptions::default());
///
/// let other = Receiver::new(2);
/// let emitter = other.endpoint().join("orders", Limits::default());
/// emitter.channel().route("created").post(&emitter, Some(b"order 4711"));
///
/// let Some(Letter::Packet(mut packet)) = letters.next().await else { panic!("another letter") };
/// assert_eq!(packet.event(0), Some(("created", [7].as_slice(), b"order 4711".to_vec())));
/// packet.settle(0, 1, 0);
/// assert_eq!(emitter.pending(), 0);
/// # }
/// ```
pub struct Receiver {
    endpoint: Arc<Endpoint>,
    wake: Arc<TaskWake>,
    /// Collected and not yet handed out, newest first, so that the oldest is popped.
    collected: Vec<Letter>,
}

impl Receiver {
    /// A receiver with an endpoint in no channel. `thread` is how others name it; JS threads are
    /// named by their thread ids.
    pub fn new(thread: u32) -> Self {
        let wake = Arc::new(TaskWake::default());
        let endpoint = Endpoint::new(thread, wake.clone());
        Receiver { endpoint, wake, collected: Vec::new() }
    }

    /// Whose letters these are.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }
}

impl Stream for Receiver {
    type Item = Letter;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Letter>> {
        let this = &mut *self;
        if this.collected.is_empty() {
            // Registered before the look, so that a letter posted after it wakes this task.
            this.wake.0.register(context.waker());
            let closed = this.endpoint.mailbox().is_closed();
            // Whatever there is, the next look comes when it is used up: no wake is needed for it.
            let _again = this.endpoint.collect(BATCH, &mut this.collected);
            this.collected.reverse();
            if this.collected.is_empty() && closed {
                return Poll::Ready(None);
            }
        }
        this.collected.pop().map_or(Poll::Pending, |letter| Poll::Ready(Some(letter)))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // First, so that nothing that is let go of comes back here.
        self.endpoint.close();
        while let Some(letter) = self.collected.pop() {
            drop(letter);
        }
    }
}
