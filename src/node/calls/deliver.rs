//! The functions that JavaScript calls for events that came for it. `batch` and `delivery` are handles out of
//! messages.

use napi::bindgen_prelude::Buffer;
use napi::{Env, Result};
use napi_derive::napi;

use super::emit::place;
use crate::engine::channel::Delivery;
use crate::engine::ids;
use crate::engine::payload::try_copy;
use crate::node::hot::Passed;
use crate::node::protocol::ACK_WORDS;
use crate::node::thread::{Thread, find, shrink_slab, unknown};

/// Returns the codebook that the emitter of a batch, or of a delivery, has shared.
#[napi(catch_unwind)]
pub fn codebook(thread: u32, is_batch: bool, handle: u32) -> Result<Buffer> {
    let thread = find(thread)?;
    let (batches, taken) = (thread.batches.borrow(), thread.deliveries.borrow());
    let emitter = if is_batch {
        batches.get(handle as usize).map(|batch| batch.emitter())
    } else {
        taken.get(handle as usize).map(|delivery| delivery.emitter())
    };
    let emitter = emitter.ok_or_else(|| unknown("delivery"))?;
    Ok(emitter.endpoint().codebook().to_vec().into())
}

/// Whether the thread that emitted a delivery is still there.
#[napi(catch_unwind)]
pub fn has_emitter(thread: u32, delivery: u32) -> Result<bool> {
    let thread = find(thread)?;
    let taken = thread.deliveries.borrow();
    let emitter = taken.get(delivery as usize).map(|delivery| delivery.emitter());
    Ok(emitter.is_some_and(|emitter| !emitter.endpoint().mailbox().is_closed()))
}

/// Events of batches are dealt with: `count` words, in fours of a batch, the first event, how many
/// events from that one on, and how many of their listeners failed.
#[napi(catch_unwind)]
pub fn settle(thread: u32, ranges: &[u32], count: u32) -> Result<()> {
    let thread = find(thread)?;
    let (ranges, _) = ranges.get(..count as usize).unwrap_or_default().as_chunks::<ACK_WORDS>();
    for &[handle, first, events, failed] in ranges {
        let mut batches = thread.batches.borrow_mut();
        let Some(batch) = batches.get_mut(handle as usize) else { continue };
        batch.settle(first as usize, events as usize, failed);
        if batch.is_settled() {
            batches.remove(handle as usize);
            shrink_slab(&mut batches);
        }
    }
    Ok(())
}

/// `(thread, delivery)`: the listeners of a delivery are about to be called. 0 if they must not be; it
/// is let go of then.
pub fn start(_env: Env, [thread, delivery]: [u32; 2]) -> Result<i32> {
    let thread = find(thread)?;
    let taken = thread.deliveries.borrow();
    let started = taken.get(delivery as usize).is_some_and(|delivery| delivery.start());
    drop(taken);
    if !started {
        let_go(&thread, delivery);
    }
    Ok(started.into())
}

/// Starts a timer of a listener, which fails when it has not settled in so many milliseconds.
#[napi(catch_unwind)]
pub fn start_timer(thread: u32, delivery: u32, index: u32, timeout: u32) -> Result<()> {
    if let Some(delivery) = find(thread)?.deliveries.borrow().get(delivery as usize) {
        delivery.start_timer(index, timeout);
    }
    Ok(())
}

/// `(thread, delivery, index, is_last)`: a listener of a delivery succeeded; with the last one it is
/// let go of.
pub fn acknowledge(_env: Env, [thread, delivery, index, is_last]: [u32; 4]) -> Result<i32> {
    let thread = find(thread)?;
    if let Some(delivery) = thread.deliveries.borrow().get(delivery as usize) {
        delivery.succeed(index, None);
    }
    if is_last != 0 {
        let_go(&thread, delivery);
    }
    Ok(0)
}

/// `(thread, delivery)`: lets go of a delivery. Its unsettled listeners never settle, and are lost.
pub fn release(_env: Env, [thread, delivery]: [u32; 2]) -> Result<i32> {
    let_go(&*find(thread)?, delivery);
    Ok(0)
}

/// `(thread, delivery, start, end, is_last, bytes)`: settles the listener of a request. Its reply is in
/// `bytes`, or in the lent ones, from `start` to `end`.
pub fn reply(
    _env: Env,
    [thread, delivery, start, end, is_last]: [u32; 5],
    bytes: Option<Passed<'_>>,
) -> Result<i32> {
    let thread = find(thread)?;
    let attached = thread.parcels.take();
    if let Some(delivery) = thread.deliveries.borrow().get(delivery as usize) {
        let lent = thread.lent.borrow();
        // Where there is no memory for the reply, nothing stands for it.
        let reply = attached.payload(place(bytes, &lent, start, end)?).unwrap_or_default();
        delivery.succeed(0, Some(reply));
    }
    if is_last != 0 {
        let_go(&thread, delivery);
    }
    Ok(0)
}

/// Settles a listener of a delivery as failed: `bytes[start..end]` is its error.
#[napi(catch_unwind)]
pub fn fail(
    thread: u32,
    delivery: u32,
    index: u32,
    bytes: &[u8],
    start: u32,
    end: u32,
) -> Result<()> {
    if let Some(delivery) = find(thread)?.deliveries.borrow().get(delivery as usize) {
        let error = bytes.get(start as usize..end as usize).and_then(try_copy);
        // As for a reply.
        delivery.fail(index, error.unwrap_or_default());
    }
    Ok(())
}

/// Returns whether the listeners of a delivery need not be called any more.
#[napi(catch_unwind)]
pub fn is_over(thread: u32, delivery: u32) -> Result<bool> {
    let thread = find(thread)?;
    let taken = thread.deliveries.borrow();
    Ok(taken.get(delivery as usize).is_none_or(Delivery::is_settled))
}

/// Returns the thread that emitted a batch or a delivery, and the number that names its event. Events of a batch have
/// none, so that is a new one.
#[napi(catch_unwind)]
pub fn origin(thread: u32, is_batch: bool, handle: u32) -> Result<Vec<f64>> {
    let thread = find(thread)?;
    let (batches, taken) = (thread.batches.borrow(), thread.deliveries.borrow());
    let origin = if is_batch {
        batches.get(handle as usize).map(|batch| (batch.emitter(), ids::next_event()))
    } else {
        taken.get(handle as usize).map(|delivery| (delivery.emitter(), delivery.dispatch().id()))
    };
    let (emitter, id) = origin.ok_or_else(|| unknown("delivery"))?;
    Ok(vec![emitter.endpoint().thread().into(), id as f64])
}

/// Has a message with this token come when listeners of a delivery need not go on, which has been started.
#[napi(catch_unwind)]
pub fn follow(thread: u32, delivery: u32, token: u32) -> Result<()> {
    if let Some(delivery) = find(thread)?.deliveries.borrow().get(delivery as usize) {
        delivery.follow(token);
    }
    Ok(())
}

/// Skips a listener of a delivery, which was removed before its turn: it counts for nothing.
#[napi(catch_unwind)]
pub fn skip(thread: u32, delivery: u32, index: u32) -> Result<()> {
    if let Some(delivery) = find(thread)?.deliveries.borrow().get(delivery as usize) {
        delivery.skip(index);
    }
    Ok(())
}

/// Drops a delivery with no borrow held: the drop may wake this very thread.
fn let_go(thread: &Thread, delivery: u32) {
    let released = {
        let mut taken = thread.deliveries.borrow_mut();
        let released = taken.try_remove(delivery as usize);
        shrink_slab(&mut taken);
        released
    };
    drop(released);
}
