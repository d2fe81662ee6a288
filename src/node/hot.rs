//! Exports that are called for every event, as plain Node-API callbacks.
//!
//! `#[napi]` notes each call in a registry of borrows, integers or not, which takes three times as
//! long as the call itself. So these take integers and return one; what is larger lies in memory
//! that JavaScript has lent (`lend`, `lend_words`). They throw and catch panics as the others do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Error, JsError, JsValue, Result, Status, check_status, sys};
use napi_derive::napi;

use super::{deliveries, emissions, exports};

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

macro_rules! hot_exports {
    ($($name:literal ($count:literal) => $work:path,)*) => {
        #[napi(module_exports)]
        fn hot_exports(exports: Object, env: Env) -> Result<()> {
            $({
                unsafe extern "C" fn callback(
                    env: sys::napi_env,
                    info: sys::napi_callback_info,
                ) -> sys::napi_value {
                    // SAFETY: Node-API passes the environment and the info of this very call.
                    unsafe { call::<$count>(env, info, $work) }
                }
                export(&exports, env, $name, callback)?;
            })*
            Ok(())
        }
    };
}

hot_exports! {
    "post"(4) => emissions::post,
    "beginBurst"(1) => emissions::begin_burst,
    "send"(2) => emissions::send,
    "emit"(7) => emissions::emit,
    "read"(2) => exports::read,
    "start"(2) => deliveries::start,
    "acknowledge"(4) => deliveries::acknowledge,
    "answer"(5) => deliveries::answer,
    "release"(2) => deliveries::release,
}

fn export(exports: &Object, env: Env, name: &str, callback: Callback) -> Result<()> {
    let mut function = null_mut();
    let length = isize::try_from(name.len()).unwrap_or_default();
    // SAFETY: on the thread of `env`; the name is copied, and the callback lives as long as the library.
    check_status!(unsafe {
        sys::napi_create_function(
            env.raw(),
            name.as_ptr().cast(),
            length,
            Some(callback),
            null_mut(),
            &mut function,
        )
    })?;
    // SAFETY: as above.
    check_status!(unsafe {
        let key = <&str as ToNapiValue>::to_napi_value(env.raw(), name)?;
        sys::napi_set_property(env.raw(), exports.raw(), key, function)
    })
}

/// # Safety
///
/// `env` and `info` are those of a call by Node-API that has not returned.
unsafe fn call<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: fn(Env, [u32; N]) -> Result<i32>,
) -> sys::napi_value {
    let mut values = [null_mut(); N];
    let mut words = [0; N];
    let mut count = N;
    // SAFETY: as promised by the caller; there is room for `count` values. Missing ones are undefined.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), null_mut(), null_mut())
    };
    let mut are_numbers = status == sys::Status::napi_ok;
    for (word, value) in words.iter_mut().zip(values) {
        // SAFETY: a value of this call.
        are_numbers &=
            unsafe { sys::napi_get_value_uint32(env, value, word) } == sys::Status::napi_ok;
    }
    let result = if are_numbers {
        catch_unwind(AssertUnwindSafe(|| work(Env::from_raw(env), words)))
            .unwrap_or_else(|_| Err(Error::new(Status::GenericFailure, "the engine panicked")))
    } else {
        Err(Error::new(Status::InvalidArg, "numbers are expected"))
    };
    let mut value = null_mut();
    match result {
        // SAFETY: as promised by the caller.
        Ok(result) => unsafe {
            sys::napi_create_int32(env, result, &mut value);
        },
        // SAFETY: as promised by the caller.
        Err(error) => unsafe { JsError::from(error).throw_into(env) },
    }
    value
}
