//! What is kept for each JS thread: its place among the members and its doorbell.
//!
//! A thread attaches with its first event and detaches in a cleanup hook of its environment.
//! The table is thread-local because every caller runs on the JS thread it asks about: looking
//! itself up takes no lock, however many workers run.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::LazyLock;

use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result, Status};

use super::doorbell::Doorbell;
use crate::core::mailbox::Mailbox;
use crate::core::registry::{Registration, Registry};

/// Nothing is posted yet: the events of a thread stay in V8, and only the wake crosses.
type Letter = Infallible;

/// Unused until threads send each other letters.
const MAILBOX_CAPACITY: usize = 0;

type Member = Registration<Letter, Doorbell>;

static REGISTRY: LazyLock<Registry<Letter, Doorbell>> = LazyLock::new(Registry::new);

thread_local! {
    /// Usually one. More where several versions of the library share a thread.
    static ATTACHED: RefCell<Vec<Rc<Member>>> = const { RefCell::new(Vec::new()) };
}

/// How many JS threads are attached, in the whole process.
pub fn attached() -> usize {
    REGISTRY.len()
}

/// Takes the current JS thread in: `drain` is called on it, soon, whenever it was woken. Returns
/// the handle that the thread names itself by.
pub fn attach(env: Env, drain: Function<'_, (), ()>) -> Result<u32> {
    let member = REGISTRY.join(|id| {
        let doorbell = Doorbell::new(drain, move |env| answer(env, id.as_u32()))?;
        Ok::<_, Error>(Mailbox::new(MAILBOX_CAPACITY, doorbell))
    })?;
    let member = Rc::new(member);
    // Added after the threadsafe function was made, so it runs before that is torn down.
    env.add_env_cleanup_hook(member.clone(), |member| detach(&member))?;
    ATTACHED.with_borrow_mut(|all| all.push(member.clone()));
    Ok(member.id().as_u32())
}

/// Asks for a drain of the current thread and keeps its event loop alive until then.
pub fn wake(env: Env, handle: u32) -> Result<()> {
    let member =
        find(handle).ok_or_else(|| Error::new(Status::InvalidArg, "no such thread is attached"))?;
    let doorbell = member.mailbox().waker();
    doorbell.hold(env)?;
    if member.mailbox().nudge() { Ok(()) } else { doorbell.release(env) }
}

/// What happens on the JS thread when the bell rang, before its drain is called.
fn answer(env: Env, handle: u32) {
    let Some(member) = find(handle) else { return };
    // From here on a wake is a new one. The drain that follows sees all that was queued before.
    let more = member.mailbox().collect(usize::MAX, &mut Vec::new());
    debug_assert!(!more, "what is left would wait for a wake that nobody sends");
    // Fails only while the environment is being torn down, and then nothing is kept alive.
    let _ = member.mailbox().waker().release(env);
}

fn detach(member: &Member) {
    member.mailbox().waker().disconnect();
    member.leave();
    ATTACHED.with_borrow_mut(|all| all.retain(|other| other.id() != member.id()));
}

fn find(handle: u32) -> Option<Rc<Member>> {
    ATTACHED.with_borrow(|all| all.iter().find(|member| member.id().as_u32() == handle).cloned())
}
