//! Payloads and failures of the engine, as they are written.

use std::sync::Arc;

use super::wire::{Reader, Writer};
use crate::engine::blocks::Block;
use crate::engine::capacity::Bound;
use crate::engine::outcome::FailureKind;
use crate::engine::payload::{Part, Payload};

// Kinds of parts.
const BYTES: u8 = 0;
const LATIN1: u8 = 1;
const WIDE: u8 = 2;

// Kinds of failures.
const THREW: u8 = 0;
const TIMED_OUT: u8 = 1;
const FULL: u8 = 2;
const FULL_BYTES: u8 = 3;
const NO_MEMORY: u8 = 4;
const THREAD_EXITED: u8 = 5;
const FULL_QUEUE: u8 = 6;
const TOO_LARGE: u8 = 7;

/// Writes a payload with its parts.
pub fn write(payload: &Payload, to: &mut Writer) {
    to.bytes(payload);
    to.number(payload.parts().len() as u64);
    for part in payload.parts() {
        match part {
            Part::Bytes(bytes) => write_part(BYTES, bytes, to),
            Part::Latin1(bytes) => write_part(LATIN1, bytes, to),
            Part::Wide(units) => {
                to.byte(WIDE);
                to.number(2 * units.len() as u64);
                to.0.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            }
        }
    }
}

fn write_part(kind: u8, bytes: &[u8], to: &mut Writer) {
    to.byte(kind);
    to.bytes(bytes);
}

/// Reads a payload. None also if there is no memory for it.
pub fn read(from: &mut Reader<'_>) -> Option<Payload> {
    let payload = Payload::copy(from.bytes()?)?;
    let parts = from.list(read_part)?;
    Some(payload.with_parts(parts))
}

fn read_part(from: &mut Reader<'_>) -> Option<Part> {
    let (kind, bytes) = (from.byte()?, from.bytes()?);
    Some(match kind {
        BYTES => Part::Bytes(Arc::new(Block::copy(bytes)?)),
        LATIN1 => Part::Latin1(Arc::new(Block::copy(bytes)?)),
        WIDE => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            rest.is_empty().then(|| Part::Wide(Arc::new(units)))?
        }
        _ => return None,
    })
}

/// Writes a failure. One that concerns the way between processes has no meaning in another one.
pub fn write_failure(kind: &FailureKind, to: &mut Writer) {
    match kind {
        FailureKind::Threw(error) => {
            to.byte(THREW);
            to.bytes(error);
        }
        FailureKind::TimedOut(ms) => {
            to.byte(TIMED_OUT);
            to.number((*ms).into());
        }
        FailureKind::MailboxFull(Bound::Messages(most)) => {
            to.byte(FULL);
            to.number(*most);
        }
        FailureKind::MailboxFull(Bound::Queue(most)) => {
            to.byte(FULL_QUEUE);
            to.number(*most);
        }
        FailureKind::MailboxFull(Bound::Bytes(most)) => {
            to.byte(FULL_BYTES);
            to.number(*most);
        }
        FailureKind::NoMemory => to.byte(NO_MEMORY),
        FailureKind::TooLarge(most) => {
            to.byte(TOO_LARGE);
            to.number(*most);
        }
        _ => to.byte(THREAD_EXITED),
    }
}

/// Reads a failure. An unknown kind is not worth a connection: the listener has failed in any case.
pub fn read_failure(from: &mut Reader<'_>) -> Option<FailureKind> {
    Some(match from.byte()? {
        THREW => FailureKind::Threw(from.bytes()?.to_vec()),
        TIMED_OUT => FailureKind::TimedOut(from.small()?),
        FULL => FailureKind::MailboxFull(Bound::Messages(from.number()?)),
        FULL_BYTES => FailureKind::MailboxFull(Bound::Bytes(from.number()?)),
        FULL_QUEUE => FailureKind::MailboxFull(Bound::Queue(from.number()?)),
        NO_MEMORY => FailureKind::NoMemory,
        TOO_LARGE => FailureKind::TooLarge(from.number()?),
        _ => FailureKind::ThreadExited,
    })
}
