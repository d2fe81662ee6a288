//! The thread of a link: waits for the link, turns the host, sends the host's messages.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Command, Link, Linked, News, STATE_BITS, Shared, State, Trouble, lock};
use crate::cluster::Millis;
use crate::cluster::bridge::{Config, Input, Skew};
use crate::cluster::host::{Happened, Host, LINK_STATE};
use crate::cluster::message::{CODEC, MAJOR};
use crate::cluster::peer::PeerId;
use crate::cluster::troubles;
use crate::engine::mailbox::Wake;

/// Time for the last words of a link that is closed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Opens a link, and runs it until it is closed.
pub(super) fn run<L: Link>(
    mut config: Config,
    max_event: usize,
    open: impl FnOnce(&Config) -> Result<L, Trouble>,
    shared: &Mutex<Shared>,
    notify: &dyn Wake,
) {
    // In every case the owner hears of the end.
    let mut end = End { shared, notify, unsettled: 0 };
    let linked = match Linked::take(&config.channels) {
        Ok(linked) => linked,
        Err(channel) => {
            let why = format!("channel '{channel}' has a link; close that one first");
            return end.tell(News::Failed("ERR_CHANNEL_LINKED", why));
        }
    };
    let link = match open(&config) {
        Ok(link) => link,
        Err((code, why)) => {
            // The channels are free before the owner hears of it, and tries again.
            drop(linked);
            return end.tell(News::Failed(code, why));
        }
    };
    config.most = config.most.min(link.most_frames());
    let channels: Vec<_> =
        config.channels.iter().map(|name| (name.clone(), name.clone())).collect();
    lock(shared).waker = Some(link.wake());
    let host = Host::new(config, channels, max_event, link.wake(), 0);
    let begin = Instant::now();
    let mut runner = Runner {
        link,
        host,
        begin,
        syncs: Vec::new(),
        asked: Vec::new(),
        changes: 0,
        closing: None,
    };
    runner.turn(vec![Input::Up], &end);
    end.tell(News::Opened);
    while !runner.is_over() {
        let inputs = runner.wait();
        runner.note_state(&inputs, &end);
        runner.turn(inputs, &end);
    }
    end.unsettled = runner.end();
}

struct Runner<L> {
    link: L,
    host: Host,
    begin: Instant,
    /// Tokens that wait until all peers are met; then each waits until these peers know everything.
    asked: Vec<u32>,
    syncs: Vec<(u32, Vec<(PeerId, u64)>)>,
    /// Changes of peers that the owner can see.
    changes: u64,
    /// When the link is closed at the latest.
    closing: Option<Millis>,
}

/// Tells the owner of the end, when it is dropped.
struct End<'a> {
    shared: &'a Mutex<Shared>,
    notify: &'a dyn Wake,
    unsettled: usize,
}

impl<L: Link> Runner<L> {
    fn now(&self) -> Millis {
        Millis::try_from(self.begin.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    fn wait(&mut self) -> Vec<Input> {
        let until = self.closing.map_or(self.host.wakes_at(), |at| at.min(self.host.wakes_at()));
        let most = Duration::from_millis(until.saturating_sub(self.now()));
        self.link.wait(most, &self.host.bridge().greeting())
    }

    /// Tells buses whether the link is up, and of its troubles.
    fn note_state(&mut self, inputs: &[Input], end: &End<'_>) {
        let is_up = |input: &Input| match input {
            Input::Up => Some(State::Up),
            Input::Down => Some(State::Away),
            _ => None,
        };
        let new = inputs.iter().rev().find_map(is_up);
        let mut troubles = self.link.troubles();
        let last = troubles.pop();
        for trouble in troubles {
            self.announce(lock(end.shared).state, Some(trouble));
        }
        if let Some(state) = new.filter(|_| self.closing.is_none()) {
            lock(end.shared).state = state;
            self.announce(state, last);
        } else if last.is_some() {
            self.announce(lock(end.shared).state, last);
        }
    }

    fn announce(&self, state: State, trouble: Option<Trouble>) {
        let number = trouble.map_or(0, |(code, why)| troubles::number(code, why));
        self.host.announce(LINK_STATE, state as u32 | number << STATE_BITS);
    }

    fn turn(&mut self, inputs: Vec<Input>, end: &End<'_>) {
        self.obey(end);
        let now = self.now();
        for (to, message) in self.host.turn(now, inputs) {
            self.link.send(to, message);
        }
        for happened in self.host.happened() {
            self.tell(&happened, end);
        }
        if self.changes != self.host.changes() {
            self.changes = self.host.changes();
            lock(end.shared).peers = self.host.peers();
        }
        self.look_for_synced(end);
    }

    fn obey(&mut self, end: &End<'_>) {
        let commands = std::mem::take(&mut lock(end.shared).commands);
        for command in commands {
            match command {
                Command::Sync(token) => self.asked.push(token),
                Command::Close(most) => {
                    let at = self.now().saturating_add(most);
                    if self.closing.is_none() {
                        self.set_state(State::Closing, end);
                        self.host.retire();
                    }
                    self.closing = Some(self.closing.map_or(at, |before| before.min(at)));
                }
            }
        }
    }

    fn tell(&mut self, happened: &Happened, end: &End<'_>) {
        match happened {
            Happened::Joined(_) | Happened::Gone(..) => {}
            Happened::Skewed(peer, skew) => {
                let (what, theirs, ours) = match skew {
                    Skew::Major(major) => ("protocol", u32::from(*major), u32::from(MAJOR)),
                    Skew::Codec(codec) => ("codec", *codec, CODEC),
                };
                let why = format!(
                    "process {peer} has version {theirs} of the {what}, and this one {ours}: no \
                     events go there; install the same version of the package in both"
                );
                end.tell(News::Warning("ERR_PEER_VERSION", why));
            }
        }
    }

    /// Tells the owner of each token when the peers that were met know all that they were to be told by then.
    fn look_for_synced(&mut self, end: &End<'_>) {
        if self.asked.is_empty() && self.syncs.is_empty() {
            return;
        }
        if self.link.has_met_all() {
            let told = self.host.bridge().told();
            self.syncs.extend(self.asked.drain(..).map(|token| (token, told.clone())));
        }
        let bridge = self.host.bridge();
        let synced = self.syncs.extract_if(.., |(_, told)| bridge.is_known(told));
        for (token, _) in synced.collect::<Vec<_>>() {
            end.tell(News::Synced(token));
        }
    }

    fn set_state(&self, state: State, end: &End<'_>) {
        lock(end.shared).state = state;
        self.announce(state, None);
    }

    fn is_over(&self) -> bool {
        let is_settled = || self.host.unsettled() == 0 && self.host.bridge().is_acknowledged();
        self.closing.is_some_and(|at| self.now() >= at || is_settled())
    }

    /// Sends the events that wait, as far as peers have room for them, and says goodbye. Returns the number of events
    /// that have not settled.
    fn end(mut self) -> usize {
        let unsettled = self.host.unsettled();
        for (to, message) in self.host.last_words(self.now()) {
            self.link.send(to, message);
        }
        self.link.end(LAST_WORDS);
        self.announce(State::Closed, None);
        unsettled
    }
}

impl End<'_> {
    fn tell(&self, news: News) {
        lock(self.shared).news.push(news);
        self.notify.wake();
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut shared = lock(self.shared);
        (shared.state, shared.waker) = (State::Closed, None);
        shared.peers.clear();
        drop(shared);
        self.tell(News::Closed(self.unsettled));
    }
}
