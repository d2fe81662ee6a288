//! The engine: it addresses events, wakes threads, and accounts for every delivery. No Node-API here.
//!
//! An [`Endpoint`](channel::endpoint::Endpoint) is a thread or task with a mailbox. It joins channels as
//! [`Member`](channel::member::Member)s, each of which listens to events. The
//! [`Route`](channel::route::Route) of an event knows its listeners. A tracked event becomes a
//! [`Dispatch`](delivery::dispatch::Dispatch): a [`Delivery`](channel::Delivery) goes to the mailbox of each
//! member, and when all have settled the emitter has its outcome. Untracked events go in
//! [batches](channel::Batch).
//!
//! # Locks
//!
//! They are taken in this order: a [burst](channel::burst); the members of an endpoint; the listeners of a member or
//! the routes of a channel; the table of a route; the queue of a mailbox; and last, one at a time, the progress
//! of a dispatch, the members of a channel, the news of a member, or the timers. None but the first is held
//! while somebody is woken or a delivery is dropped, which may settle, choose anew and wake.

pub mod blocks;
pub mod capacity;
pub mod channel;
pub mod delivery;
pub mod exit_reason;
pub mod fates;
pub mod hold;
pub mod ids;
pub mod mailbox;
pub mod metrics;
pub mod outcome;
pub mod pace;
pub mod payload;
mod sync;
pub mod timer;
