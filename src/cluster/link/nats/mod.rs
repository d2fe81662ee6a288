//! A link over NATS servers: every process is a client of one of them.
//!
//! The client runs on the thread of the link, while that waits. It is used for one connection only, and the link makes
//! the next one. So it is known that a connection is new, and no message for an earlier one waits in the client. Files
//! with secrets are read anew. To drop the runtime is the only way to end the client's own attempts, so each connection
//! has one.
//!
//! The client loses messages, or drops them because too many wait; the [session](crate::cluster::session) sends them
//! again.

pub mod absence;
mod carrier;
mod connection;
mod options;
mod subjects;
mod trouble;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::ServerAddr;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Link, Trouble};
use crate::cluster::bridge::{Config, Input, To};
use crate::cluster::peer::PeerId;
use crate::engine::mailbox::Wake;
use carrier::{Carrier, Lost};
use connection::Connection;
pub use options::{Identity, Options, Tls};
use subjects::Subjects;

/// Bytes of frames that a message must have room for.
const LEAST_FRAMES: usize = 1 << 10;

/// Bytes of frames in one message, at most.
const MOST_FRAMES: usize = 256 << 10;

/// Time before a lost connection is made again: doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Number of troubles that are told of one state.
const MOST_TOLD: usize = 64;

/// No link waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// A link over NATS servers. See the [module](self).
pub struct NatsLink {
    target: Target,
    wake: Arc<Waker>,
    runtime: OwnRuntime,
    place: Place,
    troubles: Vec<Trouble>,
    /// Troubles that were told since the link was up, or away: each is told once.
    told: BTreeSet<Trouble>,
    most_frames: usize,
}

/// The servers that are connected to, and the options and subjects of this process.
#[derive(Clone)]
struct Target {
    options: Options,
    /// Servers that others have told of.
    discovered: Vec<ServerAddr>,
    subjects: Subjects,
    me: PeerId,
    /// Bytes of frames that a message has to have room for.
    least: usize,
}

enum Place {
    Up(Box<Carrier>),
    Away { attempt: JoinHandle<Result<Connection, Trouble>>, pause: Duration },
}

struct Waker(Notify);

impl Wake for Waker {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// Ends all that runs on it when it is dropped, and waits for nothing: a name may take long to be resolved.
struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    fn new() -> Result<Self, Trouble> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
        let runtime = runtime.map_err(|error| (trouble::FAILED, error.to_string()))?;
        Ok(OwnRuntime(Some(runtime)))
    }

    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken by drop only")
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Target {
    /// Connects to the first server that it can. The error has the reason for each.
    async fn reach(self) -> Result<Connection, Trouble> {
        let Target { options, discovered, subjects, me, least } = self;
        let mut troubles = Vec::new();
        for server in options.servers.iter().chain(&discovered) {
            match Connection::open(server.clone(), &options, &subjects, me, least).await {
                Ok(connection) => return Ok(connection),
                Err(trouble) => troubles.push(trouble),
            }
        }
        let code = troubles.first().map_or(trouble::FAILED, |(code, _)| *code);
        let words: Vec<_> = troubles.into_iter().map(|(_, words)| words).collect();
        Err((code, words.join("; ")))
    }

    /// Remembers the servers that a server knows.
    fn discover(&mut self, connection: &Connection) {
        let servers = &self.options.servers;
        let others = connection.others().into_iter();
        self.discovered = others.filter(|server| !servers.contains(server)).collect();
    }
}

impl NatsLink {
    /// Connects to one of the servers.
    ///
    /// # Errors
    ///
    /// A code, and the reason.
    pub fn open(config: &Config, options: Options) -> Result<Self, Trouble> {
        let (subjects, me) = (Subjects::new(config), config.id);
        let discovered = Vec::new();
        let mut target = Target { options, discovered, subjects, me, least: LEAST_FRAMES };
        let runtime = OwnRuntime::new()?;
        let connection = runtime.get().block_on(target.clone().reach())?;
        let most_frames = connection.most_frames().min(MOST_FRAMES);
        target.least = most_frames;
        target.discover(&connection);
        Ok(NatsLink {
            place: Place::Up(Box::new(Carrier::new(connection, target.subjects.clone(), me))),
            target,
            wake: Arc::new(Waker(Notify::new())),
            runtime,
            troubles: Vec::new(),
            told: BTreeSet::new(),
            most_frames,
        })
    }

    /// Begins to connect again, after a while.
    fn begin(&mut self, pause: Duration) {
        let target = self.target.clone();
        // Processes that have lost the same server do not all come at the same time.
        let spread = pause.mul_f64(0.5 + f64::from(self.target.me.bytes()[0]) / 256.0);
        let attempt = self.runtime.get().spawn(async move {
            tokio::time::sleep(spread).await;
            target.reach().await
        });
        self.place = Place::Away { attempt, pause };
    }

    fn tell(&mut self, trouble: Trouble) {
        if self.told.len() < MOST_TOLD && self.told.insert(trouble.clone()) {
            self.troubles.push(trouble);
        }
    }

    fn lose(&mut self, Lost(trouble): Lost) -> Vec<Input> {
        self.told.clear();
        let name = match &self.place {
            Place::Up(carrier) => trouble::name(&carrier.connection().server),
            Place::Away { .. } => String::new(),
        };
        let lost = || (trouble::FAILED, format!("{name}: the connection is lost"));
        self.tell(trouble.unwrap_or_else(lost));
        // Where there is none to be had, the client stays in the old one, and sleeps.
        if let Ok(runtime) = OwnRuntime::new() {
            self.runtime = runtime;
        }
        self.begin(FIRST_PAUSE);
        vec![Input::Down]
    }

    fn arrive(&mut self, connection: Connection) -> Vec<Input> {
        self.target.discover(&connection);
        let (subjects, me) = (self.target.subjects.clone(), self.target.me);
        self.place = Place::Up(Box::new(Carrier::new(connection, subjects, me)));
        self.told.clear();
        vec![Input::Up]
    }
}

impl Link for NatsLink {
    fn wake(&self) -> Arc<dyn Wake> {
        self.wake.clone()
    }

    fn wait(&mut self, most: Duration, _: &[u8]) -> Vec<Input> {
        let until = Instant::now() + most.min(LONGEST_WAIT);
        let wake = &self.wake.0;
        match &mut self.place {
            Place::Up(carrier) => {
                let result = self.runtime.get().block_on(carrier.turn(wake, until));
                let troubles = carrier.troubles();
                troubles.into_iter().for_each(|trouble| self.tell(trouble));
                result.unwrap_or_else(|lost| self.lose(lost))
            }
            Place::Away { attempt, pause } => {
                let pause = (*pause * 2).min(LONGEST_PAUSE);
                let ended = self.runtime.get().block_on(async {
                    tokio::select! {
                        biased;
                        ended = attempt => Some(ended),
                        () = wake.notified() => None,
                        () = tokio::time::sleep_until(until.into()) => None,
                    }
                });
                match ended {
                    None => Vec::new(),
                    Some(Ok(Ok(connection))) => self.arrive(connection),
                    Some(Ok(Err(trouble))) => {
                        self.tell(trouble);
                        self.begin(pause);
                        Vec::new()
                    }
                    Some(Err(ended)) => {
                        self.tell((trouble::FAILED, ended.to_string()));
                        self.begin(pause);
                        Vec::new()
                    }
                }
            }
        }
    }

    fn send(&mut self, to: To, message: Vec<u8>) {
        // While the link is away nobody gets it; the bridge sends it again.
        if let Place::Up(carrier) = &mut self.place {
            carrier.send(to, message);
        }
    }

    fn has_met_all(&self) -> bool {
        match &self.place {
            Place::Up(carrier) => carrier.has_met_all(),
            Place::Away { .. } => false,
        }
    }

    fn most_frames(&self) -> usize {
        self.most_frames
    }

    fn troubles(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.troubles)
    }

    fn end(&mut self, most: Duration) {
        if let Place::Up(carrier) = &mut self.place {
            let finished = async { tokio::time::timeout(most, carrier.finish()).await };
            // Messages that are not written by then are lost, and peers see that this process is gone.
            let _ = self.runtime.get().block_on(finished);
        }
    }
}
