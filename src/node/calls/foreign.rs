//! The functions that JavaScript calls for other processes, and for links to them.

use napi::Result;
use napi_derive::napi;

use crate::cluster::{names, troubles};
use crate::node::thread::{find, unknown};

/// A process, or a thread of it, that has a number here.
#[napi(object)]
pub struct Foreign {
    /// Id of the process.
    pub id: String,
    /// Name of the process.
    pub name: String,
    /// The thread.
    pub thread: Option<u32>,
}

/// Returns the process or thread of a number; null if that was given long ago.
#[napi(catch_unwind)]
pub fn foreign(number: u32) -> Option<Foreign> {
    let name = names::of(number)?;
    Some(Foreign { id: name.peer.to_string(), name: name.name.to_string(), thread: name.thread })
}

/// Returns whether listeners of a route are in other processes.
#[napi(catch_unwind)]
pub fn is_heard_abroad(thread: u32, route: u32) -> Result<bool> {
    let thread = find(thread)?;
    let mut flushed = thread.burst.flush_all();
    let (member, route) = flushed.routes().get(route as usize).ok_or_else(|| unknown("route"))?;
    Ok(route.has_ghosts(member))
}

/// A trouble of a link.
#[napi(object)]
pub struct LinkTrouble {
    /// Its code.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// Returns the trouble of a link by its number; null if that was given long ago.
#[napi(catch_unwind)]
pub fn link_trouble(number: u32) -> Option<LinkTrouble> {
    let (code, message) = troubles::of(number)?;
    Some(LinkTrouble { code: code.to_owned(), message })
}
