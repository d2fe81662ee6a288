//! The state of one connection that is up, with its unwritten messages. It goes with the connection.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::client::traits::Publisher as _;
use async_nats::message::OutboundMessage;
use async_nats::{Client, Event, Message, StatusCode};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use super::absence::Absence;
use super::connection::{Connection, News};
use super::subjects::{Place, Subjects};
use super::trouble::{self, FAILED, Trouble};
use crate::cluster::bridge::{Input, To};
use crate::cluster::message::{Body, Message as Carried};
use crate::cluster::peer::PeerId;

/// Bytes and messages that are taken before the host has its turn.
const MOST_BYTES: usize = 1 << 20;
const MOST_MESSAGES: usize = 512;

/// Time without an answer of a process that was not heard before, after which all that are there have answered.
const QUIET: Duration = Duration::from_millis(100);

/// The connection is lost; with the last trouble before that, if there was one.
pub struct Lost(pub Option<Trouble>);

/// A connection that is up. See the [module](self).
pub struct Carrier {
    connection: Connection,
    subjects: Subjects,
    me: PeerId,
    unwritten: VecDeque<OutboundMessage>,
    absence: Absence,
    /// When all that are there have answered, as far as is known now.
    met_at: Instant,
    /// Troubles that were not taken yet.
    troubles: Vec<Trouble>,
}

impl Carrier {
    pub fn new(connection: Connection, subjects: Subjects, me: PeerId) -> Self {
        Carrier {
            connection,
            subjects,
            me,
            unwritten: VecDeque::new(),
            absence: Absence::default(),
            met_at: Instant::now() + QUIET,
            troubles: Vec::new(),
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn troubles(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.troubles)
    }

    pub fn has_met_all(&self) -> bool {
        Instant::now() >= self.met_at
    }

    /// Waits for something to happen, until `until` at the latest.
    pub async fn turn(&mut self, wake: &Notify, until: Instant) -> Result<Vec<Input>, Lost> {
        self.ask();
        let mut inputs = Vec::new();
        let early = std::mem::take(&mut self.connection.early);
        early.into_iter().for_each(|message| self.take(message, &mut inputs));
        // The client has its turn, even if there is always something else to do.
        self.pump().now_or_never();
        tokio::task::yield_now().await;
        let until = tokio::time::Instant::from_std(self.wakes_at(until));
        while inputs.is_empty() {
            let Carrier { connection, unwritten, .. } = self;
            let Some(news) = next(connection, unwritten, wake, until).await else { break };
            self.hear(news, &mut inputs)?;
        }
        self.take_more(&mut inputs)?;
        Ok(inputs)
    }

    /// Takes the news that has come already.
    fn take_more(&mut self, inputs: &mut Vec<Input>) -> Result<(), Lost> {
        let mut bytes = 0;
        while bytes < MOST_BYTES && inputs.len() < MOST_MESSAGES {
            let Some(news) = self.connection.next().now_or_never() else { break };
            if let News::Message(message) = &news {
                bytes += message.payload.len();
            }
            self.hear(news, inputs)?;
        }
        Ok(())
    }

    fn hear(&mut self, news: News, inputs: &mut Vec<Input>) -> Result<(), Lost> {
        match news {
            News::Message(message) => self.take(message, inputs),
            News::Event(Event::ServerError(error)) => {
                self.troubles.extend(trouble::of_server(&self.connection.server, &error));
            }
            News::Event(Event::Disconnected | Event::Closed) => {
                return Err(Lost(self.troubles.pop()));
            }
            // A message that was dropped, because too many wait, is a gap in the numbers.
            News::Event(_) => {}
        }
        Ok(())
    }

    fn take(&mut self, message: Message, inputs: &mut Vec<Input>) {
        match self.subjects.place(&message.subject) {
            Some(Place::Channel(channel)) => {
                let Some(peer) = Carried::sender(&message.payload) else { return };
                if peer == self.me {
                    return;
                }
                if self.absence.heard(peer, channel, Instant::now()) {
                    self.met_at = Instant::now() + QUIET;
                }
                inputs.push(Input::Heard(message.payload.to_vec()));
            }
            Some(Place::NobodyHears(peer)) if message.status == Some(StatusCode::NO_RESPONDERS) => {
                inputs.extend(self.miss(peer));
            }
            _ => {}
        }
    }

    /// Notes that the server knows nobody of this name.
    fn miss(&mut self, peer: PeerId) -> Option<Input> {
        let is_gone = self.absence.missing(peer, Instant::now());
        is_gone.then_some(Input::Lost(peer))
    }

    /// Puts a message behind those that are to be sent.
    pub fn send(&mut self, to: To, message: Vec<u8>) {
        let most = self.connection.max_payload();
        if message.len() > most {
            let (name, size) = (trouble::name(&self.connection.server), message.len());
            let why = format!(
                "{name}: max_payload of the server is {most} bytes, and a greeting with the names of all channels has {size}"
            );
            return self.troubles.push((FAILED, why));
        }
        match to {
            To::All => {
                for at in 0..self.subjects.channels() {
                    self.push(self.subjects.all(at), None, message.clone());
                }
            }
            To::Peer(peer) => {
                let must_ask = self.absence.must_ask(peer, Instant::now());
                self.push_to(peer, must_ask, message);
            }
        }
    }

    /// Asks the server again for peers that it did not know.
    fn ask(&mut self) {
        for peer in self.absence.questions(Instant::now()) {
            // To the peer it says nothing.
            let probe = Carried { from: self.me, mine: 0, yours: 0, body: Body::Bye };
            self.push_to(peer, true, probe.write());
        }
    }

    fn push_to(&mut self, peer: PeerId, must_ask: bool, message: Vec<u8>) {
        let Some(channel) = self.absence.channel(peer) else { return };
        let reply = must_ask.then(|| self.subjects.absence(peer));
        self.push(self.subjects.to(channel, peer), reply, message);
    }

    fn push(&mut self, subject: String, reply: Option<String>, message: Vec<u8>) {
        self.unwritten.push_back(OutboundMessage {
            subject: subject.into(),
            reply: reply.map(Into::into),
            payload: message.into(),
            headers: None,
        });
    }

    fn wakes_at(&self, until: Instant) -> Instant {
        let until = self.absence.asks_at().map_or(until, |at| at.min(until));
        if self.has_met_all() { until } else { until.min(self.met_at) }
    }

    async fn pump(&mut self) {
        pump(&self.connection.client, &mut self.unwritten).await;
    }

    /// Sends the unwritten messages, and waits until they are written.
    pub async fn finish(&mut self) {
        self.pump().await;
        // It fails only where the client has ended.
        let _ = self.connection.client.flush().await;
    }
}

/// Sends messages, as fast as the client takes them. One that it has not taken stays.
async fn pump(client: &Client, unwritten: &mut VecDeque<OutboundMessage>) {
    while let Some(message) = unwritten.front() {
        // It fails only where the client has ended, which is told of as an event.
        let _ = client.publish_message(message.clone()).await;
        unwritten.pop_front();
    }
}

/// Waits for news, and sends messages meanwhile. None when it was woken, or `until` has come.
async fn next(
    connection: &mut Connection,
    unwritten: &mut VecDeque<OutboundMessage>,
    wake: &Notify,
    until: tokio::time::Instant,
) -> Option<News> {
    let client = connection.client.clone();
    loop {
        tokio::select! {
            biased;
            () = pump(&client, unwritten), if !unwritten.is_empty() => {}
            news = connection.next() => return Some(news),
            () = wake.notified() => return None,
            () = tokio::time::sleep_until(until) => return None,
        }
    }
}
