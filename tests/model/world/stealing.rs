//! Taking over what others have not started, and comparing it with what the rules allow.

use std::time::Instant;

use parallel_event_bus::engine::channel::message::Message;

use super::{Held, World};
use crate::common;
use crate::rules::{Entry, Item};

impl World {
    /// What is taken over is the oldest that the listener may have. As long as there is something, some is.
    pub fn steal(&mut self, endpoint: usize) {
        let mut stolen = Vec::new();
        let end = Instant::now() + common::WATCHDOG;
        // The thread of the timers ticks, too: it may be about to offer what there is.
        while stolen.is_empty() && self.has_something_to_take(endpoint) {
            assert!(Instant::now() < end, "it is left to wait");
            self.members.iter().for_each(|member| member.channel().tick());
            self.endpoints[endpoint].steal(&[], &mut stolen);
        }
        let mut freed = Vec::new();
        for message in stolen {
            let Message::Delivery(delivery) = message else { panic!("only deliveries move") };
            let id = delivery.listeners()[0];
            let member = self.listeners[id as usize];
            let number = u32::from_ne_bytes(delivery.payload()[..4].try_into().unwrap()) as usize;
            let (_, event, entry) =
                self.takers(endpoint).into_iter().find(|(_, _, entry)| entry.id == id).unwrap();
            let takeable = self.rules.takeable(member, event, &entry);
            let oldest = |item: &&Item| {
                self.rules.recipient(**item).choice == self.choice_of(&takeable, number)
            };
            let item = *takeable.iter().find(oldest).expect("it may have it");
            assert_eq!(item.emission, number, "the oldest first");
            let (item, room) = self.rules.steal(item, member, id);
            freed.extend(room);
            self.check(&delivery, item);
            self.unread[endpoint].push_back(Held::Delivery(delivery, item));
        }
        freed.into_iter().for_each(|(member, room)| self.rules.tell_of_room(member, room));
    }

    fn choice_of(&self, takeable: &[Item], emission: usize) -> crate::rules::Choice {
        let item = takeable.iter().find(|item| item.emission == emission);
        self.rules.recipient(*item.expect("it may have it")).choice
    }

    /// Member, event and entry of each listener of an endpoint that may take something over.
    fn takers(&self, endpoint: usize) -> Vec<(usize, usize, Entry)> {
        let rows = self.rules.rows.iter().enumerate();
        let rows = rows.flat_map(|(event, rows)| rows.iter().map(move |row| (event, row)));
        rows.filter(|(_, row)| self.rules.members[row.member].endpoint == endpoint)
            .flat_map(|(event, row)| {
                let open = row.entries.iter().filter(|entry| !entry.once);
                open.map(move |entry| (row.member, event, entry.clone()))
            })
            .collect()
    }

    fn has_something_to_take(&self, endpoint: usize) -> bool {
        self.takers(endpoint).into_iter().any(|(member, event, entry)| {
            let item = self.rules.takeable(member, event, &entry).into_iter().next();
            let size = item.map(|item| self.rules.emissions[item.emission].size);
            size.is_some_and(|size| self.rules.fits(member, size))
        })
    }
}
