//! Long parts of a message, which are copied into memory of the engine's as they are encoded, not into the message. They
//! cross with the message that they are [attached](Parcels::attach) to.

use std::cell::{Cell, RefCell};

use slab::Slab;

use crate::engine::payload::{Content, FEW, Part, Payload};

/// The parcels of a thread. JavaScript has numbers of them, from 1; 0 is none.
#[derive(Default)]
pub struct Parcels {
    all: RefCell<Slab<Vec<Part>>>,
    attached: Cell<u32>,
}

/// The parts of the message that crosses, and the number of their parcel.
pub struct Attached {
    number: u32,
    parts: Vec<Part>,
}

impl Parcels {
    /// Adds a part to a parcel, or to a new one. Returns the parcel's number.
    pub fn add(&self, number: u32, part: Part) -> u32 {
        let mut all = self.all.borrow_mut();
        match all.get_mut((number as usize).wrapping_sub(1)) {
            Some(parts) => {
                parts.push(part);
                number
            }
            None => u32::try_from(all.insert(vec![part]) + 1).unwrap_or(0),
        }
    }

    /// The message that crosses next has these parts.
    pub fn attach(&self, number: u32) {
        self.attached.set(number);
    }

    /// Takes the attached parcel.
    pub fn take(&self) -> Attached {
        let number = self.attached.take();
        Attached { number, parts: if number == 0 { Vec::new() } else { self.remove(number) } }
    }

    /// Puts back the parts of a message that did not cross: they are attached to the next one again.
    pub fn put_back(&self, number: u32, content: Option<Content<'_>>) {
        if let (1.., Some(Content::Kept(mut payload))) = (number, content) {
            let mut all = self.all.borrow_mut();
            // The place that was left last.
            let place = all.vacant_entry();
            debug_assert_eq!(place.key() + 1, number as usize, "nothing was added since");
            place.insert(payload.take_parts());
        }
    }

    /// Takes the parts of a parcel.
    pub fn remove(&self, number: u32) -> Vec<Part> {
        let mut all = self.all.borrow_mut();
        all.try_remove((number as usize).wrapping_sub(1)).unwrap_or_default()
    }
}

impl Attached {
    /// The number of the parcel.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns a message that lies in bytes, with these parts. A long one is copied, before any lock is taken. None if
    /// there is no memory for it.
    pub fn with(self, bytes: &[u8]) -> Option<Content<'_>> {
        if self.parts.is_empty() && bytes.len() <= FEW {
            return Some(Content::Lent(bytes));
        }
        self.payload(bytes).map(Content::Kept)
    }

    /// As [`with`](Self::with), in memory of the engine's.
    pub fn payload(self, bytes: &[u8]) -> Option<Payload> {
        Some(Payload::copy(bytes)?.with_parts(self.parts))
    }
}
