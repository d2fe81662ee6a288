//! A link to the processes of one host, over Unix sockets or named pipes of Windows: no server, and no leader.
//!
//! Each process has its entry in a directory, and connects to those that are there when it comes; later ones connect
//! to it. The end of a connection is the end of a process. A user who may use the directory may call listeners. So the
//! directory is for its owner, and its group if that is allowed there.

mod connection;
mod directory;
#[cfg_attr(unix, path = "sockets.rs")]
#[cfg_attr(windows, path = "pipes.rs")]
mod system;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::{Link, Trouble};
use crate::cluster::bridge::{Input, To};
use crate::cluster::message::Message;
use crate::cluster::peer::PeerId;
use crate::engine::mailbox::Wake;
use connection::Connection;
use directory::{Directory, failed};
use system::Listener;

pub use connection::MOST_FRAMES;

const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
const FIRST_CONNECTION: usize = 2;

/// Time that a process has to name itself.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// Number of connections at most.
const MOST_CONNECTIONS: usize = 4_096;

/// Processes that meet in a directory. See the [module](self).
pub struct UnixLink {
    directory: Directory,
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    listener: Listener,
    connections: HashMap<Token, Connection>,
    /// The connection to each process.
    by_peer: HashMap<PeerId, Token>,
    /// Connections with something to be read, and new ones.
    readable: Vec<Token>,
    fresh: Vec<Token>,
    /// Entries that are to be connected to: of processes that were there before, and have said nothing yet.
    unheard: Vec<PathBuf>,
    opened: Instant,
    last: usize,
    must_accept: bool,
}

struct Waker(mio::Waker);

impl Wake for Waker {
    fn wake(&self) {
        // It fails only where the thread is gone.
        let _ = self.0.wake();
    }
}

impl UnixLink {
    /// Opens a link in this directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// A code, and the reason.
    pub fn open(directory: PathBuf, id: PeerId) -> Result<Self, Trouble> {
        let of_poll = |error: io::Error| failed("cannot wait for", &directory, &error);
        let poll = Poll::new().map_err(of_poll)?;
        let waker = Arc::new(Waker(mio::Waker::new(poll.registry(), WAKER).map_err(of_poll)?));
        let (directory, listener) = Directory::enter(directory, id, (poll.registry(), LISTENER))?;
        let others = directory.others();
        Ok(UnixLink {
            directory,
            poll,
            events: Events::with_capacity(256),
            waker,
            listener,
            connections: HashMap::new(),
            by_peer: HashMap::new(),
            readable: Vec::new(),
            fresh: Vec::new(),
            unheard: others,
            opened: Instant::now(),
            last: FIRST_CONNECTION,
            must_accept: true,
        })
    }

    fn accept(&mut self) {
        if !std::mem::take(&mut self.must_accept) {
            return;
        }
        while let Ok((stream, _)) = self.listener.accept() {
            self.add(Connection::new(stream, None));
        }
    }

    /// Connects to those that were there before.
    fn connect(&mut self) {
        for path in std::mem::take(&mut self.unheard) {
            match system::connect(&path) {
                Ok(stream) => self.add(Connection::new(stream, Some(path))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.unheard.push(path),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    // Its process is gone.
                    self.directory.sweep(&path);
                }
                // It has gone just now, or is none of this process's business.
                Err(_) => {}
            }
        }
    }

    fn add(&mut self, mut connection: Connection) {
        if self.connections.len() >= MOST_CONNECTIONS {
            return;
        }
        self.last += 1;
        let token = Token(self.last);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(connection.stream(), token, interest).is_ok() {
            self.connections.insert(token, connection);
            self.readable.push(token);
            self.fresh.push(token);
        }
    }

    /// Reads the messages that have come. A connection with more to be read stays readable.
    fn read(&mut self, inputs: &mut Vec<Input>) {
        for token in std::mem::take(&mut self.readable) {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            let mut messages = Vec::new();
            let state = connection.read(&mut messages);
            // A stream may take nothing until something has come.
            connection.write();
            if let (None, Some(first)) = (connection.peer, messages.first()) {
                connection.peer = Message::sender(first);
                connection.peer.iter().for_each(|peer| {
                    self.by_peer.entry(*peer).or_insert(token);
                });
            }
            inputs.extend(messages.into_iter().map(Input::Heard));
            match state {
                connection::Read::All => {}
                connection::Read::Some => self.readable.push(token),
                connection::Read::Ended => self.remove(token, inputs),
            }
        }
    }

    fn remove(&mut self, token: Token, inputs: &mut Vec<Input>) {
        let Some(connection) = self.connections.remove(&token) else { return };
        let Some(peer) = connection.peer else { return };
        if self.by_peer.get(&peer) == Some(&token) {
            self.by_peer.remove(&peer);
            inputs.push(Input::Lost(peer));
        }
    }

    /// Ends connections whose process has not named itself in time. One that this process made is made again: the other
    /// process may have been stopped, and it connects only to processes that were there before it.
    fn prune(&mut self, inputs: &mut Vec<Input>) {
        let now = Instant::now();
        let is_over = |connection: &Connection| {
            connection.peer.is_none() && now >= connection.since + GREETING_TIMEOUT
        };
        let over: Vec<_> = self.connections.iter().filter(|(_, of)| is_over(of)).collect();
        let over: Vec<_> = over.into_iter().map(|(token, _)| *token).collect();
        for token in over {
            let to = self.connections.get_mut(&token).and_then(|connection| connection.to.take());
            self.unheard.extend(to);
            self.remove(token, inputs);
        }
    }

    /// Whether processes that were there before have had the time to name themselves.
    fn has_waited(&self) -> bool {
        self.opened.elapsed() >= GREETING_TIMEOUT
    }

    fn note_events(&mut self) {
        let UnixLink { events, connections, readable, must_accept, .. } = self;
        for event in events.iter() {
            match event.token() {
                WAKER => {}
                LISTENER => *must_accept = true,
                token => {
                    if event.is_writable()
                        && let Some(connection) = connections.get_mut(&token)
                    {
                        connection.go_on();
                    }
                    if event.is_readable() || event.is_read_closed() {
                        readable.push(token);
                    }
                }
            }
        }
    }
}

impl Link for UnixLink {
    fn wake(&self) -> Arc<dyn Wake> {
        self.waker.clone()
    }

    fn wait(&mut self, most: Duration, greeting: &[u8]) -> Vec<Input> {
        let mut inputs = Vec::new();
        self.connect();
        self.accept();
        for token in std::mem::take(&mut self.fresh) {
            if let Some(connection) = self.connections.get_mut(&token) {
                connection.send(greeting);
            }
        }
        let has_more = !self.readable.is_empty();
        let most = if has_more { Duration::ZERO } else { most };
        let is_soon = !self.unheard.is_empty() && !self.has_waited();
        let most = if is_soon { most.min(Duration::from_millis(10)) } else { most };
        if self.poll.poll(&mut self.events, Some(most)).is_ok() {
            self.note_events();
        }
        self.read(&mut inputs);
        self.prune(&mut inputs);
        inputs
    }

    fn send(&mut self, to: To, message: Vec<u8>) {
        match to {
            To::All => self.connections.values_mut().for_each(|each| each.send(&message)),
            To::Peer(peer) => {
                let token = self.by_peer.get(&peer);
                if let Some(connection) = token.and_then(|token| self.connections.get_mut(token)) {
                    connection.send(&message);
                }
            }
        }
    }

    fn has_met_all(&self) -> bool {
        let is_known =
            |connection: &Connection| connection.to.is_none() || connection.peer.is_some();
        self.has_waited() || (self.unheard.is_empty() && self.connections.values().all(is_known))
    }

    fn most_frames(&self) -> usize {
        MOST_FRAMES
    }

    fn end(&mut self, most: Duration) {
        let until = Instant::now() + most;
        self.directory.leave();
        let is_writing = |each: &Connection| each.peer.is_some() && each.is_writing();
        while self.connections.values().any(is_writing) && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            if self.poll.poll(&mut self.events, Some(left)).is_ok() {
                self.note_events();
            }
        }
        self.connections.clear();
    }
}

impl Drop for UnixLink {
    fn drop(&mut self) {
        self.directory.leave();
        // Operations of a stream that are under way end with the poll.
        self.connections.clear();
    }
}
