//! The directory with the sockets of all processes.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::cluster::peer::PeerId;

/// End of the names of sockets. Before it is the id of the process.
const SOCKET: &str = "peb";

/// End of the name of a socket that nobody can be heard at yet.
const DRAFT: &str = "new";

/// Bytes that the path of a socket may have, on every system.
const LONGEST_PATH: usize = 103;

/// The group may write, and others may.
const GROUP: u32 = 0o020;
const OTHERS: u32 = 0o002;

/// The directory, and the socket of this process in it.
pub struct Directory {
    path: PathBuf,
    socket: PathBuf,
    is_in: bool,
}

impl Directory {
    /// Makes the socket of this process, and the directory if it is not there.
    ///
    /// # Errors
    ///
    /// A code, and the reason.
    pub fn enter(
        path: PathBuf,
        id: PeerId,
    ) -> Result<(Self, UnixListener), (&'static str, String)> {
        let socket = path.join(format!("{id}.{SOCKET}"));
        let bytes = socket.as_os_str().len();
        if bytes > LONGEST_PATH {
            let (most, own) = (LONGEST_PATH - (bytes - path.as_os_str().len()), path.display());
            let why = format!(
                "the path {own} has {} bytes, and a directory of sockets may have {most}",
                path.as_os_str().len()
            );
            return Err(("ERR_INVALID_ARG_VALUE", why));
        }
        let failed = |what: &str, error: &io::Error| {
            ("ERR_LINK_FAILED", format!("{what} {}: {error}", path.display()))
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| failed("cannot make the directory", &error))?;
        let about = fs::metadata(&path).map_err(|error| failed("cannot look at", &error))?;
        let mode = about.mode() & 0o7777;
        if mode & OTHERS != 0 {
            let why = format!(
                "everybody may write into {} (mode {mode:o}), and so call listeners: chmod o-w",
                path.display()
            );
            return Err(("ERR_LINK_FAILED", why));
        }
        // Under its final name a socket can be connected to. Else somebody might take it for a stale one.
        let draft = path.join(format!("{id}.{DRAFT}"));
        let bind = || {
            let listener = UnixListener::bind(&draft)?;
            listener.set_nonblocking(true)?;
            // A process that may add a socket may connect to this one, under any mask.
            let mode = if mode & GROUP == 0 { 0o600 } else { 0o660 };
            fs::set_permissions(&draft, fs::Permissions::from_mode(mode))?;
            fs::rename(&draft, &socket)?;
            Ok(listener)
        };
        let listener = bind().map_err(|error| {
            let _ = fs::remove_file(&draft);
            failed("cannot make a socket in", &error)
        })?;
        Ok((Directory { path, socket, is_in: true }, listener))
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the sockets of other processes.
    pub fn others(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let is_other = |path: &PathBuf| {
            *path != self.socket && path.extension().is_some_and(|extension| extension == SOCKET)
        };
        entries.map(|entry| entry.path()).filter(is_other).collect()
    }

    /// Removes the socket of a process that is gone.
    pub fn sweep(&self, path: &Path) {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
        if is_socket {
            let _ = fs::remove_file(path);
        }
    }

    /// Removes the socket of this process: nobody else comes.
    pub fn leave(&mut self) {
        if std::mem::take(&mut self.is_in) {
            let _ = fs::remove_file(&self.socket);
        }
    }
}
