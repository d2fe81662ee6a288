//! The functions that JavaScript calls for a link to other processes. `link` is the result of `open_link`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result, Status};
use napi_derive::napi;
use slab::Slab;

use crate::cluster::Millis;
use crate::cluster::bridge::Config;
use crate::cluster::host::{self, FRAME_OVERHEAD};
use crate::cluster::link::{Handle, News, STATE_BITS, State};
use crate::cluster::message::MAJOR;
use crate::cluster::names;
use crate::cluster::outgoing::Window;
use crate::cluster::peer::PeerId;
use crate::node::calls::opening::{NatsOptions, open};
use crate::node::loop_time::LoopTime;
use crate::node::protocol::{
    FIRST_FOREIGN_THREAD, LINK_AWAY, LINK_CLOSED, LINK_CLOSING, LINK_NEWS_CLOSED, LINK_NEWS_FAILED,
    LINK_NEWS_OPENED, LINK_NEWS_SYNCED, LINK_NEWS_WARNING, LINK_STATE_BITS, LINK_UP,
    NEWS_LINK_STATE, NEWS_PEER_EXIT, NEWS_PEER_JOIN,
};
use crate::node::thread::unknown;
use crate::node::waker::Waker;

// Numbers of the cluster go to JavaScript as they are.
const _: () = assert!(FIRST_FOREIGN_THREAD == names::FIRST);
const _: () = assert!(NEWS_PEER_JOIN == host::PEER_JOIN && NEWS_PEER_EXIT == host::PEER_EXIT);
const _: () = assert!(NEWS_LINK_STATE == host::LINK_STATE && LINK_STATE_BITS == STATE_BITS);
const _: () = {
    assert!(LINK_UP == State::Up as u32 && LINK_AWAY == State::Away as u32);
    assert!(LINK_CLOSING == State::Closing as u32 && LINK_CLOSED == State::Closed as u32);
};

/// Time between two signs of life, at most; and the part of the time after which a peer is gone.
const BEAT: Millis = 1_000;
const BEATS: Millis = 4;

thread_local! {
    /// The links that this thread has opened.
    static LINKS: RefCell<Slab<Rc<Opened>>> = const { RefCell::new(Slab::new()) };
}

struct Opened {
    handle: Handle,
    waker: Arc<Waker>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.waker.disconnect();
    }
}

/// Options of a link. Times are in milliseconds.
#[napi(object)]
pub struct LinkOptions {
    /// The directory with the sockets, for a link over those.
    pub directory: Option<String>,
    /// The servers, for a link over those.
    pub nats: Option<NatsOptions>,
    /// Keeps deployments apart.
    pub space: String,
    /// Name of this process, for people.
    pub name: String,
    /// Names of the channels that leave the process.
    pub channels: Vec<String>,
    /// Time without a sign of life after which a peer is gone.
    pub peer_timeout: u32,
    /// Time without a link after which all peers are gone.
    pub link_timeout: u32,
    /// Number of messages that a peer may not have acknowledged.
    pub max_messages: f64,
    /// Bytes of them.
    pub max_bytes: f64,
    /// Bytes of the largest event.
    pub max_event: f64,
}

/// News of a link.
#[napi(object)]
pub struct LinkNews {
    /// One of the kinds in `protocol.rs`.
    pub kind: u32,
    /// A token, or a number of events.
    pub number: u32,
    /// Code of an error.
    pub code: Option<String>,
    /// The error in words.
    pub message: Option<String>,
}

/// A process that a link leads to.
#[napi(object)]
pub struct LinkPeer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Number of its listeners that this process knows of.
    pub listeners: u32,
    /// Version of its protocol.
    pub version: String,
    /// True if it has told of all that listened there when it was met.
    pub has_joined: bool,
}

/// Opens a link. `notify` is called when there is news. The event loop stays alive until `ref_link` says otherwise.
#[napi(catch_unwind)]
pub fn open_link(env: Env, options: LinkOptions, notify: Function<'_, bool, ()>) -> Result<u32> {
    let waker = Arc::new(Waker::new(notify, |_| true, LoopTime::unknown())?);
    let id = random_id()?;
    let max_event = options.max_event as usize;
    let peer_timeout = options.peer_timeout.into();
    let config = Config {
        id,
        space: options.space.into(),
        name: options.name.into(),
        channels: options.channels.into_iter().map(Into::into).collect(),
        window: Window {
            messages: options.max_messages as usize,
            bytes: options.max_bytes as usize,
        },
        // The link narrows it.
        most: usize::MAX,
        longest: max_event.saturating_add(FRAME_OVERHEAD),
        beat: BEAT.min(peer_timeout / BEATS).max(1),
        peer_timeout,
        link_timeout: options.link_timeout.into(),
    };
    let handle = open(config, max_event, options.directory, options.nats, waker.clone())
        .map_err(|error| Error::new(Status::GenericFailure, format!("no thread: {error}")))?;
    waker.set(env, true)?;
    let is_first = LINKS.with_borrow(Slab::is_empty);
    let number = LINKS.with_borrow_mut(|links| links.insert(Rc::new(Opened { handle, waker })));
    if is_first {
        // The threadsafe function goes with the environment, after this.
        env.add_env_cleanup_hook((), |()| drop(LINKS.take()))?;
    }
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Returns the news of a link since the last call. After the news of its end the link is forgotten.
#[napi(catch_unwind)]
pub fn link_news(link: u32) -> Result<Vec<LinkNews>> {
    let news = find(link)?.handle.news();
    if news.iter().any(|news| matches!(news, News::Closed(_))) {
        let ended = LINKS.with_borrow_mut(|links| links.try_remove(link as usize));
        drop(ended);
    }
    Ok(news.into_iter().map(LinkNews::from).collect())
}

/// Returns the peers of a link.
#[napi(catch_unwind)]
pub fn link_peers(link: u32) -> Result<Vec<LinkPeer>> {
    let peers = find(link)?.handle.peers();
    let of = |peer: crate::cluster::host::PeerInfo| LinkPeer {
        id: peer.id.to_string(),
        name: peer.name.to_string(),
        listeners: u32::try_from(peer.listeners).unwrap_or(u32::MAX),
        version: format!("{MAJOR}.{}", peer.minor),
        has_joined: peer.has_joined,
    };
    Ok(peers.into_iter().map(of).collect())
}

/// Returns the state of a link, one of those in `protocol.rs`.
#[napi(catch_unwind)]
pub fn link_state(link: u32) -> Result<u32> {
    Ok(find(link)?.handle.state() as u32)
}

/// Asks for the news that all peers know the listeners that are here now.
#[napi(catch_unwind)]
pub fn sync_link(link: u32, token: u32) -> Result<()> {
    find(link)?.handle.sync(token);
    Ok(())
}

/// Closes a link when all that is under way has settled, in so many milliseconds at the latest.
#[napi(catch_unwind)]
pub fn close_link(link: u32, timeout: u32) -> Result<()> {
    find(link)?.handle.close(timeout.into());
    Ok(())
}

/// Keeps the event loop alive for a link, or lets it end.
#[napi(catch_unwind)]
pub fn ref_link(env: Env, link: u32, keep: bool) -> Result<()> {
    find(link)?.waker.set(env, keep)
}

fn find(link: u32) -> Result<Rc<Opened>> {
    LINKS.with_borrow(|links| links.get(link as usize).cloned()).ok_or_else(|| unknown("link"))
}

fn random_id() -> Result<PeerId> {
    let mut bytes = [0; PeerId::BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Status::GenericFailure, format!("no random bytes: {error}")))?;
    Ok(PeerId::new(bytes))
}

impl From<News> for LinkNews {
    fn from(news: News) -> Self {
        let of = |kind, number| LinkNews { kind, number, code: None, message: None };
        let saying = |kind, code: &str, message| LinkNews {
            code: Some(code.to_owned()),
            message: Some(message),
            ..of(kind, 0)
        };
        match news {
            News::Opened => of(LINK_NEWS_OPENED, 0),
            News::Failed(code, message) => saying(LINK_NEWS_FAILED, code, message),
            News::Synced(token) => of(LINK_NEWS_SYNCED, token),
            News::Warning(code, message) => saying(LINK_NEWS_WARNING, code, message),
            News::Closed(unsettled) => {
                of(LINK_NEWS_CLOSED, u32::try_from(unsettled).unwrap_or(u32::MAX))
            }
        }
    }
}
