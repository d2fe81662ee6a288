//! The listeners in one process: its members, their listeners, and a digest of these for each channel.
//!
//! A process keeps one of its own, and one of each peer, made by the same changes. Where their digests differ,
//! something was missed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::frame::{Added, Change, Frame, Joined};

/// Number of members, and of listeners, that one process may have.
const MOST_MEMBERS: usize = 1 << 16;
const MOST_LISTENERS: usize = 1 << 20;

/// The listeners of one process. See the [module](self).
#[derive(Default)]
pub struct Table {
    members: BTreeMap<u32, Member>,
    listeners: BTreeMap<u32, Added>,
    /// Sum of the digests of all entries, by channel.
    digests: HashMap<Arc<str>, u64>,
}

struct Member {
    joined: Joined,
    listeners: BTreeSet<u32>,
}

impl Table {
    /// Applies a change. Returns whether it made sense: a member is known before its listeners, and there is room for it.
    /// To remove one that is not there makes sense.
    #[must_use]
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::Joined(joined) => return self.join(joined),
            Change::Left(member) => self.leave(*member),
            Change::Added(added) => return self.add(added),
            Change::Removed(listener) => self.remove(*listener),
            Change::Ended(endpoint) | Change::Emptied(endpoint) => {
                for member in self.members_of(*endpoint) {
                    self.leave(member);
                }
            }
        }
        true
    }

    fn join(&mut self, joined: &Joined) -> bool {
        self.leave(joined.member);
        if self.members.len() >= MOST_MEMBERS {
            return false;
        }
        self.count(&joined.channel, digest_of(&Change::Joined(joined.clone())), true);
        let member = Member { joined: joined.clone(), listeners: BTreeSet::new() };
        self.members.insert(joined.member, member);
        true
    }

    fn leave(&mut self, member: u32) {
        let listeners = self.members.get(&member).map(|member| member.listeners.clone());
        listeners.into_iter().flatten().for_each(|listener| self.remove(listener));
        if let Some(Member { joined, .. }) = self.members.remove(&member) {
            let channel = joined.channel.clone();
            self.count(&channel, digest_of(&Change::Joined(joined)), false);
        }
    }

    fn add(&mut self, added: &Added) -> bool {
        self.remove(added.listener);
        if self.listeners.len() >= MOST_LISTENERS {
            return false;
        }
        let Some(member) = self.members.get_mut(&added.member) else { return false };
        member.listeners.insert(added.listener);
        let channel = member.joined.channel.clone();
        self.count(&channel, digest_of(&Change::Added(added.clone())), true);
        self.listeners.insert(added.listener, added.clone());
        true
    }

    fn remove(&mut self, listener: u32) {
        let Some(added) = self.listeners.remove(&listener) else { return };
        let Some(member) = self.members.get_mut(&added.member) else { return };
        member.listeners.remove(&listener);
        let channel = member.joined.channel.clone();
        self.count(&channel, digest_of(&Change::Added(added)), false);
    }

    fn count(&mut self, channel: &Arc<str>, digest: u64, is_added: bool) {
        let sum = self.digests.entry(channel.clone()).or_default();
        *sum = if is_added { sum.wrapping_add(digest) } else { sum.wrapping_sub(digest) };
    }

    /// Returns the member of this number.
    pub fn member(&self, member: u32) -> Option<&Joined> {
        Some(&self.members.get(&member)?.joined)
    }

    /// Returns the listener of this number.
    pub fn listener(&self, listener: u32) -> Option<&Added> {
        self.listeners.get(&listener)
    }

    /// Returns the members of an endpoint.
    pub fn members_of(&self, endpoint: u32) -> Vec<u32> {
        let members = self.members.iter();
        let of = members.filter(|(_, member)| member.joined.endpoint == endpoint);
        of.map(|(number, _)| *number).collect()
    }

    /// Returns the channel that a change concerns; None where it concerns several, or none.
    pub fn channel_of<'a>(&'a self, change: &'a Change) -> Option<&'a Arc<str>> {
        let member = match change {
            Change::Joined(joined) => return Some(&joined.channel),
            Change::Left(member) => *member,
            Change::Added(added) => added.member,
            Change::Removed(listener) => self.listeners.get(listener)?.member,
            Change::Ended(_) | Change::Emptied(_) => return None,
        };
        Some(&self.members.get(&member)?.joined.channel)
    }

    /// Returns the changes that make this table of an empty one, of these channels.
    pub fn all(&self, channels: &BTreeSet<Arc<str>>) -> impl Iterator<Item = Change> {
        let members = self.members.values().map(|member| &member.joined);
        let members = members.filter(|joined| channels.contains(&joined.channel)).cloned();
        let is_of = |listener: &&Added| {
            self.member(listener.member).is_some_and(|of| channels.contains(&of.channel))
        };
        let listeners = self.listeners.values().filter(is_of).cloned();
        members.map(Change::Joined).chain(listeners.map(Change::Added))
    }

    /// Returns a number that tells tables apart, of these channels.
    pub fn digest(&self, channels: &BTreeSet<Arc<str>>) -> u64 {
        let digests = channels.iter().filter_map(|channel| self.digests.get(channel));
        digests.fold(0, |sum, digest| sum.wrapping_add(*digest))
    }

    /// Returns the number of listeners.
    pub fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Returns the number of members.
    pub fn members(&self) -> usize {
        self.members.len()
    }
}

/// Returns the same number in every process: FNV-1a of the entry as it is written.
fn digest_of(entry: &Change) -> u64 {
    let (kind, body) = Frame::Change(entry.clone()).encode();
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    [kind].iter().chain(&body).fold(0xcbf2_9ce4_8422_2325, step)
}
