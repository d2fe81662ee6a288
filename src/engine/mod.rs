//! The engine: who takes part, who is addressed, what waits for whom, when a thread is woken, and
//! what becomes of every delivery. No Node-API here.
//!
//! An [`Endpoint`](channel::endpoint::Endpoint) is a thread or task with a mailbox. It joins channels as
//! [`Member`](channel::member::Member)s, each of which listens to events. An event that is emitted becomes a
//! [`Dispatch`](delivery::dispatch::Dispatch): its [`Route`](channel::route::Route) tells who listens, a
//! [`Delivery`](delivery::Delivery) goes to the mailbox of each, and when all have settled the emitter
//! has its outcome. An event whose outcome nobody waits for goes in a [`Batch`](delivery::batch::Batch) with
//! others.
//!
//! # Locks
//!
//! They are taken in this order: a [burst](channel::burst); the members of an endpoint; the listeners of a member or
//! the routes of a channel; the table of a route; the queue of a mailbox; and last, one at a time, the progress
//! of a dispatch, the members of a channel, the news of a member, or the timers. None but the first is held
//! while somebody is woken or a delivery is dropped, which may settle, choose anew and wake.

pub mod capacity;
pub mod channel;
pub mod delivery;
pub mod exit_reason;
pub mod hold;
pub mod ids;
pub mod mailbox;
pub mod metrics;
pub mod outcome;
pub mod pace;
pub mod payload;
mod sync;
pub mod timer;
