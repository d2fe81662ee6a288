//! Exports that are called for every event, as plain Node-API callbacks.
//!
//! `#[napi]` notes each call in a registry of borrows, integers or not, which takes three times as long as
//! the call itself. So these take integers and return one. Larger values lie in memory that JavaScript has
//! lent, or in an array that is [passed](Passed) behind the integers. They throw and catch panics as the
//! others do.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use napi::bindgen_prelude::{FromNapiValue, Object, ToNapiValue};
use napi::{Env, Error, JsError, JsValue, Result, Status, check_status, sys};
use napi_derive::napi;

use super::calls::{deliver, emit, thread};

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// A typed array that was passed in a call that has not returned. No JavaScript runs until then that could
/// take its memory away; of one that is gone already, there is nothing.
pub struct Passed<'a> {
    env: sys::napi_env,
    value: sys::napi_value,
    call: PhantomData<&'a ()>,
}

impl<'a> Passed<'a> {
    /// Returns the bytes of a Uint8Array.
    pub fn bytes(self) -> Result<&'a [u8]> {
        // SAFETY: they are of a call that has not returned.
        unsafe { <&[u8]>::from_napi_value(self.env, self.value) }
    }

    /// Returns the words of a Uint32Array, to be written.
    pub fn words(self) -> Result<&'a mut [u32]> {
        // SAFETY: as above. This is the only reference to them: nothing else is passed in a call.
        unsafe { <&mut [u32]>::from_napi_value(self.env, self.value) }
    }
}

macro_rules! hot_exports {
    ($($name:literal ($count:literal) => $work:expr,)*) => {
        #[napi(module_exports)]
        fn hot_exports(exports: Object, env: Env) -> Result<()> {
            $({
                unsafe extern "C" fn callback(
                    env: sys::napi_env,
                    info: sys::napi_callback_info,
                ) -> sys::napi_value {
                    // SAFETY: Node-API passes the environment and the info of this very call.
                    unsafe { call::<$count, { $count + 1 }>(env, info, $work) }
                }
                export(&exports, env, $name, callback)?;
            })*
            Ok(())
        }
    };
}

hot_exports! {
    "publish"(4) => emit::publish,
    "beginBurst"(1) => |env, words, _| emit::begin_burst(env, words),
    "flushBurst"(2) => |env, words, _| emit::flush_burst(env, words),
    "dispatch"(7) => emit::dispatch,
    "read"(2) => thread::read,
    "readLoopback"(1) => thread::read_loopback,
    "start"(2) => |env, words, _| deliver::start(env, words),
    "acknowledge"(4) => |env, words, _| deliver::acknowledge(env, words),
    "reply"(5) => deliver::reply,
    "release"(2) => |env, words, _| deliver::release(env, words),
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
/// `env` and `info` are those of a call by Node-API that has not returned. `M` is one more than `N`.
unsafe fn call<const N: usize, const M: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: fn(Env, [u32; N], Option<Passed<'_>>) -> Result<i32>,
) -> sys::napi_value {
    let mut values = [null_mut(); M];
    let mut count = M;
    // SAFETY: as promised by the caller; there is room for `count` values. Missing ones are undefined.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), null_mut(), null_mut())
    };
    let passed = (count == M).then(|| Passed { env, value: values[N], call: PhantomData });
    let result = check_status!(status).and_then(|()| {
        // SAFETY: values of this call.
        let words = unsafe { words_of(env, &values) }?;
        catch_unwind(AssertUnwindSafe(|| work(Env::from_raw(env), words, passed)))
            .unwrap_or_else(|_| Err(Error::new(Status::GenericFailure, "the engine panicked")))
    });
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

/// # Safety
///
/// The values are those of a call by Node-API that has not returned.
unsafe fn words_of<const N: usize>(
    env: sys::napi_env,
    values: &[sys::napi_value],
) -> Result<[u32; N]> {
    let mut words = [0; N];
    for (word, value) in words.iter_mut().zip(values) {
        let mut number = -1.0;
        // Not as an integer: one that is too large would come out as another.
        // SAFETY: as promised by the caller.
        let status = unsafe { sys::napi_get_value_double(env, *value, &mut number) };
        *word = number as u32;
        if status != sys::Status::napi_ok || f64::from(*word) != number {
            let message = "whole numbers from 0 to 2 ** 32 - 1 are expected";
            return Err(Error::new(Status::InvalidArg, message));
        }
    }
    Ok(words)
}
