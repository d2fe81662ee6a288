//! Reading the mailboxes, and comparing each message with the one that the rules expect.

use std::sync::Arc;

use parallel_event_bus::engine::channel::Delivery;
use parallel_event_bus::engine::channel::message::{Message, Notice};

use super::{Held, World, name_of, payload_of};
use crate::common;
use crate::rules::Item;

impl World {
    pub fn collect(&mut self, endpoint: usize, max: usize) {
        let mut messages = Vec::new();
        let again = self.endpoints[endpoint].collect(max, &mut messages);
        assert_eq!(again, !messages.is_empty() || !self.endpoints[endpoint].mailbox().is_empty());
        for message in messages {
            let said = self.say(&message);
            match message {
                Message::Delivery(delivery) => {
                    let item = self.collected(endpoint, &delivery.payload());
                    self.check(&delivery, item);
                    self.unread[endpoint].push_back(Held::Delivery(delivery, item));
                }
                Message::Batch(batch) => {
                    let mut items = Vec::new();
                    for index in 0..batch.len() {
                        let (event, listeners, payload) = batch.event(index).unwrap();
                        let item = self.collected(endpoint, &payload);
                        assert_eq!(listeners, self.rules.recipient(item).listeners);
                        assert_eq!(event, name_of(self.rules.emissions[item.emission].event));
                        self.remembers(listeners);
                        items.push(item);
                    }
                    self.unread[endpoint].push_back(Held::Batch(batch, items));
                }
                Message::Notice(Notice::Forget(id)) => {
                    self.forgotten.push(id);
                    self.expected(endpoint, &said);
                }
                _ => self.expected(endpoint, &said),
            }
        }
    }

    pub fn check(&self, delivery: &Delivery, item: Item) {
        self.remembers(delivery.listeners());
        if self.rules.has_moved(item) {
            return assert!(delivery.is_over(), "another member has it");
        }
        let emission = &self.rules.emissions[item.emission];
        let recipient = &emission.recipients[item.recipient];
        assert_eq!(delivery.listeners(), recipient.listeners);
        assert!(Arc::ptr_eq(delivery.member(), &self.members[recipient.member]));
        assert_eq!(delivery.event(), name_of(emission.event));
        assert_eq!(delivery.must_start(), emission.must_start);
        assert_eq!(delivery.is_request(), emission.request);
    }

    /// The next event of a mailbox is the one with this payload.
    fn collected(&mut self, endpoint: usize, payload: &[u8]) -> Item {
        let item = self.rules.endpoints[endpoint].queue.pop_front().expect("nothing waits");
        let emission = &self.rules.emissions[item.emission];
        let has_none = emission.size == 0 || (emission.is_finished() && !emission.publish);
        let expected = if has_none { vec![] } else { payload_of(item.emission, emission.size) };
        assert_eq!(payload, expected, "in the order of emission, once each");
        item
    }

    fn remembers(&self, listeners: &[u32]) {
        assert!(!listeners.iter().any(|id| self.forgotten.contains(id)), "it was forgotten");
    }

    fn expected(&mut self, endpoint: usize, said: &str) {
        let messages = &mut self.rules.endpoints[endpoint].messages;
        let at = messages.iter().position(|message| message == said);
        messages
            .swap_remove(at.unwrap_or_else(|| panic!("nobody expects: {said} of {messages:?}")));
    }

    fn say(&self, message: &Message) -> String {
        let of = |id| self.members.iter().position(|member| member.id() == id).unwrap();
        match message {
            Message::Notice(Notice::Settled { token, outcome, .. }) => {
                format!("settled {token} {outcome:?}")
            }
            Message::Notice(Notice::Lost { emitter, lost, .. }) => {
                let (Some(payload), Some(thread)) = (&lost.payload, lost.thread) else {
                    panic!("so few are told one by one")
                };
                let number = u32::from_ne_bytes(payload[..4].try_into().unwrap());
                let what = format!("{number} {:?} × {}", lost.kind, lost.listeners);
                let name = name_of(self.rules.emissions[number as usize].event);
                assert_eq!((lost.event.as_deref(), lost.count), (Some(&*name), 1));
                format!("lost {what}, {thread}, {}, {}", lost.started, of(*emitter))
            }
            Message::Notice(Notice::Forget(id)) => format!("forget {id}"),
            Message::Notice(Notice::ThreadExit { member, thread }) => {
                format!("exit {} {thread}", of(*member))
            }
            Message::Notice(Notice::Drained(member)) => format!("drained {}", of(*member)),
            _ => common::say(message),
        }
    }
}
