//! The meeting place of processes on Windows: named pipes, and files in a directory with the keys to them.
//!
//! Every user of a host can list the names of its pipes, read from one with the default permissions, and take the name
//! of a process that is gone. So each end proves that it may read the directory: it says a key that is in the file. The
//! end that connects is the first to say its key. Until the other one's has come, it says and hears nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle};
use std::path::Path;

use mio::event::Source;
use mio::windows::NamedPipe;
use mio::{Interest, Registry, Token};
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY, INVALID_HANDLE_VALUE, WIN32_ERROR,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OPEN_REPARSE_POINT, FILE_FLAG_OVERLAPPED,
    FILE_FLAGS_AND_ATTRIBUTES, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::IO::CancelIoEx;
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES,
};

use super::directory::failed;
use crate::cluster::link::Trouble;
use crate::cluster::peer::PeerId;

/// Bytes that were taken may not be written yet. A pipe is writable again when they are.
pub const WRITES_LATER: bool = true;

/// Before the name of an entry, this makes the name of the pipe.
const PIPE: &str = r"\\.\pipe\peb-";

/// Bytes that the system keeps of each direction.
const BUFFER: u32 = 64 << 10;

/// Bytes of a key.
const KEY: usize = 16;

type Key = [u8; KEY];

/// Keys of a process: that of the ends that connect to it, and its own.
#[derive(Clone, Copy)]
struct Keys {
    theirs: Key,
    own: Key,
}

impl Keys {
    const BYTES: usize = 2 * KEY;

    fn new(bytes: &[u8]) -> io::Result<Self> {
        let (theirs, own) = bytes.split_first_chunk().ok_or(ErrorKind::InvalidData)?;
        let own = own.try_into().map_err(|_| ErrorKind::InvalidData)?;
        Ok(Keys { theirs: *theirs, own })
    }

    /// Reads the keys of another process. The file may be anything, of any length.
    fn read(entry: &Path) -> io::Result<Self> {
        let flags = FILE_FLAG_OPEN_REPARSE_POINT;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(entry)?;
        let mut bytes = Vec::new();
        file.take(Self::BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Self::new(&bytes)
    }
}

/// Makes the directory, if it is not there. Its permissions are those that the one above it passes on.
pub fn make_directory(path: &Path, _: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(path).map_err(|error| failed("cannot make the directory", path, &error))
}

/// Makes the pipe of a process, which is registered, and the file `draft` with its keys.
pub fn listen(
    _: &Path,
    draft: &Path,
    id: PeerId,
    (registry, token): (&Registry, Token),
) -> io::Result<Listener> {
    let mut bytes = [0; Keys::BYTES];
    getrandom::fill(&mut bytes)?;
    let keys = Keys::new(&bytes)?;
    let name = format!("{PIPE}{id}");
    let mut next = instance(&name, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
    registry.register(&mut next, token, Interest::READABLE | Interest::WRITABLE)?;
    fs::write(draft, bytes)?;
    Ok(Listener { name, keys, next, registry: registry.try_clone()?, token })
}

/// Connects to a pipe. It is refused where the process is gone, and would block where it is busy.
pub fn connect(entry: &Path) -> io::Result<Stream> {
    let keys = Keys::read(entry)?;
    let name = entry.file_stem().unwrap_or_default().to_string_lossy();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(format!("{PIPE}{name}"))
        .map_err(|error| match error.raw_os_error().map(|code| code as WIN32_ERROR) {
            Some(ERROR_FILE_NOT_FOUND) => ErrorKind::ConnectionRefused.into(),
            Some(ERROR_PIPE_BUSY) => ErrorKind::WouldBlock.into(),
            _ => error,
        })?;
    // SAFETY: the handle is nobody else's. It was opened for overlapped operations, and has no completion port yet.
    let pipe = unsafe { NamedPipe::from_raw_handle(file.into_raw_handle()) };
    Ok(Stream::new(pipe, keys.theirs, keys.own, true))
}

/// Returns true for the kind of file that a process leaves.
pub fn is_entry(kind: fs::FileType) -> bool {
    kind.is_file()
}

/// Makes an instance of a pipe, for one connection. `flags` say more of it.
fn instance(name: &str, flags: FILE_FLAGS_AND_ATTRIBUTES) -> io::Result<NamedPipe> {
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // SAFETY: the name ends with a zero, and the security attributes may be null.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
            PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            std::ptr::null(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is nobody else's. It was opened for overlapped operations, and has no completion port yet.
    Ok(unsafe { NamedPipe::from_raw_handle(handle) })
}

/// The pipe of this process: an instance that waits for the next connection.
pub struct Listener {
    name: String,
    keys: Keys,
    next: NamedPipe,
    registry: Registry,
    token: Token,
}

impl Listener {
    /// Returns a connection that has come.
    pub fn accept(&mut self) -> io::Result<(Stream, ())> {
        self.next.connect()?;
        let mut next = instance(&self.name, 0)?;
        self.registry.register(&mut next, self.token, Interest::READABLE | Interest::WRITABLE)?;
        let mut pipe = std::mem::replace(&mut self.next, next);
        self.registry.deregister(&mut pipe)?;
        let Keys { theirs, own } = self.keys;
        Ok((Stream::new(pipe, own, theirs, false), ()))
    }
}

/// An end of a connection.
pub struct Stream {
    pipe: NamedPipe,
    /// The key that this end has to say.
    unsaid: Option<Key>,
    /// The key that the other end has to say.
    expected: Key,
    /// As much of that as has come.
    heard: Vec<u8>,
    /// This end is the first to say its key.
    is_first: bool,
}

impl Stream {
    fn new(pipe: NamedPipe, key: Key, expected: Key, is_first: bool) -> Self {
        Stream { pipe, unsaid: Some(key), expected, heard: Vec::new(), is_first }
    }

    fn is_proven(&self) -> bool {
        self.heard.len() == KEY
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The pipe stays open as long as bytes are under way, and its other end may never read them.
        // SAFETY: the handle is open. An operation that is cancelled completes as any other, so mio hears of its end.
        unsafe { CancelIoEx(self.pipe.as_raw_handle(), std::ptr::null()) };
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_proven() {
            let mut key = [0; KEY];
            let missing = &mut key[self.heard.len()..];
            let count = self.pipe.read(missing)?;
            if count == 0 {
                return Ok(0);
            }
            self.heard.extend_from_slice(&missing[..count]);
            if self.is_proven() && self.heard != self.expected {
                self.heard.clear();
                return Err(ErrorKind::PermissionDenied.into());
            }
        }
        self.pipe.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let may_speak = self.is_first || self.is_proven();
        if let Some(key) = self.unsaid.take_if(|_| may_speak) {
            // A pipe takes all that it is given, or nothing.
            self.pipe.write_all(&key)?;
        }
        if !self.is_proven() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

impl Source for Stream {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.pipe.register(to, token, interest)
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.pipe.reregister(to, token, interest)
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        self.pipe.deregister(from)
    }
}
