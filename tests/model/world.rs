//! The engine beside its rules: every step is done to both, and then they are compared.

mod reading;
mod stealing;

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::Batch;
use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::Dispatch;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::{Member, Unlistened};
use parallel_event_bus::engine::channel::route::{Dispatched, ListenerOptions, Published};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::outcome::{FailureKind, Outcome, Report};
use parallel_event_bus::engine::payload::{Content, Payload};

use crate::common;
use crate::rules::{self, EVENTS, Entry, Item, Rules};
use crate::steps::{How, Step};

const AN_HOUR: u32 = 3_600_000;

pub struct World {
    channel: String,
    rules: Rules,
    endpoints: Vec<Arc<Endpoint>>,
    members: Vec<Arc<Member>>,
    /// Member of each listener, by id.
    listeners: Vec<usize>,
    /// Ids that were told to be free, after which nothing may come for them.
    forgotten: Vec<u32>,
    emissions: Vec<Weak<Dispatch>>,
    /// Messages that endpoints have collected and not looked at, and those that they work on.
    unread: Vec<VecDeque<Held>>,
    held: Vec<(usize, Held)>,
    /// Members that took their own event on and are not done.
    own: Vec<usize>,
}

enum Held {
    Delivery(Delivery, Item),
    Batch(Batch, Vec<Item>),
}

impl Held {
    fn items(&self) -> Vec<Item> {
        match self {
            Held::Delivery(_, item) => vec![*item],
            Held::Batch(_, items) => items.clone(),
        }
    }
}

impl World {
    pub fn new(channel: String, endpoints: usize) -> Self {
        let mut world = World {
            channel,
            rules: Rules::default(),
            endpoints: (0..endpoints).map(|at| common::endpoint(at as u32)).collect(),
            members: Vec::new(),
            listeners: Vec::new(),
            forgotten: Vec::new(),
            emissions: Vec::new(),
            unread: (0..endpoints).map(|_| VecDeque::new()).collect(),
            held: Vec::new(),
            own: Vec::new(),
        };
        world.rules.endpoints.resize_with(endpoints, Default::default);
        world
    }

    pub fn step(&mut self, step: &Step) {
        match *step {
            Step::Join { endpoint, events, bytes } => {
                let endpoint = endpoint % self.endpoints.len();
                let limits = MailboxLimits { max_messages: events, max_bytes: bytes };
                self.members.push(self.endpoints[endpoint].join(&self.channel, limits));
                self.rules.join(endpoint, (events, bytes));
            }
            Step::Close { endpoint } => self.close(endpoint % self.endpoints.len()),
            Step::Collect { endpoint, max } => self.collect(endpoint % self.endpoints.len(), max),
            Step::Take { endpoint } => {
                let endpoint = endpoint % self.endpoints.len();
                let taken = self.unread[endpoint].pop_front();
                self.held.extend(taken.map(|held| (endpoint, held)));
            }
            Step::Tick => self.tick(),
            Step::Steal { endpoint } => self.steal(endpoint % self.endpoints.len()),
            _ if self.members.is_empty() => {}
            Step::Leave { member } => {
                let member = member % self.members.len();
                self.members[member].leave();
                self.rules.leave(member);
            }
            Step::Listen { member, event, once, prepend, tracked, group } => {
                let member = member % self.members.len();
                let id = self.listeners.len() as u32;
                self.listeners.push(member);
                let name = group.map(|group| format!("group {group}").into());
                let options = ListenerOptions { once, prepend, group: name, tracked };
                self.members[member].listen(&name_of(event), id, options);
                let entry = Entry { id, once, tracked, group, chosen: 0, addressed: false };
                self.rules.listen(member, event, prepend, entry);
            }
            Step::Unlisten { listener } => self.unlisten(listener),
            Step::Room { member } => {
                let member = member % self.members.len();
                if !self.rules.members[member].left {
                    self.members[member].wait_for_room();
                    self.rules.wait_for_room(member);
                }
            }
            Step::Emit { .. } => self.emit(step),
            Step::Publish { member, event, size, count } => {
                self.publish(member, event, size, count)
            }
            Step::Cancel { emission } => self.cancel(emission),
            Step::Expire { emission } => {
                let Some((at, dispatch)) = self.dispatch(emission) else { return };
                dispatch.expire(7);
                self.rules.expire(at, 7);
            }
            Step::OwnDone => {
                if let Some(member) = self.own.pop() {
                    self.members[member].done(1);
                    self.rules.members[member].in_flight -= 1;
                }
            }
            Step::Start { held } => {
                if let Some((Held::Delivery(delivery, item), _)) = self.held_at(held) {
                    let item = *item;
                    assert_eq!(delivery.start(), self.rules.start(item), "start of {item:?}");
                }
            }
            Step::Settle { held, index, how } => self.settle(held, index, how),
            Step::Drop { held } => {
                if let Some((_, at)) = self.held_at(held) {
                    let (_, held) = self.held.remove(at);
                    let items = held.items();
                    drop(held);
                    items.iter().for_each(|item| self.rules.drop_item(*item));
                }
            }
        }
    }

    fn held_at(&mut self, held: usize) -> Option<(&mut Held, usize)> {
        let at = held.checked_rem(self.held.len())?;
        Some((&mut self.held[at].1, at))
    }

    /// An emission, if it is in flight.
    fn dispatch(&self, emission: usize) -> Option<(usize, Arc<Dispatch>)> {
        let at = emission.checked_rem(self.emissions.len())?;
        Some((at, self.emissions[at].upgrade()?))
    }

    fn unlisten(&mut self, listener: usize) {
        let Some(at) = listener.checked_rem(self.listeners.len()) else { return };
        let (id, member) = (at as u32, self.listeners[at]);
        let endpoint = self.rules.members[member].endpoint;
        let left = self.members[member].unlisten(id);
        let expected = self.rules.unlisten(member, id);
        assert_eq!(left == Unlistened::Unused, expected == rules::Left::Nothing);
        if left == Unlistened::Waiting {
            self.rules.message(endpoint, format!("forget {id}"));
            return;
        }
        let is_for = |item: &Item| {
            !self.rules.has_moved(*item) && self.rules.recipient(*item).listeners.contains(&id)
        };
        assert!(!self.rules.endpoints[endpoint].queue.iter().any(is_for), "for {id}");
        if left == Unlistened::Unused {
            let mut collected = self.unread[endpoint].iter().flat_map(Held::items);
            assert!(!collected.any(|item| is_for(&item)), "for {id}");
        }
    }

    fn emit(&mut self, step: &Step) {
        let Step::Emit { member, event, size, payload, request, cancellable, timeout, awaited } =
            *step
        else {
            return;
        };
        let emitter = member % self.members.len();
        if self.rules.members[emitter].left {
            return;
        }
        let number = self.emissions.len();
        let bytes = payload_of(number, size);
        let token = awaited.then_some(number as u32);
        let report = token.map_or(Report::None, Report::Message);
        let emission = Emission {
            payload: payload.then_some(Content::Lent(&bytes)),
            request,
            timeout: timeout.then_some(AN_HOUR),
            cancellable,
            key: None,
            report,
        };
        let route = self.members[emitter].channel().route(&name_of(event));
        let needs = !payload && self.rules.has_others(emitter, event);
        let sent = route.dispatch(&self.members[emitter], emission);
        let Dispatched::To { others, own, dispatch, .. } = sent else {
            assert!(needs, "a payload is asked for");
            return;
        };
        assert!(!needs, "a payload is not asked for");
        let model = rules::Emission {
            emitter,
            event,
            size: if payload { bytes.len() } else { 0 },
            publish: false,
            must_start: timeout || cancellable,
            request,
            cancelled: false,
            token,
            recipients: Vec::new(),
            outcome: Outcome::default(),
        };
        assert_eq!(own, self.rules.emit(model), "the emitter's own listeners");
        self.own.extend(own.iter().filter(|own| own.chosen).map(|_| emitter));
        let recipients = &self.rules.emissions[number].recipients;
        assert_eq!(
            others as usize,
            recipients.iter().map(|recipient| recipient.listeners.len()).sum::<usize>()
        );
        assert_eq!(dispatch.is_some(), others > 0);
        let dispatch = dispatch.map_or_else(Weak::new, |dispatch| Arc::downgrade(&dispatch));
        self.emissions.push(dispatch);
    }

    fn publish(&mut self, member: usize, event: usize, size: usize, count: usize) {
        let emitter = member % self.members.len();
        if self.rules.members[emitter].left {
            return;
        }
        let first = self.emissions.len();
        let payloads: Vec<_> =
            (first..first + count).map(|number| payload_of(number, size)).collect();
        let route = self.members[emitter].channel().route(&name_of(event));
        let mut contents: Vec<_> = payloads.iter().map(|bytes| Content::Lent(bytes)).collect();
        let published = route.publish_all(&self.members[emitter], &mut contents);
        if !self.rules.is_plain(event) {
            assert_eq!(published, Published::NotPlain);
            return;
        }
        for payload in &payloads {
            let listeners = self.published(emitter, event, payload.len());
            assert_eq!(published, Published::To(listeners));
        }
    }

    /// Applies the rules to one event that was published. Returns the number of listeners it was addressed
    /// to.
    fn published(&mut self, emitter: usize, event: usize, size: usize) -> u32 {
        let number = self.emissions.len();
        let listeners = self.rules.publish(rules::Emission {
            emitter,
            event,
            size,
            publish: true,
            must_start: false,
            request: false,
            cancelled: false,
            token: None,
            recipients: Vec::new(),
            outcome: Outcome::default(),
        });
        // Recipients without room failed at once.
        for recipient in &self.rules.emissions[number].outcome.failures {
            self.rules.members[emitter].failed += recipient.listeners as usize;
        }
        self.emissions.push(Weak::new());
        listeners
    }

    fn cancel(&mut self, emission: usize) {
        let Some((at, dispatch)) = self.dispatch(emission) else { return };
        dispatch.cancel();
        if self.rules.emissions[at].must_start {
            self.rules.cancel(at);
        }
    }

    fn settle(&mut self, held: usize, index: usize, how: How) {
        let Some((held, _)) = self.held_at(held) else { return };
        match held {
            Held::Batch(batch, items) => {
                let at = index % items.len();
                let (item, failed) = (items[at], u32::from(how == How::Fail));
                batch.settle(at, 1, failed);
                let emitter = self.rules.emissions[item.emission].emitter;
                if self.rules.recipient(item).open() > 0 {
                    self.rules.members[emitter].failed += failed as usize;
                }
                self.rules.settle_publish(item);
            }
            Held::Delivery(delivery, item) => {
                let (item, at) = (*item, index as u32);
                let reply = delivery.is_request().then(|| Payload::copy(&[index as u8]).unwrap());
                let result = match how {
                    How::Succeed => Some(Ok(reply.clone())),
                    How::Fail => Some(Err(FailureKind::Threw(vec![index as u8]))),
                    How::Lose => Some(Err(FailureKind::ThreadExited)),
                    How::Cancel => None,
                };
                match how {
                    How::Succeed => delivery.succeed(at, reply),
                    How::Fail => delivery.fail(at, vec![index as u8]),
                    How::Lose => delivery.lose(at),
                    How::Cancel => delivery.skip(at),
                }
                self.rules.settle(item, index, result);
            }
        }
    }

    fn close(&mut self, endpoint: usize) {
        self.endpoints[endpoint].close();
        let mut had: Vec<_> = self.unread[endpoint].drain(..).collect();
        let (of, others): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|(at, _)| *at == endpoint);
        had.extend(of.into_iter().map(|(_, held)| held));
        self.held = others;
        let items: Vec<_> = had.iter().flat_map(Held::items).collect();
        had.into_iter().for_each(drop);
        self.rules.close(endpoint, &items);
    }

    /// Compares everything that can be seen from outside with the rules.
    pub fn compare(&mut self) {
        for (at, (member, rules)) in self.members.iter().zip(&self.rules.members).enumerate() {
            let seen = (member.in_flight(), member.pending(), member.failed());
            let expected = (rules.in_flight, rules.pending, rules.failed);
            assert_eq!(seen, expected, "in flight, pending, failed of {at}");
            assert_eq!(member.capacity().events(), rules.events, "waiting for {at}");
            assert_eq!(member.has_left(), rules.left);
            let congested = self.rules.is_congested(rules.endpoint);
            assert_eq!(member.channel().is_congested(member.endpoint()), congested);
        }
    }

    /// Everything ends, and nothing is left.
    pub fn end(mut self) {
        for endpoint in 0..self.endpoints.len() {
            while !self.endpoints[endpoint].mailbox().is_empty() {
                self.collect(endpoint, 100);
            }
            let messages = &self.rules.endpoints[endpoint].messages;
            assert!(messages.is_empty(), "these never came: {messages:?}");
        }
        self.compare();
        for endpoint in 0..self.endpoints.len() {
            self.close(endpoint);
            self.compare();
        }
        for (at, emission) in self.rules.emissions.iter().enumerate() {
            assert!(emission.is_finished(), "{at} never settled");
        }
        while let Some(member) = self.own.pop() {
            self.members[member].done(1);
        }
        for member in &self.members {
            assert_eq!((member.in_flight(), member.pending()), (0, 0));
            assert_eq!(member.capacity().events(), 0);
            assert!(member.channel().routes() <= EVENTS);
        }
    }
}

fn name_of(event: usize) -> String {
    format!("event {event}")
}

/// The number of the emission, and more bytes up to a size.
fn payload_of(emission: usize, size: usize) -> Vec<u8> {
    let mut bytes = (emission as u32).to_ne_bytes().to_vec();
    bytes.resize(size.max(4), emission as u8);
    bytes
}
