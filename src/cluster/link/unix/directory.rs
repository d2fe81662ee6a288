//! The directory in which all processes have an entry, where others find them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mio::{Registry, Token};

use super::system::{self, Listener};
use crate::cluster::link::Trouble;
use crate::cluster::peer::PeerId;

/// End of the names of entries. Before it is the id of the process.
const ENTRY: &str = "peb";

/// End of the name of an entry that nobody can be heard at yet.
const DRAFT: &str = "new";

/// The directory, and the entry of this process in it.
pub struct Directory {
    path: PathBuf,
    entry: PathBuf,
    is_in: bool,
}

impl Directory {
    /// Makes the entry of this process, and the directory if it is not there. The listener is registered.
    ///
    /// # Errors
    ///
    /// A code, and the reason.
    pub fn enter(
        path: PathBuf,
        id: PeerId,
        registered: (&Registry, Token),
    ) -> Result<(Self, Listener), Trouble> {
        let entry = path.join(format!("{id}.{ENTRY}"));
        system::make_directory(&path, &entry)?;
        // Under its final name it can be connected to. Else somebody might take it for a stale one.
        let draft = path.join(format!("{id}.{DRAFT}"));
        let listen = || {
            let listener = system::listen(&path, &draft, id, registered)?;
            fs::rename(&draft, &entry)?;
            Ok(listener)
        };
        let listener = listen().map_err(|error| {
            let _ = fs::remove_file(&draft);
            failed("cannot make a socket in", &path, &error)
        })?;
        Ok((Directory { path, entry, is_in: true }, listener))
    }

    /// Returns the entries of other processes.
    pub fn others(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let is_other = |path: &PathBuf| {
            *path != self.entry && path.extension().is_some_and(|extension| extension == ENTRY)
        };
        entries.map(|entry| entry.path()).filter(is_other).collect()
    }

    /// Removes the entry of a process that is gone.
    pub fn sweep(&self, path: &Path) {
        let about = fs::symlink_metadata(path);
        if about.is_ok_and(|about| system::is_entry(about.file_type())) {
            let _ = fs::remove_file(path);
        }
    }

    /// Removes the entry of this process: nobody else comes.
    pub fn leave(&mut self) {
        if std::mem::take(&mut self.is_in) {
            let _ = fs::remove_file(&self.entry);
        }
    }
}

/// Returns the trouble with a directory: the step that failed, and its error.
pub fn failed(what: &str, path: &Path, error: &io::Error) -> Trouble {
    ("ERR_LINK_FAILED", format!("{what} {}: {error}", path.display()))
}
