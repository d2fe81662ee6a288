//! The functions that JavaScript calls for a bus with a channel: its place there, and its listeners.
//!
//! `thread` is the handle of the current thread, `member` the result of `join`.

use std::mem::take;
use std::sync::{Arc, Weak};
use std::time::Duration;

use napi::{Env, Result};
use napi_derive::napi;

use crate::engine::capacity::MailboxLimits;
use crate::engine::channel::member::{Member, Unlistened};
use crate::engine::channel::message::{Message, Notice};
use crate::engine::channel::queue::Queue;
use crate::engine::channel::route::{ListenerOptions, Route};
use crate::node::thread::{Place, Thread, find, unknown};

/// Number of names that [`heard`] returns.
const MOST_NAMES: usize = 10;

/// Joins a channel. The member has at most so many unsettled events, and bytes of them; others are told
/// when the thread has not looked for `stall_after` milliseconds, or never where that is 0.
#[napi(catch_unwind)]
pub fn join(
    thread: u32,
    channel: String,
    max_messages: f64,
    max_bytes: f64,
    stall_after: u32,
) -> Result<u32> {
    let thread = find(thread)?;
    let limits =
        MailboxLimits { max_messages: max_messages as usize, max_bytes: max_bytes as usize };
    if stall_after > 0 {
        thread.endpoint.watch_for_stalls(Duration::from_millis(stall_after.into()));
    }
    let member = thread.endpoint.join(&channel, limits);
    let id = member.id().as_u32();
    thread.members.borrow_mut().insert(id, Place { member, routes: Vec::new() });
    Ok(id)
}

/// Bounds the events that wait for the members of its group in all, beyond those that each takes at once.
#[napi(catch_unwind)]
pub fn bound_queue(thread: u32, member: u32, max_waiting: u32, takes: u32) -> Result<()> {
    self::member(&*find(thread)?, member)?.bound_queue(Queue { max_waiting, takes });
    Ok(())
}

/// Leaves the channel: nothing more is addressed to the member. Events that wait for it still come.
#[napi(catch_unwind)]
pub fn leave(thread: u32, member: u32) -> Result<()> {
    let thread = find(thread)?;
    let place = self::member(&thread, member)?;
    place.channel().let_go(take_routes(&thread, member));
    place.leave();
    Ok(())
}

/// Forgets a member that left, and that nothing is in flight for.
#[napi(catch_unwind)]
pub fn forget_member(env: Env, thread: u32, member: u32) -> Result<()> {
    let thread = find(thread)?;
    let place = thread.members.borrow_mut().remove(&member);
    // Before the memory that its numbers are in goes.
    place.inspect(|place| place.member.close_rows());
    thread.rows.borrow_mut().remove(&member);
    thread.review(env)
}

/// Listens to an event, under an id of the caller's.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one call per registration, of plain values")]
pub fn listen(
    thread: u32,
    member: u32,
    event: String,
    id: u32,
    once: bool,
    prepend: bool,
    tracked: bool,
    group: Option<String>,
) -> Result<()> {
    let options = ListenerOptions { once, prepend, group: group.map(Into::into), tracked };
    self::member(&*find(thread)?, member)?.listen(&event, id, options);
    Ok(())
}

/// Removes a listener. Returns true if its id is in use until a message says otherwise. Else the id is free,
/// once JavaScript has dealt with all that it has read.
#[napi(catch_unwind)]
pub fn unlisten(thread: u32, member: u32, id: u32) -> Result<bool> {
    let thread = find(thread)?;
    match self::member(&thread, member)?.unlisten(id) {
        Unlistened::Waiting => Ok(true),
        Unlistened::Unused => Ok(false),
        Unlistened::Collected => {
            // Messages that were not read yet may be for it.
            let mut unread = thread.unread.borrow_mut();
            let may_come = !unread.is_empty() || !thread.loopback.borrow().is_empty();
            if may_come {
                unread.push_back(Message::Notice(Notice::Forget(id)));
            }
            Ok(may_come)
        }
    }
}

/// Returns a number for an event of a channel, to emit it by.
#[napi(catch_unwind)]
pub fn route(thread: u32, member: u32, event: String) -> Result<u32> {
    let thread = find(thread)?;
    let emitter = self::member(&thread, member)?;
    let route = emitter.channel().route(&event);
    let number = thread.burst.flush_all().routes().insert((emitter, route));
    if let Some(place) = thread.members.borrow_mut().get_mut(&member) {
        place.routes.push(number);
    }
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Forgets all numbers of a member's events.
#[napi(catch_unwind)]
pub fn forget_routes(thread: u32, member: u32) -> Result<()> {
    let thread = find(thread)?;
    let place = self::member(&thread, member)?;
    place.channel().let_go(take_routes(&thread, member));
    Ok(())
}

/// Returns whether no emission of a member is pending, and its thread has read of all outcomes.
#[napi(catch_unwind)]
pub fn is_idle(thread: u32, member: u32) -> Result<bool> {
    Ok(self::member(&*find(thread)?, member)?.is_idle())
}

/// Emissions of a member that have not settled.
#[napi(catch_unwind)]
pub fn pending(thread: u32, member: u32) -> Result<f64> {
    Ok(self::member(&*find(thread)?, member)?.pending() as f64)
}

/// Deliveries to a member that have not settled, queued ones included.
#[napi(catch_unwind)]
pub fn in_flight(thread: u32, member: u32) -> Result<f64> {
    Ok(self::member(&*find(thread)?, member)?.in_flight() as f64)
}

/// Watches the load of another member of the channel, from now on to its end, also when it has left the channel.
#[napi(catch_unwind)]
pub fn watch_load(thread: u32, member: u32, of: u32) -> Result<()> {
    let thread = find(thread)?;
    let other = self::member(&thread, member)?.channel().member(of);
    if let Some(other) = other {
        thread.watched.borrow_mut().insert(of, Arc::downgrade(&other));
    }
    Ok(())
}

/// Watches the load of a member no more.
#[napi(catch_unwind)]
pub fn forget_load(thread: u32, of: u32) -> Result<()> {
    find(thread)?.watched.borrow_mut().remove(&of);
    Ok(())
}

/// Returns two numbers for each of these members, which are watched: its deliveries that have not settled, queued ones
/// included, and the looks of its thread into the mailbox. Both are 0 for one that is gone.
#[napi(catch_unwind)]
pub fn loads(thread: u32, of: Vec<u32>) -> Result<Vec<f64>> {
    let thread = find(thread)?;
    thread.burst.flush_all();
    let watched = thread.watched.borrow();
    let loads = of.iter().flat_map(|id| match watched.get(id).and_then(Weak::upgrade) {
        Some(member) => [member.in_flight() as f64, member.endpoint().looks() as f64],
        None => [0.0; 2],
    });
    Ok(loads.collect())
}

/// Takes back `await_listeners`.
#[napi(catch_unwind)]
pub fn await_no_listeners(thread: u32, member: u32, event: String) -> Result<()> {
    self::member(&*find(thread)?, member)?.await_no_listeners(&event);
    Ok(())
}

/// Asks for a message when somebody begins to listen to an event. Returns the number of threads that listen to it.
#[napi(catch_unwind)]
pub fn await_listeners(thread: u32, member: u32, event: String) -> Result<u32> {
    let threads = self::member(&*find(thread)?, member)?.await_listeners(&event);
    Ok(u32::try_from(threads).unwrap_or(u32::MAX))
}

/// Listeners of others that a member's emissions were addressed to.
#[napi(catch_unwind)]
pub fn addressed(thread: u32, member: u32) -> Result<f64> {
    Ok(self::member(&*find(thread)?, member)?.addressed() as f64)
}

/// Returns the number of those of them that failed.
#[napi(catch_unwind)]
pub fn failed(thread: u32, member: u32) -> Result<f64> {
    Ok(self::member(&*find(thread)?, member)?.failed() as f64)
}

/// Returns whether more than half of the room of some member of another thread is used.
#[napi(catch_unwind)]
pub fn is_congested(thread: u32, member: u32) -> Result<bool> {
    let member = self::member(&*find(thread)?, member)?;
    Ok(member.channel().is_congested(member.endpoint()))
}

/// Asks for a message when members of other threads have room again; once for each that waits for it.
#[napi(catch_unwind)]
pub fn wait_for_room(thread: u32, member: u32) -> Result<()> {
    self::member(&*find(thread)?, member)?.wait_for_room();
    Ok(())
}

/// Names that are heard on a channel.
#[napi(object)]
pub struct Heard {
    /// Number of other threads in the channel.
    pub threads: u32,
    /// Names of events with listeners elsewhere, at most ten.
    pub events: Vec<String>,
}

/// Returns the names that are heard on the channel of a member, for the message of a request without
/// listeners.
#[napi(catch_unwind)]
pub fn heard(thread: u32, member: u32) -> Result<Heard> {
    let member = self::member(&*find(thread)?, member)?;
    let threads = member.channel().endpoints(member.endpoint());
    let names = member.channel().heard_elsewhere(&member, MOST_NAMES);
    let events = names.iter().map(|name| name.to_string()).collect();
    Ok(Heard { threads: u32::try_from(threads).unwrap_or(u32::MAX), events })
}

/// Returns the member of this id, which must be of this thread, after a flush of its burst.
pub fn member(thread: &Thread, member: u32) -> Result<Arc<Member>> {
    thread.burst.flush_all();
    let members = thread.members.borrow();
    members.get(&member).map(|place| place.member.clone()).ok_or_else(|| unknown("member"))
}

/// Takes the routes that a member has numbers for. The numbers mean nothing any more.
fn take_routes(thread: &Thread, member: u32) -> Vec<Arc<Route>> {
    let numbers = thread.members.borrow_mut().get_mut(&member).map(|place| take(&mut place.routes));
    let mut flushed = thread.burst.flush_all();
    let routes = flushed.routes();
    let taken = numbers.into_iter().flatten().filter_map(|number| routes.try_remove(number));
    taken.map(|(_, route)| route).collect()
}
