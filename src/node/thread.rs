//! The state of each JS thread: its endpoint, its waker, and the events that it works on.
//!
//! A thread attaches with its first event and detaches in a cleanup hook of its environment.
//! The table is thread-local because every caller runs on the JS thread it asks about: looking
//! itself up takes no lock, however many workers run.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Instant;

use napi::bindgen_prelude::{Float64Array, Function, Uint8Array, Uint32Array};
use napi::{Env, Error, Result, Status};
use slab::Slab;

use super::burst::Burst;
use super::lent::Lent;
use super::loop_time::LoopTime;
use super::parcels::Parcels;
use super::waker::Waker;
use crate::engine::channel::endpoint::Endpoint;
use crate::engine::channel::member::Member;
use crate::engine::channel::message::{Message, Notice};
use crate::engine::channel::route::Own;
use crate::engine::channel::{Batch, Delivery, Dispatch, InLine};
use crate::engine::hold::Hold;
use crate::engine::pace::{Look, Pace};
use crate::engine::payload::Payload;

/// Memory for so many things is kept when there is none of them.
const MUCH: usize = 1_024;

static ATTACHED_COUNT: AtomicUsize = AtomicUsize::new(0);
static LAST_HANDLE: AtomicU32 = AtomicU32::new(0);

static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

thread_local! {
    /// Usually one. More where several versions of the library share a thread.
    static ATTACHED: RefCell<Vec<Rc<Thread>>> = const { RefCell::new(Vec::new()) };
}

/// Where payloads are.
pub type LentBytes = Option<Lent<Uint8Array>>;

/// The place of a bus in a channel, and the numbers of the events that it emits.
pub struct Place {
    pub member: Arc<Member>,
    pub routes: Vec<usize>,
}

/// The state of a JS thread. See the [module](self).
pub struct Thread {
    handle: u32,
    pub endpoint: Arc<Endpoint>,
    waker: Arc<Waker>,
    /// The places of this thread's buses in channels, by the id of the member.
    pub members: RefCell<HashMap<u32, Place>>,
    /// Members of other threads with a load that is watched, by their numbers.
    pub watched: RefCell<HashMap<u32, Weak<Member>>>,
    /// Events that JavaScript has written down and not flushed, and the routes that it emits to by number.
    pub burst: Arc<Burst>,
    /// Batches and deliveries with unsettled listeners, by the handles that JavaScript has.
    pub batches: RefCell<Slab<Batch>>,
    pub deliveries: RefCell<Slab<Delivery>>,
    /// Messages that were collected, and not read by JavaScript yet: notices, and events for listeners.
    pub notices: RefCell<VecDeque<Message>>,
    pub unread: RefCell<VecDeque<Message>>,
    /// Messages with events of this thread for other buses of it. They may be read before their turn, so that
    /// these buses hear them before their own next events.
    pub loopback: RefCell<VecDeque<Message>>,
    /// True if there is no memory for the payloads of the first message.
    pub strips: Cell<bool>,
    /// When so many are unread, those that are over are taken out.
    sweep_at: Cell<usize>,
    /// This thread's own listeners that the last dispatch chose.
    pub own: RefCell<Vec<Own>>,
    /// Key of the event that is dispatched next.
    pub key: RefCell<Option<Arc<str>>>,
    /// This thread's own listeners that get an event with a key, by the handles that JavaScript has.
    pub in_line: RefCell<Slab<Vec<InLine>>>,
    /// Handle of those of the last dispatch.
    pub last_in_line: Cell<Option<usize>>,
    /// Name of the last event that JavaScript asks for it.
    pub last_event: Cell<u64>,
    /// Dispatches that JavaScript may cancel, by their token.
    pub cancellable: RefCell<HashMap<u32, Weak<Dispatch>>>,
    /// Where payloads are, and where the events of a burst are written down.
    pub lent: RefCell<LentBytes>,
    pub records: RefCell<Option<Lent<Uint32Array>>>,
    /// Numbers that JavaScript counts, by the id of the member.
    pub rows: RefCell<HashMap<u32, Vec<Lent<Float64Array>>>>,
    /// Long parts of messages that JavaScript encodes.
    pub parcels: Parcels,
    /// Payloads of notices that were read last, which lie apart.
    pub apart: RefCell<Vec<Option<Payload>>>,
    /// Reasons to hold the event loop open.
    hold: Hold,
    pace: Cell<Pace>,
}

/// Returns the number of JS threads that are attached, in the whole process.
pub fn attached() -> usize {
    ATTACHED_COUNT.load(Ordering::Relaxed)
}

/// Takes the current JS thread in: `drain` is called on it, soon, whenever it was woken, with
/// whether there are messages. Returns the handle that the thread names itself by.
pub fn attach(
    env: Env,
    drain: Function<'_, bool, ()>,
    thread: u32,
    has_libuv: bool,
) -> Result<u32> {
    let handle = LAST_HANDLE.fetch_add(1, Ordering::Relaxed) + 1;
    let loop_time = LoopTime::of(env, has_libuv)?;
    let look = move |env| look_when_woken(env, handle);
    let waker = Arc::new(Waker::new(drain, look, loop_time)?);
    let endpoint = Endpoint::new(thread, waker.clone());
    let burst = Arc::<Burst>::default();
    endpoint.set_burst(burst.clone());
    let thread = Rc::new(Thread {
        handle,
        endpoint,
        waker,
        burst,
        members: RefCell::default(),
        watched: RefCell::default(),
        batches: RefCell::default(),
        deliveries: RefCell::default(),
        notices: RefCell::default(),
        unread: RefCell::default(),
        loopback: RefCell::default(),
        strips: Cell::default(),
        sweep_at: Cell::new(MUCH),
        own: RefCell::default(),
        key: RefCell::default(),
        in_line: RefCell::default(),
        last_in_line: Cell::default(),
        last_event: Cell::default(),
        cancellable: RefCell::default(),
        lent: RefCell::default(),
        records: RefCell::default(),
        rows: RefCell::default(),
        parcels: Parcels::default(),
        apart: RefCell::default(),
        hold: Hold::default(),
        pace: Cell::new(Pace::new(*CORES)),
    });
    // Added after the threadsafe function was made, so it runs before that is torn down.
    env.add_env_cleanup_hook(thread.clone(), |thread| detach(&thread))?;
    ATTACHED_COUNT.fetch_add(1, Ordering::Relaxed);
    ATTACHED.with_borrow_mut(|all| all.push(thread));
    Ok(handle)
}

/// Returns the thread of this handle, which must be the current one.
pub fn find(handle: u32) -> Result<Rc<Thread>> {
    ATTACHED
        .with_borrow(|all| all.iter().find(|thread| thread.handle == handle).cloned())
        .ok_or_else(|| Error::new(Status::InvalidArg, "no such thread is attached"))
}

/// Returns the error for a handle that is not, or no longer, of this thread.
pub fn unknown(what: &str) -> Error {
    Error::new(Status::InvalidArg, format!("no such {what} of this thread"))
}

impl Thread {
    /// Collects all messages, at the [pace](crate::engine::pace) of this thread. Returns whether it has to be called
    /// again, soon: there are messages to read, or there may be some in a moment.
    pub fn look(&self) -> bool {
        let mut pace = self.pace.get();
        let look = pace.next(Instant::now(), self.has_messages(), attached());
        let mut messages = Vec::new();
        match look {
            Look::Later => return true,
            Look::Awake { .. } => self.endpoint.watch(usize::MAX, &mut messages),
            Look::Once { after } => {
                if !after.is_zero() {
                    std::thread::sleep(after);
                }
                // The messages tell whether to look again.
                let _found = self.endpoint.collect(usize::MAX, &mut messages);
            }
        }
        let found = !messages.is_empty();
        if found {
            pace.found(Instant::now(), messages.iter().map(Message::untracked).sum());
        } else {
            pace.found_nothing();
        }
        if !found && look == (Look::Awake { yields: true }) {
            std::thread::yield_now();
        }
        self.pace.set(pace);
        self.sort(messages);
        found || matches!(look, Look::Awake { .. }) || self.has_messages()
    }

    /// Collects messages of which no drain was told yet.
    pub fn take_early(&self) {
        let mut messages = Vec::new();
        self.endpoint.take_early(&mut messages);
        self.sort(messages);
    }

    /// Takes over events that other threads have not started, but not for listeners that are `full`. For a thread that
    /// has nothing to do. Returns whether there are any to read.
    pub fn steal(&self, full: &[u32]) -> bool {
        let mut messages = Vec::new();
        self.endpoint.steal(full, &mut messages);
        let is_any = !messages.is_empty();
        self.sort(messages);
        is_any
    }

    /// Notices of this thread's own events do not wait behind events of others.
    fn sort(&self, messages: Vec<Message>) {
        let (mut notices, mut unread) = (self.notices.borrow_mut(), self.unread.borrow_mut());
        let mut loopback = self.loopback.borrow_mut();
        let is_own = |emitter: &Arc<Member>| Arc::ptr_eq(emitter.endpoint(), &self.endpoint);
        for message in messages {
            match message {
                Message::Batch(ref batch) if is_own(batch.emitter()) => loopback.push_back(message),
                Message::Delivery(ref delivery) if is_own(delivery.emitter()) => {
                    loopback.push_back(message)
                }
                Message::Batch(_) | Message::Delivery(_) | Message::Notice(Notice::Forget(_)) => {
                    unread.push_back(message)
                }
                _ => notices.push_back(message),
            }
        }
        // Cancelled events give their room to the next ones, so they must not pile up before a thread that is
        // slow.
        if unread.len() >= self.sweep_at.get() {
            unread.retain(|message| !message.is_over());
            self.sweep_at.set(MUCH.max(2 * unread.len()));
        }
    }

    /// Takes the dispatch of this token, which cannot be cancelled any more.
    pub fn take_cancellable(&self, token: u32) -> Option<Weak<Dispatch>> {
        let mut cancellable = self.cancellable.borrow_mut();
        let taken = cancellable.remove(&token);
        if cancellable.is_empty() && cancellable.capacity() > MUCH {
            *cancellable = HashMap::new();
        }
        taken
    }

    fn has_messages(&self) -> bool {
        let is_empty = |messages: &RefCell<VecDeque<_>>| messages.borrow().is_empty();
        ![&self.unread, &self.notices, &self.loopback].into_iter().all(is_empty)
    }

    /// Asks for a drain and keeps the event loop alive until then.
    pub fn wake(&self, env: Env) -> Result<()> {
        self.hold(env)?;
        // One that is closed is that of a thread that is ending.
        let _is_open = self.endpoint.mailbox().wake();
        Ok(())
    }

    /// Keeps the event loop alive, until a wake finds no reason to.
    pub fn hold(&self, env: Env) -> Result<()> {
        self.hold.hold(|hold| self.waker.set(env, hold))
    }

    /// Counts one more bus, or one less, that asks for the event loop to stay alive.
    pub fn keep_alive(&self, env: Env, keep: bool) -> Result<()> {
        self.hold.ask(keep);
        self.review(env)
    }

    /// Looks for reasons to keep the event loop alive. To be called where one may have come, or gone.
    pub fn review(&self, env: Env) -> Result<()> {
        let mailbox = self.endpoint.mailbox();
        self.hold.review(mailbox, || self.is_pending(), |hold| self.waker.set(env, hold))
    }

    /// Lets the event loop end if there is no reason to keep it alive. To be called after a look, by a drain.
    pub fn looked(&self, env: Env) -> Result<()> {
        let mailbox = self.endpoint.mailbox();
        self.hold.looked(mailbox, || self.is_pending(), |hold| self.waker.set(env, hold))
    }

    /// Returns whether an event that this thread emitted is on its way.
    fn is_pending(&self) -> bool {
        self.endpoint.is_pending()
    }
}

/// Frees the memory of a queue that was long and is empty.
pub fn shrink(queue: &mut VecDeque<Message>) {
    if queue.is_empty() && queue.capacity() > MUCH {
        *queue = VecDeque::new();
    }
}

/// Frees memory as [`shrink`], for things with handles: none of them is known any more.
pub fn shrink_slab<T>(slab: &mut Slab<T>) {
    if slab.is_empty() && slab.capacity() > MUCH {
        *slab = Slab::new();
    }
}

/// Looks into the mailbox on the JS thread that was woken, before its drain is called. Returns whether it has
/// to read: there are messages, or there is something to take over.
fn look_when_woken(env: Env, handle: u32) -> bool {
    let Ok(thread) = find(handle) else { return false };
    // Before it is known whether the event loop is needed: the end of a need is told by a wake, which wakes
    // nobody until a look has found nothing.
    let has_messages = thread.look() || thread.endpoint.has_offers();
    // Fails only while the environment is being torn down, and then nothing is kept alive.
    let _ = thread.looked(env);
    has_messages
}

fn detach(thread: &Rc<Thread>) {
    thread.waker.disconnect();
    // Before the memory that it is in goes.
    thread.burst.end();
    // In this order: nobody may choose this thread again for deliveries that it lets go of.
    thread.endpoint.close();
    thread.notices.take();
    thread.unread.take();
    thread.loopback.take();
    thread.batches.take();
    thread.deliveries.take();
    thread.in_line.take().drain().flatten().for_each(InLine::end);
    // Before the memory that their numbers are in goes.
    thread.members.take().into_values().for_each(|place| place.member.close_rows());
    thread.rows.take();
    thread.lent.take();
    thread.records.take();
    ATTACHED.with_borrow_mut(|all| all.retain(|other| other.handle != thread.handle));
    ATTACHED_COUNT.fetch_sub(1, Ordering::Relaxed);
}
