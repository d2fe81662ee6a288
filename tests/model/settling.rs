//! How listeners settle, and the notices of it, as the [rules](crate::rules) say.

use parallel_event_bus::engine::outcome::{Failure, FailureKind};
use parallel_event_bus::engine::payload::Payload;

use crate::rules::{Choice, Emission, Item, Member, Recipient, Rules};

impl Rules {
    pub fn recipient(&self, item: Item) -> &Recipient {
        &self.emissions[item.emission].recipients[item.recipient]
    }

    pub fn recipient_mut(&mut self, item: Item) -> &mut Recipient {
        &mut self.emissions[item.emission].recipients[item.recipient]
    }

    /// As it is now.
    pub fn item(&self, emission: usize, recipient: usize) -> Item {
        let moves = self.emissions[emission].recipients[recipient].moves;
        Item { emission, recipient, moves }
    }

    /// Another member has taken it over.
    pub fn has_moved(&self, item: Item) -> bool {
        self.recipient(item).moves != item.moves
    }

    pub fn start(&mut self, item: Item) -> bool {
        let may = !self.has_moved(item)
            && !self.emissions[item.emission].cancelled
            && self.recipient(item).open() > 0;
        self.recipient_mut(item).started |= may;
        may
    }

    /// One listener is done: None for one that counts for nothing.
    pub fn settle(
        &mut self,
        item: Item,
        index: usize,
        result: Option<Result<Option<Payload>, FailureKind>>,
    ) {
        if self.has_moved(item) {
            return;
        }
        let thread = self.thread_of(self.recipient(item).member);
        let recipient = self.recipient_mut(item);
        if recipient.settled.get(index).is_none_or(|settled| *settled) {
            return;
        }
        recipient.settled[index] = true;
        let counts = result.is_some();
        let outcome = &mut self.emissions[item.emission].outcome;
        match result {
            None => {}
            Some(Ok(reply)) => {
                outcome.success += 1;
                outcome.reply = reply;
            }
            Some(Err(kind)) => {
                let (recipient, index) = (item.recipient as u32, index as u32);
                outcome.failures.push(Failure { recipient, index, listeners: 1, thread, kind });
            }
        }
        if counts && self.recipient(item).open() == 0 {
            self.let_go(item);
        }
        self.finish(item);
    }

    pub fn thread_of(&self, member: usize) -> u32 {
        self.members[member].endpoint as u32
    }

    /// All listeners of a recipient that have not settled fail.
    pub fn fail_rest(&mut self, item: Item, kind: FailureKind) {
        let listeners = self.recipient(item).open();
        if listeners == 0 {
            return;
        }
        let thread = self.thread_of(self.recipient(item).member);
        let recipient = self.recipient_mut(item);
        let started = recipient.started;
        let index = recipient.settled.iter().position(|settled| !settled).unwrap() as u32;
        recipient.settled.fill(true);
        if !started {
            self.let_go(item);
        }
        let emission = &mut self.emissions[item.emission];
        let recipient = item.recipient as u32;
        let failure = Failure { recipient, index, listeners, thread, kind: kind.clone() };
        emission.outcome.failures.push(failure);
        let emitter = emission.emitter;
        if !emission.cancelled {
            let endpoint = self.members[emitter].endpoint;
            let what = format!("{} {kind:?} × {listeners}", item.emission);
            self.message(endpoint, format!("lost {what}, {thread}, {started}, {emitter}"));
        }
        self.finish(item);
    }

    fn finish(&mut self, item: Item) {
        let emission = &self.emissions[item.emission];
        let emitter = emission.emitter;
        if emission.publish {
            if self.recipient(item).open() == 0 {
                self.members[emitter].pending -= 1;
            }
            return;
        }
        if !emission.is_finished() {
            return;
        }
        let emission = &mut self.emissions[item.emission];
        emission.outcome.failures.sort_by_key(|failure| (failure.recipient, failure.index));
        let (token, outcome) = (emission.token, emission.outcome.clone());
        self.members[emitter].pending -= 1;
        self.members[emitter].failed += outcome.failed() as usize;
        if let (Some(token), false) = (token, self.emissions[item.emission].cancelled) {
            let endpoint = self.members[emitter].endpoint;
            self.message(endpoint, format!("settled {token} {outcome:?}"));
        }
    }

    /// An event of a batch is dealt with, and so many of its listeners failed.
    pub fn settle_publish(&mut self, item: Item) {
        if self.recipient(item).open() > 0 {
            self.let_go(item);
            self.recipient_mut(item).settled.fill(true);
            self.finish(item);
        }
    }

    /// A batch with this event was dropped.
    pub fn drop_publish(&mut self, item: Item) {
        let open = self.recipient(item).open();
        let emitter = self.emissions[item.emission].emitter;
        if open > 0 {
            self.members[emitter].failed += open as usize;
            self.let_go(item);
            self.fail_rest(item, FailureKind::ThreadExited);
        }
    }

    /// A delivery was dropped.
    pub fn drop_delivery(&mut self, item: Item) {
        if self.has_moved(item) {
            return;
        }
        let member = self.recipient(item).member;
        self.let_go(item);
        let recipient = self.recipient(item);
        if recipient.open() == 0 {
            return;
        }
        let (choice, started) = (recipient.choice, recipient.started);
        let Emission { event, size, .. } = self.emissions[item.emission];
        if !started && choice != Choice::Everyone {
            let chosen = self.choose(event, choice, size, None, Some(member));
            if let Some((row, entry, true, _)) = chosen {
                let to = self.rows[event][row].member;
                let (id, claimed) = self.claim(event, row, entry);
                self.tidy();
                let moved = self.give_to(item, to, vec![id], claimed);
                self.queue(moved);
                return;
            }
        }
        self.fail_rest(item, FailureKind::ThreadExited);
    }

    pub fn cancel(&mut self, emission: usize) {
        self.emissions[emission].cancelled = true;
        let mut last = None;
        // All at once: those that wait for room see all that was given back.
        let mut freed = Vec::new();
        for recipient in 0..self.emissions[emission].recipients.len() {
            let item = self.item(emission, recipient);
            if !self.recipient(item).started && self.recipient(item).open() > 0 {
                self.recipient_mut(item).settled.fill(true);
                freed.extend(self.free(item));
                last = Some(item);
            }
        }
        freed.into_iter().for_each(|(member, room)| self.tell_of_room(member, room));
        if let Some(item) = last {
            self.finish(item);
        }
    }

    pub fn expire(&mut self, emission: usize, ms: u32) {
        for recipient in 0..self.emissions[emission].recipients.len() {
            self.fail_rest(self.item(emission, recipient), FailureKind::TimedOut(ms));
        }
    }

    /// Drops the messages that waited, and then those that it `had` collected.
    pub fn close(&mut self, endpoint: usize, had: &[Item]) {
        let members = 0..self.members.len();
        let of = |rules: &Self, at: usize| {
            rules.members[at].endpoint == endpoint && !rules.members[at].left
        };
        let leaving: Vec<_> = members.clone().filter(|at| of(self, *at)).collect();
        leaving.iter().for_each(|member| self.leave(*member));
        self.endpoints[endpoint].closed = true;
        self.endpoints[endpoint].messages.clear();
        while let Some(item) = self.endpoints[endpoint].queue.pop_front() {
            self.drop_item(item);
        }
        if !leaving.is_empty() {
            for at in members {
                let Member { left, endpoint: of, .. } = self.members[at];
                if !left && of != endpoint {
                    self.message(of, format!("exit {at} {endpoint}"));
                }
            }
            self.tell_drained();
        }
        had.iter().for_each(|item| self.drop_item(*item));
    }

    pub fn drop_item(&mut self, item: Item) {
        if self.emissions[item.emission].publish {
            self.drop_publish(item);
        } else {
            self.drop_delivery(item);
        }
    }
}
