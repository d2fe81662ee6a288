//! A connection to one server, from its first word to its last.

use std::time::Duration;

use async_nats::{Client, Event, Message, ServerAddr, Subscriber};
use futures_util::StreamExt as _;
use futures_util::stream::SelectAll;
use tokio::sync::mpsc;

use super::options::Options;
use super::subjects::Subjects;
use super::trouble::{self, FAILED, TIMEOUT, Trouble};
use crate::cluster::message::{Body, Message as Carried, OVERHEAD};
use crate::cluster::peer::PeerId;

/// Time in which the server has to show that this process is heard.
const PROOF_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection. See the [module](self).
pub struct Connection {
    pub server: ServerAddr,
    pub client: Client,
    subscribers: SelectAll<Subscriber>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Messages that came while something else was waited for.
    pub early: Vec<Message>,
}

/// A message that has come, or an event of the client.
pub enum News {
    Message(Message),
    Event(Event),
}

impl Connection {
    /// Connects to a server, and shows that everything that is sent to this process comes. `least` is the number of
    /// bytes of frames that a message has to have room for.
    pub async fn open(
        server: ServerAddr,
        options: &Options,
        subjects: &Subjects,
        me: PeerId,
        least: usize,
    ) -> Result<Self, Trouble> {
        let (told, events) = mpsc::unbounded_channel();
        let of_client = options.of_client()?.event_callback(move |event| {
            // It fails only where the connection is gone.
            let _ = told.send(event);
            async {}
        });
        let client = of_client.connect(&server).await;
        let client =
            client.map_err(|error| trouble::of_connect(&server, &options.identity, &error))?;
        let mut subscribers = SelectAll::new();
        for subject in subjects.heard() {
            let subscriber = client.subscribe(subject).await;
            let failed = |error| (FAILED, format!("{}: {error}", trouble::name(&server)));
            subscribers.push(subscriber.map_err(failed)?);
        }
        let mut connection = Connection { server, client, subscribers, events, early: Vec::new() };
        connection.check_size(least)?;
        connection.prove(subjects, me).await?;
        Ok(connection)
    }

    /// Returns the bytes of frames that a message has room for.
    pub fn most_frames(&self) -> usize {
        self.client.max_payload().saturating_sub(OVERHEAD)
    }

    /// Returns the bytes that a message may have.
    pub fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Returns the other servers that this one knows.
    pub fn others(&self) -> Vec<ServerAddr> {
        let scheme = if self.server.tls_required() { "tls" } else { "nats" };
        let urls = self.client.server_info().connect_urls;
        urls.iter().filter_map(|url| format!("{scheme}://{url}").parse().ok()).collect()
    }

    fn check_size(&self, least: usize) -> Result<(), Trouble> {
        if self.most_frames() >= least {
            return Ok(());
        }
        let (has, name) = (self.client.max_payload(), trouble::name(&self.server));
        let least = least + OVERHEAD;
        Err((
            FAILED,
            format!("{name}: max_payload of the server is {has} bytes, and must be {least}"),
        ))
    }

    /// Sends to each subject that is listened to, and waits until all of that has come back.
    async fn prove(&mut self, subjects: &Subjects, me: PeerId) -> Result<(), Trouble> {
        // To everybody else it says nothing.
        let probe = Carried { from: me, mine: 0, yours: 0, body: Body::Bye }.write();
        let all = (0..subjects.channels()).map(|at| subjects.all(at));
        let mut awaited: Vec<_> = all.chain([subjects.absence(me)]).collect();
        awaited.extend((0..subjects.channels()).map(|at| subjects.to(at, me)));
        for subject in &awaited {
            // It fails only where the client has ended, which is told of as an event.
            let _ = self.client.publish(subject.clone(), probe.clone().into()).await;
        }
        let proof = async {
            while !awaited.is_empty() {
                match self.next().await {
                    News::Message(message) if Carried::sender(&message.payload) == Some(me) => {
                        awaited.retain(|subject| *subject != *message.subject);
                    }
                    News::Message(message) => self.early.push(message),
                    News::Event(Event::Disconnected) => {
                        return Err((
                            FAILED,
                            format!("{}: the server has hung up", trouble::name(&self.server)),
                        ));
                    }
                    News::Event(Event::ServerError(error)) => {
                        trouble::of_server(&self.server, &error).map_or(Ok(()), Err)?;
                    }
                    News::Event(_) => {}
                }
            }
            Ok(())
        };
        let result = tokio::time::timeout(PROOF_TIMEOUT, proof).await;
        result.unwrap_or_else(|_| {
            let (name, subject) = (trouble::name(&self.server), &awaited[0]);
            Err((
                TIMEOUT,
                format!("{name}: what is sent to {subject} has not come within {PROOF_TIMEOUT:?}"),
            ))
        })
    }

    /// Waits for the next message or event.
    pub async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            Some(event) = self.events.recv() => News::Event(event),
            Some(message) = self.subscribers.next() => News::Message(message),
            // The client has ended.
            else => News::Event(Event::Disconnected),
        }
    }
}
