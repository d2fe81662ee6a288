//! A thread or task that takes part: its mailbox, and its members.
//!
//! A JS thread and a Rust task are endpoints. So is a thread of another process, as a *ghost*: its mailbox is read by
//! a bridge that carries events there. One that ends is [closed](Endpoint::close), which settles all it owed.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem::take;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{self, Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::followers::Followers;
use super::member::Member;
use super::message::{Message, Notice};
use super::route::Route;
use super::stalls::Pulse;
use crate::engine::capacity::MailboxLimits;
use crate::engine::channel::Delivery;
use crate::engine::channel::{self, Channel};
use crate::engine::ids::MemberId;
use crate::engine::mailbox::{Closed, Mailbox, Wake};
use crate::engine::outcome::{FailureKind, Started};
use crate::engine::sync::{AtomicUsize, Mutex, lock};

static LAST_ID: AtomicU32 = AtomicU32::new(0);

/// Events that the owner of an endpoint has emitted and not published, because it is cheaper to [publish many
/// at once](super::route::Route::publish_all). The recipients are to be the same as if it had. So a change of
/// listeners flushes first.
///
/// Called from any thread, outside every lock of the engine.
pub trait Flush: Send + Sync {
    /// Publishes them.
    fn flush(&self);
    /// Makes the owner look anew for listeners: they have changed.
    fn invalidate(&self);
}

/// A value that is written often: not in a line of the cache with what emitters read.
#[repr(align(128))]
struct OwnLine<T>(T);

/// A thread or task that takes part. See the [module](self).
pub struct Endpoint {
    id: u32,
    thread: u32,
    is_ghost: bool,
    /// The codebook that others need to read its payloads.
    codebook: Mutex<Arc<[u8]>>,
    mailbox: Mailbox<Message, Arc<dyn Wake>>,
    burst: OnceLock<Arc<dyn Flush>>,
    /// None when it is closed.
    members: Mutex<Option<BTreeMap<MemberId, Arc<Member>>>>,
    /// True if there are no members any more. Beside them, because it is asked with other locks held.
    has_ended: AtomicBool,
    /// Number of members with something [pending](Member::pending).
    pending: AtomicUsize,
    /// When so many messages wait, those that are over are taken out of the mailbox.
    sweep_at: AtomicUsize,
    /// Number of looks into its mailbox.
    looks: AtomicU64,
    /// Others were told that it has not looked for long.
    is_stalled: AtomicBool,
    /// Number of deliveries that it has started.
    started: OwnLine<AtomicU64>,
    /// Routes with deliveries that it may [take over](Self::steal).
    pub(super) offers: Mutex<VecDeque<Weak<Route>>>,
    /// True if there are offers. Beside them, because it is asked of all reads.
    pub(super) has_offers: AtomicBool,
    pub(super) pulse: sync::Mutex<Pulse>,
    /// When it was made, and for how long its owner had been idle by then.
    began: (Instant, Duration),
    /// Endpoints that want to know when it is closed.
    pub(super) followers: Mutex<Followers>,
}

impl Endpoint {
    /// Returns an endpoint in no channel. Others name it by `thread`.
    pub fn new(thread: u32, wake: Arc<dyn Wake>) -> Arc<Self> {
        Self::of_kind(thread, wake, false)
    }

    /// Returns an endpoint that stands for a thread of another process.
    pub fn ghost(thread: u32, wake: Arc<dyn Wake>) -> Arc<Self> {
        Self::of_kind(thread, wake, true)
    }

    fn of_kind(thread: u32, wake: Arc<dyn Wake>, is_ghost: bool) -> Arc<Self> {
        Arc::new(Endpoint {
            began: (Instant::now(), wake.idle().unwrap_or_default()),
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            thread,
            is_ghost,
            codebook: Mutex::new([].into()),
            mailbox: Mailbox::new(wake),
            burst: OnceLock::new(),
            members: Mutex::new(Some(BTreeMap::new())),
            has_ended: AtomicBool::new(false),
            pending: AtomicUsize::new(0),
            sweep_at: AtomicUsize::new(FIRST_SWEEP),
            looks: AtomicU64::new(0),
            is_stalled: AtomicBool::new(false),
            started: OwnLine(AtomicU64::new(0)),
            offers: Mutex::new(VecDeque::new()),
            has_offers: AtomicBool::new(false),
            pulse: sync::Mutex::default(),
            followers: Mutex::new(Some(BTreeMap::new())),
        })
    }

    /// Names this endpoint alone, for the life of the process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns whether it stands for a thread of another process.
    pub fn is_ghost(&self) -> bool {
        self.is_ghost
    }

    /// Returns why events fail that it lets go of.
    pub(super) fn reason_of_loss(&self) -> FailureKind {
        if self.is_ghost { FailureKind::PeerGone(Started::No) } else { FailureKind::ThreadExited }
    }

    /// Shares the codebook that others need to read its payloads from now on: to the engine these are bytes
    /// like the payloads themselves. Earlier payloads must stay readable with it.
    pub fn share_codebook(&self, codebook: Arc<[u8]>) {
        *lock(&self.codebook) = codebook;
    }

    /// Returns the codebook that was shared last; nothing at first. It lives as long as something that was sent.
    pub fn codebook(&self) -> Arc<[u8]> {
        lock(&self.codebook).clone()
    }

    /// Returns the thread that others name it by.
    pub fn thread(&self) -> u32 {
        self.thread
    }

    /// Returns its age, and for how long its owner has been idle meanwhile, if that is known.
    pub fn idle(&self) -> (Duration, Option<Duration>) {
        let (since, before) = self.began;
        let idle = self.mailbox.waker().idle();
        (since.elapsed(), idle.map(|idle| idle.saturating_sub(before)))
    }

    /// Its mailbox.
    pub fn mailbox(&self) -> &Mailbox<Message, Arc<dyn Wake>> {
        &self.mailbox
    }

    /// Has others preferred to it from now on: it is about to end.
    pub fn shun(&self) {
        self.is_stalled.store(true, Ordering::Release);
    }

    /// Returns the number of looks into its mailbox. Where it stays the same, the endpoint is idle, or stuck.
    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Acquire)
    }

    /// Sets the [burst](Flush) of its owner. Only the first call counts.
    pub fn set_burst(&self, burst: Arc<dyn Flush>) {
        let _ = self.burst.set(burst);
    }

    pub(super) fn burst(&self) -> Option<&Arc<dyn Flush>> {
        self.burst.get()
    }

    /// Joins a channel: a new member, in addition to those it may have there. Of an endpoint that is
    /// closed, one that has left.
    pub fn join(self: &Arc<Self>, channel: &str, limits: MailboxLimits) -> Arc<Member> {
        let member = Member::new(channel::open(channel), self.clone(), limits);
        {
            let mut members = lock(&self.members);
            if let Some(members) = members.as_mut() {
                members.insert(member.id(), member.clone());
                member.enter();
                return member;
            }
        }
        member.leave();
        member
    }

    /// Collects messages, as [`Mailbox::collect`].
    #[must_use = "true means that the owner has to collect again"]
    pub fn collect(&self, max: usize, into: &mut Vec<Message>) -> bool {
        let first = into.len();
        self.looked();
        let again = self.mailbox.collect(max, into);
        tell_of_losses(into, first);
        again
    }

    /// Collects as [`collect`](Self::collect), for an owner that looks again in any case; see [`Mailbox::poll`].
    pub fn watch(&self, max: usize, into: &mut Vec<Message>) {
        let first = into.len();
        self.looked();
        self.mailbox.poll(max, into);
        tell_of_losses(into, first);
    }

    fn looked(&self) {
        self.looks.fetch_add(1, Ordering::AcqRel);
        // Read first, as above.
        if self.is_stalled.load(Ordering::Acquire) {
            self.is_stalled.store(false, Ordering::Release);
        }
    }

    /// Returns whether others were told that it has not looked for long, and it still has not.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Acquire)
    }

    /// Notes that it starts a delivery. Its owner calls it, no other thread.
    pub(super) fn starts(&self) {
        self.started.0.store(self.started() + 1, Ordering::Relaxed);
    }

    /// Returns the number of deliveries that it has started.
    pub(super) fn started(&self) -> u64 {
        self.started.0.load(Ordering::Relaxed)
    }

    /// Queues a delivery, as [`Mailbox::enqueue`]. Messages that are [over](Message::is_over) do not pile up:
    /// however long the endpoint does not look, they are never more than half of all messages, and a few.
    pub(super) fn queue(&self, delivery: Delivery) -> Result<bool, Closed<Delivery>> {
        let mut delivery = Some(delivery);
        let mut over = VecDeque::new();
        let written = self.mailbox.write(|messages| {
            let (waiting, before) = (messages.len(), self.sweep_at.load(Ordering::Acquire));
            // The mark comes down with the number of messages.
            let mut mark = before.min(FIRST_SWEEP.max(4 * waiting));
            if waiting >= mark {
                (over, *messages) = take(messages).into_iter().partition(Message::is_over);
                mark = FIRST_SWEEP.max(2 * messages.len());
            }
            if mark != before {
                self.sweep_at.store(mark, Ordering::Release);
            }
            messages.extend(delivery.take().map(Message::Delivery));
        });
        match (written, delivery) {
            (Err(_), Some(delivery)) => Err(Closed(delivery)),
            (written, _) => Ok(written.unwrap_or(false)),
        }
    }

    /// Returns whether something is [pending](Member::pending) of any of its members.
    pub fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0
    }

    /// Counts one more member with something pending. Its event cannot end before this.
    pub(super) fn began(&self) {
        self.pending.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts one member less with something pending. Its owner is to be woken afterwards.
    pub(super) fn ended(&self) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
    }

    /// Collects messages before it was woken for them; see [`Mailbox::take_early`].
    pub fn take_early(&self, into: &mut Vec<Message>) {
        self.mailbox.take_early(into);
    }

    /// Leaves every channel, tells the others there, and settles the messages that wait here: a delivery to
    /// one of a group goes to another of it, everything else fails as
    /// [`FailureKind::ThreadExited`](crate::engine::outcome::FailureKind::ThreadExited).
    pub fn close(&self) {
        let members = self.vanish();
        channels(&members).for_each(|channel| channel.tell_of_exit(self));
        self.leave_followers();
    }

    /// Closes it as [`close`](Self::close), but tells nobody: more than this thread has ended.
    pub fn vanish(&self) -> BTreeMap<MemberId, Arc<Member>> {
        let members = lock(&self.members).take().unwrap_or_default();
        self.has_ended.store(true, Ordering::Release);
        members.values().for_each(Member::leave);
        // Dropping a message settles it.
        drop(self.mailbox.close());
        members
    }

    /// Returns whether its thread has ended, or is about to. Its members leave after that.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    pub(super) fn forget(&self, member: &Arc<Member>) {
        if let Some(members) = lock(&self.members).as_mut() {
            members.remove(&member.id());
        }
    }

    /// Returns whether some of its members have events that have not settled.
    pub(super) fn has_unsettled(&self) -> bool {
        let members = lock(&self.members);
        members.iter().flatten().any(|(_, member)| member.in_flight() > 0)
    }

    pub(super) fn tell_of_stall(&self, ms: u64) {
        self.is_stalled.store(true, Ordering::Release);
        let waiting = u32::try_from(self.mailbox.len()).unwrap_or(u32::MAX);
        self.tell_of_stall_of(waiting, u32::try_from(ms).unwrap_or(u32::MAX));
    }

    /// Tells others that so many messages have waited for so many milliseconds without a look.
    pub fn tell_of_stall_of(&self, waiting: u32, ms: u32) {
        let members = lock(&self.members).clone().unwrap_or_default();
        for channel in channels(&members) {
            channel.tell(self, |member| member.stall_of(self.thread, waiting, ms));
        }
    }
}

/// Number of messages of any kind that may wait before those that are over are looked for.
const FIRST_SWEEP: usize = 1_024;

/// Replaces notices that losses were counted by notices of these losses.
fn tell_of_losses(messages: &mut Vec<Message>, first: usize) {
    let is_counted = |message: &Message| matches!(message, Message::Notice(Notice::Losses(_)));
    if !messages[first..].iter().any(is_counted) {
        return;
    }
    for message in messages.split_off(first) {
        match message {
            Message::Notice(Notice::Losses(counted)) => messages.extend(counted.of_losses()),
            message => messages.push(message),
        }
    }
}

/// Returns the channels of these members, each once.
fn channels(members: &BTreeMap<MemberId, Arc<Member>>) -> impl Iterator<Item = &Channel> {
    let mut seen = HashSet::new();
    let channels = members.values().map(|member| &**member.channel());
    channels.filter(move |channel| seen.insert(std::ptr::from_ref(*channel)))
}
