//! The engines that this process has loaded. Each copy of the package in a dependency tree brings its own, and two
//! engines know nothing of each other's channels. `lib/copies.js` has the copies of one version use one engine, and
//! the channels of the process belong to one version.
//!
//! Engines of other versions rely on the [marker](PARALLEL_EVENT_BUS_ENGINE), on [`engines`] and on
//! [`claim_channels`]: these three stay as they are.

use std::ffi::CStr;
use std::sync::OnceLock;

use napi::Result;
use napi::bindgen_prelude::retain_current_module_for_unload_safety;
use napi_derive::napi;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Marks a library as an engine. Holds its version, as text that ends with a zero.
#[unsafe(no_mangle)]
pub static PARALLEL_EVENT_BUS_ENGINE: [u8; VERSION.len()] =
    *VERSION.as_bytes().first_chunk().expect("it is as long as itself");

const MARKER: &CStr = c"PARALLEL_EVENT_BUS_ENGINE";

/// An engine that the process has loaded.
#[napi(object)]
pub struct LoadedEngine {
    /// The file that it was loaded from.
    pub path: String,
    /// The version of the package that it belongs to.
    pub version: String,
    /// True if it is this one.
    pub is_own: bool,
}

/// Lists the engines that this process has loaded, in the order of loading. From the first call on this engine is
/// never unloaded, so it keeps its place among those that are listed after it.
#[napi(catch_unwind)]
pub fn engines() -> Vec<LoadedEngine> {
    // Node unloads an addon with the last thread that has loaded it.
    retain_current_module_for_unload_safety();
    system::images(MARKER, |path, marker| LoadedEngine {
        path,
        // SAFETY: the symbol of this name is text that ends with a zero, and its library is loaded during the call.
        version: unsafe { CStr::from_ptr(marker.cast()) }.to_string_lossy().into_owned(),
        is_own: std::ptr::eq(marker, PARALLEL_EVENT_BUS_ENGINE.as_ptr()),
    })
}

/// Claims the channels of the process for a copy, and returns the copy that was the first to claim them. All copies ask
/// the engine that was loaded first.
#[napi(catch_unwind)]
pub fn claim_channels(copy: String) -> Result<String> {
    static OWNER: OnceLock<String> = OnceLock::new();
    Ok(OWNER.get_or_init(|| copy).clone())
}

#[cfg(unix)]
mod system {
    use std::ffi::{CStr, CString};

    /// Describes each addon that has a symbol, from its path and the address of the symbol.
    pub fn images<T>(symbol: &CStr, describe: impl Fn(String, *const u8) -> T) -> Vec<T> {
        let described = |path: &CString| {
            // SAFETY: the path ends with a zero. An image that is loaded is kept until `dlclose`, and no other is.
            let image = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
            if image.is_null() {
                return None;
            }
            // SAFETY: the image is kept, and the name ends with a zero.
            let address = unsafe { libc::dlsym(image, symbol.as_ptr()) };
            let text =
                || describe(path.to_string_lossy().into_owned(), address.cast_const().cast());
            let described = (!address.is_null()).then(text);
            // SAFETY: it was opened above, and the address is not used any more.
            unsafe { libc::dlclose(image) };
            described
        };
        paths()
            .iter()
            .filter(|path| path.as_bytes().ends_with(b".node"))
            .filter_map(described)
            .collect()
    }

    #[cfg(not(target_vendor = "apple"))]
    fn paths() -> Vec<CString> {
        unsafe extern "C" fn add(
            info: *mut libc::dl_phdr_info,
            _size: libc::size_t,
            paths: *mut libc::c_void,
        ) -> libc::c_int {
            // SAFETY: the system calls this during the call below, with the list that is passed there and
            // with the description of an image; its name is null or ends with a zero.
            unsafe {
                let name = (*info).dlpi_name;
                if !name.is_null() {
                    (*paths.cast::<Vec<CString>>()).push(CStr::from_ptr(name).into());
                }
            }
            0
        }
        let mut paths: Vec<CString> = Vec::new();
        // SAFETY: the function is as the system wants it, and the list outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut paths).cast()) };
        paths
    }

    #[cfg(target_vendor = "apple")]
    fn paths() -> Vec<CString> {
        unsafe extern "C" {
            fn _dyld_image_count() -> u32;
            fn _dyld_get_image_name(index: u32) -> *const libc::c_char;
        }
        // SAFETY: it has no conditions.
        let count = unsafe { _dyld_image_count() };
        let name = |index| {
            // SAFETY: it has no conditions, and returns null for an image that is not there any more.
            let name = unsafe { _dyld_get_image_name(index) };
            // SAFETY: a name ends with a zero, and lives as long as its image. dyld has no lock against an image that
            // is unloaded meanwhile; Node unloads only addons, with the last thread that has loaded them.
            (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.into())
        };
        (0..count).filter_map(name).collect()
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::{CStr, c_char, c_void};

    type Module = *mut c_void;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentProcess() -> *mut c_void;
        fn K32EnumProcessModules(
            of: *mut c_void,
            into: *mut Module,
            size: u32,
            needed: *mut u32,
        ) -> i32;
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut Module) -> i32;
        fn GetModuleFileNameW(module: Module, into: *mut u16, size: u32) -> u32;
        fn GetProcAddress(module: Module, name: *const c_char) -> *mut c_void;
        fn FreeLibrary(module: Module) -> i32;
    }

    const FROM_ADDRESS: u32 = 4;
    /// The longest path that Windows has, in UTF-16.
    const LONGEST_PATH: usize = 32_768;

    /// Describes each library that has a symbol, from its path and the address of the symbol.
    pub fn images<T>(symbol: &CStr, describe: impl Fn(String, *const u8) -> T) -> Vec<T> {
        let described = |module: Module| {
            let mut kept: Module = std::ptr::null_mut();
            // SAFETY: a library is named by the address that it was loaded to. If it is still there, it is kept until
            // `FreeLibrary`.
            if unsafe { GetModuleHandleExW(FROM_ADDRESS, module, &raw mut kept) } == 0 {
                return None;
            }
            // SAFETY: the library is kept, and the name ends with a zero.
            let address = unsafe { GetProcAddress(kept, symbol.as_ptr()) };
            let text = || describe(path_of(kept), address.cast_const().cast());
            let described = (!address.is_null()).then(text);
            // SAFETY: it was kept above, and the address is not used any more.
            unsafe { FreeLibrary(kept) };
            described
        };
        modules().into_iter().filter_map(described).collect()
    }

    fn modules() -> Vec<Module> {
        let mut modules: Vec<Module> = vec![std::ptr::null_mut(); 256];
        loop {
            let size = u32::try_from(size_of_val(&modules[..])).unwrap_or(u32::MAX);
            let mut needed = 0;
            // SAFETY: so many bytes may be written there.
            let listed = unsafe {
                K32EnumProcessModules(
                    GetCurrentProcess(),
                    modules.as_mut_ptr(),
                    size,
                    &raw mut needed,
                )
            };
            let count = needed as usize / size_of::<Module>();
            if listed == 0 {
                return Vec::new();
            }
            if count <= modules.len() {
                modules.truncate(count);
                return modules;
            }
            modules.resize(2 * count, std::ptr::null_mut());
        }
    }

    fn path_of(module: Module) -> String {
        let mut path = vec![0; LONGEST_PATH];
        // SAFETY: the library is kept by the caller, and so many units may be written there.
        let length = unsafe { GetModuleFileNameW(module, path.as_mut_ptr(), LONGEST_PATH as u32) };
        let path = String::from_utf16_lossy(&path[..length as usize]);
        // Node loads an addon by the long form of its path, and `require` takes the short one.
        match path.strip_prefix(r"\\?\") {
            Some(local) => {
                local.strip_prefix(r"UNC\").map_or(local.into(), |it| format!(r"\\{it}"))
            }
            None => path,
        }
    }
}
