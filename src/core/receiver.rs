//! A mailbox that a Rust task reads: the counterpart of a JS thread's drain.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::Stream;
use futures::task::AtomicWaker;

use super::mailbox::{Mailbox, Wake};

/// Wakes the task that reads the mailbox.
#[derive(Default)]
pub struct TaskWake(AtomicWaker);

impl Wake for TaskWake {
    fn wake(&self) {
        self.0.wake();
    }
}

/// The letters of a mailbox as a [`Stream`]. It ends when the mailbox is closed; dropping it closes
/// the mailbox, with what was not read, so that nobody posts to a reader that is gone.
///
/// ```
/// use std::sync::Arc;
/// use futures::StreamExt;
/// use parallel_event_bus::core::mailbox::Mailbox;
/// use parallel_event_bus::core::receiver::{Receiver, TaskWake};
///
/// # #[tokio::main]
/// # async fn main() {
/// let mailbox = Arc::new(Mailbox::new(1024, TaskWake::default()));
/// let mut letters = Receiver::new(mailbox.clone());
///
/// let writer = tokio::spawn(async move { mailbox.post("hello").unwrap() });
/// assert_eq!(letters.next().await, Some("hello"));
/// # writer.await.unwrap();
/// # }
/// ```
pub struct Receiver<T> {
    mailbox: Arc<Mailbox<T, TaskWake>>,
    /// Collected and not yet handed out, newest first, so that the oldest is popped.
    collected: Vec<T>,
}

/// How many letters are taken under one lock.
const BATCH: usize = 64;

impl<T> Receiver<T> {
    /// Reads `mailbox`. Two receivers of one mailbox would steal each other's wakes.
    pub fn new(mailbox: Arc<Mailbox<T, TaskWake>>) -> Self {
        Receiver { mailbox, collected: Vec::with_capacity(BATCH) }
    }
}

impl<T: Unpin> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if this.collected.is_empty() {
            // Registered before the look, so that a letter posted after it wakes this task.
            this.mailbox.waker().0.register(context.waker());
            let closed = this.mailbox.is_closed();
            // What is left is collected when this batch is used up: no wake is needed for it.
            let _more = this.mailbox.collect(BATCH, &mut this.collected);
            this.collected.reverse();
            if this.collected.is_empty() && closed {
                return Poll::Ready(None);
            }
        }
        match this.collected.pop() {
            Some(letter) => Poll::Ready(Some(letter)),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
