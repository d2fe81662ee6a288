//! The functions that JavaScript calls to emit on a channel.

use std::sync::Arc;

use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use super::member::member;
use crate::engine::channel::InLine;
use crate::engine::channel::member::Member;
use crate::engine::channel::route::{Dispatched, Published, Route};
use crate::engine::delivery::dispatch::Emission;
use crate::engine::ids;
use crate::engine::outcome::Report;
use crate::engine::payload::{Content, try_copy};
use crate::node::hot::Passed;
use crate::node::parcels::Attached;
use crate::node::protocol::{
    DISPATCH_AWAITED, DISPATCH_CANCELLABLE, DISPATCH_NAMED, DISPATCH_REQUEST, DISPATCH_TOLD,
    HAS_OWN, LOOPS_BACK, NEEDS_PAYLOAD, NOT_PLAIN,
};
use crate::node::thread::{LentBytes, Thread, find, unknown};

/// `(thread, route, start, end, bytes)`: publishes an event, untracked. Its arguments are in `bytes`, or in
/// the lent ones, from `start` to `end`; or there are none where `end` is 0. Returns the number of listeners
/// elsewhere, and `LOOPS_BACK` more; or `NEEDS_PAYLOAD`, or `NOT_PLAIN`.
pub fn publish(
    env: Env,
    [thread, route, start, end]: [u32; 4],
    bytes: Option<Passed<'_>>,
) -> Result<i32> {
    let thread = find(thread)?;
    let attached = thread.parcels.take();
    let parcel = attached.number();
    let lent = thread.lent.borrow();
    let mut content = content(env, attached, bytes, &lent, start, end)?;
    // Borrowed, not cloned: counting references up and down costs as much as the rest of this call.
    let mut flushed = thread.burst.flush_all();
    let (member, route) = flushed.routes().get(route as usize).ok_or_else(|| unknown("route"))?;
    match route.publish_all(member, content.as_mut_slice()) {
        Published::NotPlain => {
            thread.parcels.put_back(parcel, content);
            Ok(NOT_PLAIN)
        }
        Published::NeedsPayload => Ok(NEEDS_PAYLOAD),
        Published::To(others) => {
            if others > 0 {
                thread.hold(env)?;
            }
            Ok(count(others) + loops_back(&thread, member, route, others))
        }
    }
}

/// `(thread)`: a burst begins. From now on JavaScript writes events down.
pub fn begin_burst(_env: Env, [thread]: [u32; 1]) -> Result<i32> {
    find(thread)?.burst.open();
    Ok(0)
}

/// `(thread, is_over)`: flushes the burst, in its middle or at its end.
pub fn flush_burst(env: Env, [thread, is_over]: [u32; 2]) -> Result<i32> {
    let thread = find(thread)?;
    if is_over == 0 {
        thread.burst.flush_all();
    } else {
        thread.burst.close();
    }
    thread.review(env)?;
    Ok(0)
}

/// `(thread, route, start, end, flags, token, timeout, bytes)`: dispatches an event: one with an outcome that
/// is awaited, or one that `publish` refused. The message about the outcome has the `token`, if the flags ask
/// for it. `timeout` is in milliseconds, 0 for none. Returns as `publish` does; and `HAS_OWN` more if `own`
/// has something to say.
pub fn dispatch(
    env: Env,
    [thread, route, start, end, flags, token, timeout]: [u32; 7],
    bytes: Option<Passed<'_>>,
) -> Result<i32> {
    let thread = find(thread)?;
    // Also where the call fails: it is that of this event alone.
    let key = thread.key.take();
    let attached = thread.parcels.take();
    let lent = thread.lent.borrow();
    let payload = content(env, attached, bytes, &lent, start, end)?;
    let mut flushed = thread.burst.flush_all();
    let (member, route) = flushed.routes().get(route as usize).ok_or_else(|| unknown("route"))?;
    let cancellable = flags & DISPATCH_CANCELLABLE != 0;
    let emission = Emission {
        payload,
        request: flags & DISPATCH_REQUEST != 0,
        timeout: (timeout > 0).then_some(timeout),
        cancellable,
        key,
        report: match flags & (DISPATCH_AWAITED | DISPATCH_TOLD) {
            0 => Report::None,
            DISPATCH_TOLD => Report::Settlement(token),
            _ => Report::Message(token),
        },
    };
    let (others, own, in_line, comes_back, dispatch) = match route.dispatch(member, emission) {
        Dispatched::NeedsPayload => return Ok(NEEDS_PAYLOAD),
        Dispatched::NoMemory => return Err(no_memory(env, (end - start) as usize)),
        Dispatched::To { others, own, in_line, comes_back, dispatch } => {
            (others, own, in_line, comes_back, dispatch)
        }
    };
    if flags & DISPATCH_NAMED != 0 {
        let id = dispatch.as_ref().map_or_else(ids::next_event, |dispatch| dispatch.id());
        thread.last_event.set(id);
    }
    if let Some(dispatch) = dispatch {
        if cancellable {
            thread.cancellable.borrow_mut().insert(token, Arc::downgrade(&dispatch));
        }
        thread.hold(env)?;
    }
    let has_own = if own.is_empty() { 0 } else { HAS_OWN };
    *thread.own.borrow_mut() = own;
    if !in_line.is_empty() {
        thread.last_in_line.set(Some(thread.in_line.borrow_mut().insert(in_line)));
    }
    Ok(count(others) + if comes_back { LOOPS_BACK } else { 0 } + has_own)
}

/// Returns the endpoints of the listeners of a route, without those of the emitting member.
#[napi(catch_unwind)]
pub fn endpoints(thread: u32, route: u32) -> Result<Vec<u32>> {
    let thread = find(thread)?;
    let mut flushed = thread.burst.flush_all();
    let (member, route) = flushed.routes().get(route as usize).ok_or_else(|| unknown("route"))?;
    Ok(route.endpoints(member))
}

/// Returns the number of listeners that an event of a route is for, those of the emitting member too.
#[napi(catch_unwind)]
pub fn audience(thread: u32, route: u32) -> Result<u32> {
    let thread = find(thread)?;
    let mut flushed = thread.burst.flush_all();
    let (_, route) = flushed.routes().get(route as usize).ok_or_else(|| unknown("route"))?;
    Ok(u32::try_from(route.audience()).unwrap_or(u32::MAX))
}

/// Returns the listeners of the emitting member itself that its last dispatch claimed or chose: their ids,
/// each followed by 1 if `done` has to be called for it, else by 0.
#[napi(catch_unwind)]
pub fn own(thread: u32) -> Result<Vec<u32>> {
    let own = find(thread)?.own.take();
    Ok(own.into_iter().flat_map(|own| [own.listener, u32::from(own.chosen)]).collect())
}

/// Settles a listener that `own` named as chosen.
#[napi(catch_unwind)]
pub fn done(thread: u32, member: u32) -> Result<()> {
    self::member(&*find(thread)?, member)?.done(1);
    Ok(())
}

/// The event that is dispatched next has this key.
#[napi(catch_unwind)]
pub fn set_key(thread: u32, key: String) -> Result<()> {
    *find(thread)?.key.borrow_mut() = Some(key.into());
    Ok(())
}

/// Returns a handle for what `own` named that has a key, for `end_in_line`; null where nothing has.
#[napi(catch_unwind)]
pub fn in_line(thread: u32) -> Result<Option<u32>> {
    let last = find(thread)?.last_in_line.take();
    Ok(last.map(|handle| u32::try_from(handle).unwrap_or(u32::MAX)))
}

/// What `in_line` stands for is done.
#[napi(catch_unwind)]
pub fn end_in_line(thread: u32, handle: u32) -> Result<()> {
    let thread = find(thread)?;
    let in_line = thread.in_line.borrow_mut().try_remove(handle as usize);
    in_line.into_iter().flatten().for_each(InLine::end);
    Ok(())
}

/// Cancels a dispatch: listeners that have not started never will. Returns whether some have, and are running:
/// `tell_cancelled` is to be called then.
#[napi(catch_unwind)]
pub fn cancel(thread: u32, token: u32) -> Result<bool> {
    let thread = find(thread)?;
    let dispatch = thread.take_cancellable(token).and_then(|dispatch| dispatch.upgrade());
    let Some(dispatch) = dispatch else { return Ok(false) };
    dispatch.cancel();
    let is_running = dispatch.is_running();
    if is_running {
        thread.cancellable.borrow_mut().insert(token, Arc::downgrade(&dispatch));
    }
    Ok(is_running)
}

/// Tells the listeners that are running for a cancelled dispatch. `bytes[start..end]` is the reason, an error.
#[napi(catch_unwind)]
pub fn tell_cancelled(thread: u32, token: u32, bytes: &[u8], start: u32, end: u32) -> Result<()> {
    let dispatch = find(thread)?.take_cancellable(token);
    if let Some(dispatch) = dispatch.and_then(|dispatch| dispatch.upgrade()) {
        let reason = bytes.get(start as usize..end as usize).and_then(try_copy);
        // Where there is no memory for the reason, nothing stands for it.
        dispatch.tell_cancelled(reason.unwrap_or_default());
    }
    Ok(())
}

/// Returns the number that names the last event that this thread has dispatched, of those for which it was to be asked.
#[napi(catch_unwind)]
pub fn last_event(thread: u32) -> Result<f64> {
    Ok(find(thread)?.last_event.get() as f64)
}

/// Returns a number that names an event for the life of the process.
#[napi(catch_unwind)]
pub fn next_event() -> f64 {
    ids::next_event() as f64
}

/// Returns the error of `lib/errors.js`.
pub fn no_memory(env: Env, bytes: usize) -> Error {
    let message = format!("There is no memory for an event's message of {bytes} bytes");
    let thrown = env.throw_range_error(&message, Some("ERR_MEMORY_ALLOCATION_FAILED"));
    thrown.err().unwrap_or_else(|| Error::new(Status::PendingException, message))
}

/// The payload of an event; None where it comes without.
fn content<'a>(
    env: Env,
    attached: Attached,
    bytes: Option<Passed<'a>>,
    lent: &'a LentBytes,
    start: u32,
    end: u32,
) -> Result<Option<Content<'a>>> {
    if end == 0 {
        return Ok(None);
    }
    let bytes = place(bytes, lent, start, end)?;
    attached.with(bytes).ok_or_else(|| no_memory(env, bytes.len())).map(Some)
}

/// Returns the bytes from `start` to `end`, of those that came with a call, or else of the lent ones.
pub fn place<'a>(
    bytes: Option<Passed<'a>>,
    lent: &'a LentBytes,
    start: u32,
    end: u32,
) -> Result<&'a [u8]> {
    let bytes = match bytes {
        Some(bytes) => Some(bytes.bytes()?),
        None => lent.as_deref().map(|lent| &**lent),
    };
    bytes.and_then(|bytes| bytes.get(start as usize..end as usize)).ok_or_else(|| {
        let message = format!("{start} to {end} is not within the bytes of a message");
        Error::new(Status::InvalidArg, message)
    })
}

fn count(listeners: u32) -> i32 {
    i32::try_from(listeners).unwrap_or(LOOPS_BACK).min(LOOPS_BACK - 1)
}

fn loops_back(thread: &Thread, member: &Arc<Member>, route: &Route, others: u32) -> i32 {
    let may_loop_back = others > 0 && thread.members.borrow().len() > 1;
    if may_loop_back && route.has_siblings(member) { LOOPS_BACK } else { 0 }
}
