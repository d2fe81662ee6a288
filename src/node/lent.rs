//! Memory that JavaScript lends, and keeps away from while it is read or written here.
//!
//! It has to be a view of a SharedArrayBuffer, which is checked when it is lent. Nothing detaches or transfers
//! such a buffer, or makes it smaller, so the memory stays where it is, and as large as it is, as long as
//! the view is kept; and other threads of the engine may read it.

use std::ops::Deref;
use std::ptr::null_mut;

use napi::bindgen_prelude::FromNapiValue;
use napi::{Env, Error, Result, Status, check_status, sys};

/// No view has more elements, so that each place in one is a number that every side can hold.
const MOST: usize = i32::MAX as usize;

/// A typed array of JavaScript's that is lent for longer than a call. See the [module](self).
pub struct Lent<A>(A);

impl<A> Deref for Lent<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: FromNapiValue> FromNapiValue for Lent<A> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: as promised by the caller.
        let array = unsafe { A::from_napi_value(env, value) }?;
        // SAFETY: as promised by the caller; it is a typed array.
        let (length, is_shared) = unsafe { look_at(env, value) }?;
        let refusal = if !is_shared {
            "what is lent to the engine must be a view of a SharedArrayBuffer, which stays where it is"
        } else if length > MOST {
            "what is lent to the engine must have less than 2 ** 31 elements"
        } else {
            return Ok(Lent(array));
        };
        Env::from_raw(env).throw_type_error(refusal, Some("ERR_INVALID_ARG_VALUE"))?;
        Err(Error::new(Status::PendingException, refusal))
    }
}

/// Returns the number of elements of a typed array, and whether its buffer is shared.
///
/// # Safety
///
/// `env` and `value` are those of a call by Node-API that has not returned.
unsafe fn look_at(env: sys::napi_env, value: sys::napi_value) -> Result<(usize, bool)> {
    let (mut length, mut buffer, mut is_plain) = (0, null_mut(), false);
    // SAFETY: as promised by the caller. Results that are not needed may be null.
    check_status!(unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            null_mut(),
            &mut length,
            null_mut(),
            &mut buffer,
            null_mut(),
        )
    })?;
    // A buffer is of the one kind or the other.
    // SAFETY: as promised by the caller.
    check_status!(unsafe { sys::napi_is_arraybuffer(env, buffer, &mut is_plain) })?;
    Ok((length, !is_plain))
}
