//! Taking over what others have not started, and comparing it with what the rules allow.

use parallel_event_bus::engine::channel::levelling::Moved;
use parallel_event_bus::engine::channel::message::Message;

use super::{Held, World};
use crate::rules::{Entry, Item};

impl World {
    /// What is taken over is the oldest that the listener may have. As long as there is something, some is.
    pub fn steal(&mut self, endpoint: usize) {
        let mut stolen = Vec::new();
        // It is ripe at the second tick, and overdue at the third.
        for _tick in 0..3 {
            self.tick();
        }
        if self.has_something_to_take(endpoint) {
            self.endpoints[endpoint].steal(&[], &mut stolen);
            assert!(!stolen.is_empty(), "it is left to wait");
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
            let choice = self.choice_of(&takeable, number);
            let mut like =
                takeable.iter().filter(|item| self.rules.recipient(**item).choice == choice);
            let of_number = |item: &&Item| item.emission == number;
            let item = *like.clone().find(of_number).expect("it may have it");
            if !self.rules.recipient(item).was_claimed {
                let oldest = like.find(|item| !self.rules.recipient(**item).was_claimed);
                assert_eq!(oldest, Some(&item), "the oldest first");
            }
            let (item, room) = self.rules.steal(item, member, id);
            freed.extend(room);
            self.check(&delivery, item);
            self.unread[endpoint].push_back(Held::Delivery(delivery, item));
        }
        freed.into_iter().for_each(|(member, room)| self.rules.tell_of_room(member, room));
    }

    /// Lets a tick pass. A delivery that is moved goes to a member with room, and a listener that may have it.
    pub fn tick(&mut self) {
        let Some(member) = self.members.first() else { return };
        let mut freed = Vec::new();
        for Moved { listener, dispatch } in member.channel().tick() {
            let number = u32::from_ne_bytes(dispatch.payload()[..4].try_into().unwrap()) as usize;
            let (member, event) =
                (self.listeners[listener as usize], self.rules.emissions[number].event);
            let entry = self.rules.entry(event, listener);
            let mut takeable = self.rules.takeable(member, event, &entry).into_iter();
            let item = takeable.find(|item| item.emission == number).expect("it may have it");
            freed.extend(self.rules.level(item, member, listener));
        }
        // Nobody is told before all of them are where they go.
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
