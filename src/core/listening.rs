//! The future that calls the listeners of a [`Bus`]; see [`listener`](super::listener).

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt, join_all};
use futures::stream::{FuturesUnordered, Stream, StreamExt};

use super::delivery::Delivery;
use super::endpoint::Letter;
use super::listener::{Answered, Bus, Event, Function};
use super::packet::Packet;
use super::receiver::Receiver;
use super::sync::{Mutex, lock};

/// Calls the listeners of a [`Bus`], as long as it is polled. As a stream it hands out the letters
/// that are not for listeners: of lost events, and of other threads that ended or do not answer.
#[must_use = "listeners are called while this is polled"]
pub struct Listening {
    /// The first to be dropped, which closes the endpoint before anything is let go of.
    letters: Receiver,
    bus: Bus,
    /// One for each event that is being dealt with.
    running: FuturesUnordered<BoxFuture<'static, ()>>,
    /// The packet that is being read, and its next event.
    packet: Option<(Arc<Mutex<Packet>>, usize)>,
    at_most: usize,
    /// No more letters come.
    ended: bool,
}

/// What reading one step came to.
enum Read {
    Some,
    Nothing,
    Letter(Letter),
}

/// After so many steps others on the executor get their turn.
const STEPS: usize = 64;

impl Listening {
    pub(super) fn new(letters: Receiver, bus: Bus) -> Self {
        let running = FuturesUnordered::new();
        Listening { letters, bus, running, packet: None, at_most: usize::MAX, ended: false }
    }

    /// Deals with no more events at the same time than this, at least one; others wait.
    ///
    /// A listener that waits for another listener of the same task may then wait for ever.
    pub fn at_most(mut self, events: usize) -> Self {
        self.at_most = events.max(1);
        self
    }

    /// Calls the listeners until the bus is closed, without a look at other letters.
    pub async fn run(mut self) {
        while self.next().await.is_some() {}
    }

    fn read(&mut self, context: &mut Context<'_>) -> Read {
        if self.ended || self.running.len() >= self.at_most {
            return Read::Nothing;
        }
        if self.read_packet() {
            return Read::Some;
        }
        // Before the look: whatever was addressed to the bus before it left is seen by that.
        let closing = self.bus.is_closing();
        match self.letters.poll_next_unpin(context) {
            Poll::Ready(Some(letter)) => self.deal_with(letter),
            Poll::Ready(None) => {
                self.ended = true;
                Read::Nothing
            }
            Poll::Pending if closing => {
                self.letters.endpoint().close();
                Read::Some
            }
            Poll::Pending => Read::Nothing,
        }
    }

    fn deal_with(&mut self, letter: Letter) -> Read {
        let this = self.bus.place().id();
        match letter {
            Letter::Delivery(delivery) => self.start(delivery),
            Letter::Packet(packet) => self.packet = Some((Arc::new(Mutex::new(packet)), 0)),
            Letter::Forget(listener) => self.bus.forget(listener),
            Letter::Drained(member) if member == self.bus.member().id() => {
                self.bus.drained();
            }
            // One for each of the two members is one too many.
            Letter::ThreadExit { member, .. } if member != this => {}
            Letter::Stall(stall) if stall.member() != this => {}
            letter => return Read::Letter(letter),
        }
        Read::Some
    }

    fn start(&mut self, delivery: Delivery) {
        let functions = self.bus.take(delivery.listeners());
        if delivery.must_start() && !delivery.start() {
            return;
        }
        let event = Event {
            name: delivery.event().into(),
            payload: delivery.payload(),
            is_request: delivery.is_request(),
        };
        self.running.push(Box::pin(async move {
            let delivery = &delivery;
            let calls = functions.into_iter().zip(0..).map(|(function, index)| {
                let event = event.clone();
                async move {
                    match function {
                        // Of nobody's: removed, by whatever road.
                        None => delivery.withdraw(index),
                        Some(function) => match call(function, event).await {
                            Some(Ok(answer)) => {
                                delivery.succeed(index, delivery.is_request().then_some(answer));
                            }
                            Some(Err(error)) => delivery.fail(index, error),
                            None => delivery.lose(index),
                        },
                    }
                }
            });
            join_all(calls).await;
        }));
    }

    /// Starts with the next event of the packet. False if there is none.
    fn read_packet(&mut self) -> bool {
        let Some((packet, next)) = self.packet.take() else { return false };
        let (functions, event) = {
            let packet = lock(&packet);
            let Some((name, listeners, payload)) = packet.event(next) else { return false };
            let event = Event { name: name.into(), payload: payload.into(), is_request: false };
            (self.bus.take(listeners), event)
        };
        self.packet = Some((packet.clone(), next + 1));
        self.running.push(Box::pin(async move {
            let calls =
                functions.into_iter().flatten().map(|function| call(function, event.clone()));
            let failed =
                join_all(calls).await.iter().filter(|done| !matches!(done, Some(Ok(_)))).count();
            lock(&packet).settle(next, 1, u32::try_from(failed).unwrap_or(u32::MAX));
        }));
        true
    }
}

/// None if it panicked.
async fn call(function: Arc<Function>, event: Event) -> Option<Answered> {
    AssertUnwindSafe(async move { function(event).await }).catch_unwind().await.ok()
}

impl Stream for Listening {
    type Item = Letter;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Letter>> {
        let this = &mut *self;
        for _ in 0..STEPS {
            let read = this.read(context);
            if let Read::Letter(letter) = read {
                return Poll::Ready(Some(letter));
            }
            match this.running.poll_next_unpin(context) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) if this.ended => return Poll::Ready(None),
                _ if matches!(read, Read::Some) => {}
                _ => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.bus.ended();
    }
}
