//! Events for listeners of another process.

use super::super::payload;
use super::super::wire::{Reader, Writer};
use super::write_numbers;
use crate::engine::payload::Payload;

// Flags of an event.
const REQUEST: u8 = 1;
const AWAITED: u8 = 2;
const MUST_START: u8 = 4;
const TIMED: u8 = 8;

/// An event for listeners of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Names the event among those of its process for this one.
    pub id: u64,
    /// Endpoint that has emitted it.
    pub endpoint: u32,
    /// The listeners.
    pub listeners: Vec<u32>,
    /// One listener replies.
    pub request: bool,
    /// The emitter hears of each failure.
    pub awaited: bool,
    /// It may be cancelled, or go elsewhere, before it starts.
    pub must_start: bool,
    /// Milliseconds that are left, and of how many.
    pub timeout: Option<(u32, u32)>,
    /// Its arguments.
    pub payload: Payload,
}

impl Event {
    /// Writes it.
    pub(super) fn write(&self, to: &mut Writer) {
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        to.byte(
            flag(self.request, REQUEST)
                | flag(self.awaited, AWAITED)
                | flag(self.must_start, MUST_START)
                | flag(self.timeout.is_some(), TIMED),
        );
        write_numbers(0, &[self.id, self.endpoint.into(), self.listeners.len() as u64], to);
        self.listeners.iter().for_each(|listener| to.number((*listener).into()));
        if let Some((left, of)) = self.timeout {
            write_numbers(0, &[left.into(), of.into()], to);
        }
        payload::write(&self.payload, to);
    }

    /// Reads an event.
    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let flags = from.byte()?;
        let (id, endpoint) = (from.number()?, from.small()?);
        let listeners = from.list(Reader::small)?;
        let timeout = if flags & TIMED == 0 { None } else { Some((from.small()?, from.small()?)) };
        let [request, awaited, must_start] = [REQUEST, AWAITED, MUST_START].map(|f| flags & f != 0);
        let payload = payload::read(from)?;
        Some(Event { id, endpoint, listeners, request, awaited, must_start, timeout, payload })
    }
}
