//! The functions that JavaScript calls for long parts of messages, which lie apart: see [`parcels`](crate::node::parcels).

use std::sync::Arc;

use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{Env, JsValue, Result, check_status, sys};
use napi_derive::napi;

use super::emit::no_memory;
use crate::engine::blocks::Block;
use crate::engine::payload::{FEW, Part, Payload};
use crate::node::memory::{Allocate, Value, forbid_external, text_of, value_of};
use crate::node::protocol::HEAD_BYTES;
use crate::node::thread::find;

/// A message either has room in the head, or is a part itself.
const _: () = assert!(FEW <= HEAD_BYTES);

/// Copies the bytes of a buffer into a parcel; into a new one if its number is 0. Returns the number of the parcel.
#[napi(catch_unwind)]
pub fn keep_bytes(env: Env, thread: u32, parcel: u32, bytes: &[u8]) -> Result<u32> {
    let copy = Block::copy(bytes).ok_or_else(|| no_memory(env, bytes.len()))?;
    Ok(find(thread)?.parcels.add(parcel, Part::Bytes(Arc::new(copy))))
}

/// As `keepBytes`, for a string: with two bytes for each of its characters, or one.
#[napi(catch_unwind)]
pub fn keep_text(
    env: Env,
    thread: u32,
    parcel: u32,
    #[napi(ts_arg_type = "string")] text: Unknown<'_>,
    is_wide: bool,
) -> Result<u32> {
    let part = text_of(env, &text, is_wide)?.map_err(|bytes| no_memory(env, bytes))?;
    Ok(find(thread)?.parcels.add(parcel, part))
}

/// The message that crosses next has the parts of this parcel.
#[napi(catch_unwind)]
pub fn attach_parcel(thread: u32, parcel: u32) -> Result<()> {
    find(thread)?.parcels.attach(parcel);
    Ok(())
}

/// Forgets a parcel: its message does not cross.
#[napi(catch_unwind)]
pub fn drop_parcel(thread: u32, parcel: u32) -> Result<()> {
    find(thread)?.parcels.remove(parcel);
    Ok(())
}

/// Takes the payload of an event that lies apart: its listeners are about to be called. Writes its bytes into `head`, if
/// there is room. Returns their number, or else an ArrayBuffer with them; and its parts, ArrayBuffers and strings.
/// Returns null if the event has settled.
#[napi(catch_unwind, ts_return_type = "Array<number | ArrayBuffer | string> | null")]
pub fn unpack_event(
    env: Env,
    thread: u32,
    is_batch: bool,
    handle: u32,
    index: u32,
    head: Uint8Array,
    #[napi(ts_arg_type = "(bytes: number) => ArrayBuffer")] allocate: Allocate<'_>,
) -> Result<Option<Vec<Value>>> {
    let thread = find(thread)?;
    let (mut batches, taken) = (thread.batches.borrow_mut(), thread.deliveries.borrow());
    let payload = if is_batch {
        batches.get_mut(handle as usize).and_then(|batch| batch.take_payload(index as usize))
    } else {
        taken.get(handle as usize).and_then(|delivery| delivery.take_payload())
    };
    drop((batches, taken));
    payload.map(|payload| unpack(env, payload, head, &allocate)).transpose()
}

/// Returns as `unpackEvent` copies of the payload of a delivery, which may still go to another thread.
#[napi(catch_unwind, ts_return_type = "Array<number | ArrayBuffer | string> | null")]
pub fn unpack_copy(
    env: Env,
    thread: u32,
    handle: u32,
    head: Uint8Array,
    #[napi(ts_arg_type = "(bytes: number) => ArrayBuffer")] allocate: Allocate<'_>,
) -> Result<Option<Vec<Value>>> {
    let thread = find(thread)?;
    let payload = thread.deliveries.borrow().get(handle as usize).map(|held| held.payload());
    // Nothing is left of one that has settled.
    let payload = payload.filter(|payload| !payload.is_empty());
    payload.map(|payload| unpack(env, payload, head, &allocate)).transpose()
}

/// As `unpackEvent`, for the payload of this index among those of the last read.
#[napi(catch_unwind, ts_return_type = "Array<number | ArrayBuffer | string> | null")]
pub fn unpack_read(
    env: Env,
    thread: u32,
    index: u32,
    head: Uint8Array,
    #[napi(ts_arg_type = "(bytes: number) => ArrayBuffer")] allocate: Allocate<'_>,
) -> Result<Option<Vec<Value>>> {
    let payload = find(thread)?.apart.borrow_mut().get_mut(index as usize).and_then(Option::take);
    payload.map(|payload| unpack(env, payload, head, &allocate)).transpose()
}

/// Detaches an ArrayBuffer.
#[napi(catch_unwind)]
pub fn detach(env: Env, #[napi(ts_arg_type = "ArrayBuffer")] buffer: Unknown<'_>) -> Result<()> {
    // SAFETY: on the thread of `env`; the value is of this call. One that is no ArrayBuffer is refused.
    check_status!(unsafe { sys::napi_detach_arraybuffer(env.raw(), buffer.raw()) })
}

/// Uses no external buffers, as where a runtime forbids them, so that a test can see the other way.
#[napi(catch_unwind)]
pub fn forbid_external_for_test(forbidden: bool) {
    forbid_external(forbidden);
}

fn unpack(
    env: Env,
    mut payload: Payload,
    mut head: Uint8Array,
    allocate: &Allocate<'_>,
) -> Result<Vec<Value>> {
    let parts = payload.take_parts();
    let mut values = Vec::with_capacity(1 + parts.len());
    // SAFETY: it was passed in this call, and no JavaScript runs before it is written.
    let head = unsafe { head.as_mut() };
    if let Some(room) = head.get_mut(..payload.len()) {
        room.copy_from_slice(&payload);
        values.push(Value::number(env, payload.len())?);
    } else if let Some(bytes) = payload.take_bytes() {
        values.push(value_of(env, bytes, allocate)?);
    }
    for part in parts {
        values.push(value_of(env, part, allocate)?);
    }
    Ok(values)
}
