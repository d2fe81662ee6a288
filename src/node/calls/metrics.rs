//! The functions that JavaScript calls for the numbers of a channel.
//!
//! `thread` is the handle of the current thread, `member` the result of `join`.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use napi::Result;
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

use super::member::member;
use crate::engine::channel::ledger::{Load, Name, Numbers, Progress, Row};
use crate::node::lent::Lent;
use crate::node::thread::find;

/// Numbers that JavaScript counts.
struct LentRow(NonNull<[f64]>);

// SAFETY: the memory is kept, in place, until the row is closed, and any thread may use that of a SharedArrayBuffer.
unsafe impl Send for LentRow {}

impl Row for LentRow {
    fn add_to(&self, sums: &mut Vec<f64>) {
        if sums.len() < self.0.len() {
            sums.resize(self.0.len(), 0.0);
        }
        for (at, sum) in sums.iter_mut().take(self.0.len()).enumerate() {
            // SAFETY: it is within the memory. Here it is only read, and atomically; JavaScript writes whole numbers
            // of 64 bits.
            let word = unsafe { AtomicU64::from_ptr(self.0.cast::<u64>().as_ptr().add(at)) };
            *sum += f64::from_bits(word.load(Ordering::Relaxed));
        }
    }
}

/// Lends memory with numbers that JavaScript counts for events of a name, or of many names. It is kept until the
/// member is forgotten.
#[napi(catch_unwind)]
pub fn keep_row(
    thread: u32,
    member: u32,
    name: Option<String>,
    #[napi(ts_arg_type = "Float64Array")] words: Lent<Float64Array>,
) -> Result<()> {
    let thread = find(thread)?;
    let of = self::member(&thread, member)?;
    let row = LentRow(NonNull::from(&**words));
    thread.rows.borrow_mut().entry(member).or_default().push(words);
    of.keep_row(name.map(Into::into), Box::new(row));
    Ok(())
}

/// Returns numbers of a member: of events that it received, and of listeners of others that its own events were addressed
/// to, by what became of them.
#[napi(catch_unwind)]
pub fn fates(thread: u32, member: u32) -> Result<Vec<f64>> {
    let member = self::member(&*find(thread)?, member)?;
    let received = member.received() as f64;
    Ok(std::iter::once(received).chain(member.fates().map(|count| count as f64)).collect())
}

/// The numbers of the events of one name.
#[napi(object)]
pub struct EventNumbers {
    /// Missing for all other names together.
    pub name: Option<String>,
    /// Listeners of other members, by what became of them.
    pub fates: Vec<f64>,
    /// The sums of what JavaScript counts.
    pub own: Vec<f64>,
}

/// Events of one name that a member is at.
#[napi(object)]
pub struct RunningEvents {
    /// Missing for all other names together.
    pub name: Option<String>,
    pub count: f64,
}

/// The numbers of a member.
#[napi(object)]
pub struct MemberNumbers {
    /// Id of its thread.
    pub thread: u32,
    /// Number of events that it got.
    pub received: f64,
    /// Those of them that it has not dealt with.
    pub in_flight: f64,
    /// Bytes of these, encoded.
    pub bytes: f64,
    /// The most that it has had.
    pub most: f64,
    /// The sums of what JavaScript counts.
    pub own: Vec<f64>,
    /// Those of its events that have begun and not ended.
    pub running: Vec<RunningEvents>,
    /// Milliseconds since its thread came, and for how many of them its event loop was idle, if that is known.
    pub age: f64,
    pub idle: Option<f64>,
    /// Milliseconds for which its thread has shown no life, if that is too long.
    pub stalled_for: f64,
    /// Groups of its listeners.
    pub groups: Vec<String>,
}

/// The numbers of a channel.
#[napi(object)]
pub struct ChannelNumbers {
    /// By name, the busiest first.
    pub events: Vec<EventNumbers>,
    /// Of each member.
    pub members: Vec<MemberNumbers>,
}

/// Returns the numbers of the channel of a member. `begun` and `ended` are places in the rows of JavaScript's
/// counts.
#[napi(catch_unwind)]
pub fn survey(thread: u32, member: u32, begun: u32, ended: u32) -> Result<ChannelNumbers> {
    let member = self::member(&*find(thread)?, member)?;
    let progress = Progress { begun: begun as usize, ended: ended as usize };
    let survey = member.channel().survey(progress);
    Ok(ChannelNumbers {
        events: survey.events.into_iter().map(of_event).collect(),
        members: survey.loads.into_iter().map(of_member).collect(),
    })
}

fn of_event((name, numbers): (Name, Numbers)) -> EventNumbers {
    EventNumbers {
        name: name.map(|name| name.to_string()),
        fates: numbers.fates.map(|count| count as f64).to_vec(),
        own: numbers.own,
    }
}

fn of_running((name, count): (Name, f64)) -> RunningEvents {
    RunningEvents { name: name.map(|name| name.to_string()), count }
}

fn of_member(Load { member, own, running, groups }: Load) -> MemberNumbers {
    let (age, idle) = member.endpoint().idle();
    MemberNumbers {
        thread: member.endpoint().thread(),
        received: member.received() as f64,
        in_flight: member.unsettled() as f64,
        bytes: member.capacity().bytes() as f64,
        most: member.capacity().most_events() as f64,
        own,
        running: running.into_iter().map(of_running).collect(),
        age: in_ms(age),
        idle: idle.map(in_ms),
        stalled_for: in_ms(member.endpoint().stalled_for()),
        groups: groups.into_iter().map(|name| name.to_string()).collect(),
    }
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
