//! The meeting place of processes on Unix: sockets in a directory, which its permissions guard.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use mio::{Interest, Registry, Token};

pub use mio::net::UnixListener as Listener;
pub use mio::net::UnixStream as Stream;

use super::directory::failed;
use crate::cluster::link::Trouble;
use crate::cluster::peer::PeerId;

/// Bytes that were taken are written.
pub const WRITES_LATER: bool = false;

/// Bytes that the path of a socket may have, on every system.
const LONGEST_PATH: usize = 103;

/// The group may write, and others may.
const GROUP: u32 = 0o020;
const OTHERS: u32 = 0o002;

/// Makes the directory for its owner, if it is not there. `entry` is the socket that is to be in it.
pub fn make_directory(path: &Path, entry: &Path) -> Result<(), Trouble> {
    let (bytes, own) = (entry.as_os_str().len(), path.as_os_str().len());
    if bytes > LONGEST_PATH {
        let most = LONGEST_PATH - (bytes - own);
        let why = format!(
            "the path {} has {own} bytes, and a directory of sockets may have {most}",
            path.display()
        );
        return Err(("ERR_INVALID_ARG_VALUE", why));
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed("cannot make the directory", path, &error))?;
    let mode = mode(path).map_err(|error| failed("cannot look at", path, &error))?;
    if mode & OTHERS != 0 {
        let why = format!(
            "everybody may write into {} (mode {mode:o}), and so call listeners: chmod o-w",
            path.display()
        );
        return Err(("ERR_LINK_FAILED", why));
    }
    Ok(())
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.mode() & 0o7777)
}

/// Makes a socket with the name `draft`, which is registered.
pub fn listen(
    directory: &Path,
    draft: &Path,
    _: PeerId,
    (registry, token): (&Registry, Token),
) -> io::Result<Listener> {
    let mut listener = Listener::bind(draft)?;
    // A process that may add a socket may connect to this one, under any mask.
    let mode = if mode(directory)? & GROUP == 0 { 0o600 } else { 0o660 };
    fs::set_permissions(draft, fs::Permissions::from_mode(mode))?;
    registry.register(&mut listener, token, Interest::READABLE)?;
    Ok(listener)
}

/// Connects to a socket. It is refused where the process is gone, and would block where it is busy.
pub fn connect(entry: &Path) -> io::Result<Stream> {
    Stream::connect(entry)
}

/// Returns true for the kind of file that a process leaves.
pub fn is_entry(kind: fs::FileType) -> bool {
    kind.is_socket()
}
