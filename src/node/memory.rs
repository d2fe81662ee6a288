//! Long parts of messages as values of JavaScript.
//!
//! A part with one receiver gives JavaScript its memory itself, as an external ArrayBuffer: where that pays, and where the
//! runtime allows such buffers. Else it is copied, so no two values share memory.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::bindgen_prelude::{Function, ToNapiValue, Unknown};
use napi::{Env, Error, JsValue, Result, Status, check_status, sys};

use crate::engine::blocks::Block;
use crate::engine::payload::{Part, try_with_capacity};

/// Number of bytes. A shorter part is copied faster than V8 makes and frees an external buffer.
const LEAST_EXTERNAL: usize = 1 << 16;

/// True where the runtime has refused external buffers, as Electron does.
static IS_FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// A value of the call that is going on.
pub struct Value(sys::napi_value);

impl ToNapiValue for Value {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.0)
    }
}

impl Value {
    /// Returns a number as a value.
    pub fn number(env: Env, number: usize) -> Result<Self> {
        // SAFETY: on the thread of `env`.
        unsafe { f64::to_napi_value(env.raw(), number as f64) }.map(Value)
    }
}

/// From now on external buffers are not used, as if the runtime refused them; or again.
pub fn forbid_external(forbidden: bool) {
    IS_FORBIDDEN.store(forbidden, Ordering::Relaxed);
}

/// Makes an ArrayBuffer of a number of bytes, not filled. It throws where there is no memory.
pub type Allocate<'a> = Function<'a, f64, Unknown<'a>>;

/// Returns a copy of a string, or the number of bytes for which there is no memory.
pub fn text_of(
    env: Env,
    text: &Unknown<'_>,
    is_wide: bool,
) -> Result<std::result::Result<Part, usize>> {
    let (env, text) = (env.raw(), text.raw());
    if is_wide {
        let read = |to, room, length: &mut usize| {
            // SAFETY: on the thread of `env`; the value is of this call, and `read_text` has that much room.
            unsafe { sys::napi_get_value_string_utf16(env, text, to, room, length) }
        };
        let text = read_text(try_with_capacity::<u16>, read)?;
        Ok(text.map(|text| Part::Wide(Arc::new(text))))
    } else {
        let read = |to: *mut u8, room, length: &mut usize| {
            // SAFETY: as above.
            unsafe { sys::napi_get_value_string_latin1(env, text, to.cast(), room, length) }
        };
        let text = read_text(Block::with_capacity, read)?;
        Ok(text.map(|text| Part::Latin1(Arc::new(text))))
    }
}

fn read_text<T, M: AsMut<Vec<T>>>(
    allocate: impl FnOnce(usize) -> Option<M>,
    read: impl Fn(*mut T, usize, &mut usize) -> sys::napi_status,
) -> Result<std::result::Result<M, usize>> {
    let mut length = 0;
    // Without a place for it only the length is given.
    check_status!(read(null_mut(), 0, &mut length))?;
    // Node-API writes an end behind it.
    let Some(mut memory) = allocate(length + 1) else { return Ok(Err(length * size_of::<T>())) };
    let text = memory.as_mut();
    check_status!(read(text.as_mut_ptr(), length + 1, &mut length))?;
    // SAFETY: so many were written.
    unsafe { text.set_len(length) };
    Ok(Ok(memory))
}

/// Returns a part as an ArrayBuffer, or a string.
pub fn value_of(env: Env, part: Part, allocate: &Allocate<'_>) -> Result<Value> {
    let mut value = null_mut();
    let status = match part {
        Part::Bytes(bytes) => return buffer_of(env, bytes, allocate),
        Part::Latin1(text) => {
            let (start, length) = (text.as_ptr().cast(), text.len().cast_signed());
            // SAFETY: on the thread of `env`; the text is as long as that, and is copied.
            unsafe { sys::napi_create_string_latin1(env.raw(), start, length, &mut value) }
        }
        Part::Wide(text) => {
            let (start, length) = (text.as_ptr(), text.len().cast_signed());
            // SAFETY: as above.
            unsafe { sys::napi_create_string_utf16(env.raw(), start, length, &mut value) }
        }
    };
    check_status!(status).map(|()| Value(value))
}

fn buffer_of(env: Env, bytes: Arc<Block>, allocate: &Allocate<'_>) -> Result<Value> {
    let is_long = bytes.len() >= LEAST_EXTERNAL && !IS_FORBIDDEN.load(Ordering::Relaxed);
    if !is_long {
        return copy_of(env, &bytes, allocate);
    }
    let own = match Arc::try_unwrap(bytes) {
        Ok(own) => Some(own),
        Err(shared) => Block::copy(&shared),
    };
    let own = own.ok_or_else(|| Error::new(Status::GenericFailure, NO_MEMORY))?;
    match external(env, own)? {
        Ok(value) => Ok(value),
        Err(own) => copy_of(env, &own, allocate),
    }
}

const NO_MEMORY: &str = "there is no memory for a part of a message";

/// Gives memory to JavaScript. Gives it back where the runtime forbids that.
fn external(env: Env, bytes: Block) -> Result<std::result::Result<Value, Block>> {
    let owner = Box::into_raw(Box::new(bytes));
    let mut value = null_mut();
    // SAFETY: the memory stays in place until `free`, which is called once, when JavaScript has let go of it.
    let status = unsafe {
        let (data, length) = ((*owner).as_mut_ptr().cast(), (*owner).len());
        sys::napi_create_external_arraybuffer(
            env.raw(),
            data,
            length,
            Some(free),
            owner.cast(),
            &mut value,
        )
    };
    if status == sys::Status::napi_ok {
        return Ok(Ok(Value(value)));
    }
    // SAFETY: where it failed nobody else has it.
    let bytes = *unsafe { Box::from_raw(owner) };
    if status == sys::Status::napi_no_external_buffers_allowed {
        forbid_external(true);
        return Ok(Err(bytes));
    }
    check_status!(status)?;
    Ok(Err(bytes))
}

unsafe extern "C" fn free(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: it is the owner that was given with the memory, and this is called once.
    drop(unsafe { Box::from_raw(owner.cast::<Block>()) });
}

fn copy_of(env: Env, bytes: &[u8], allocate: &Allocate<'_>) -> Result<Value> {
    let buffer = allocate.call(bytes.len() as f64)?;
    let (mut data, mut length) = (null_mut(), 0);
    // SAFETY: on the thread of `env`; the value is of this call. One that is no ArrayBuffer is refused.
    check_status!(unsafe {
        sys::napi_get_arraybuffer_info(env.raw(), buffer.raw(), &mut data, &mut length)
    })?;
    if length != bytes.len() {
        return Err(Error::new(Status::InvalidArg, "a buffer of another length was allocated"));
    }
    // SAFETY: there is room for them, in memory that only this call knows.
    unsafe { data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), length) };
    Ok(Value(buffer.raw()))
}
