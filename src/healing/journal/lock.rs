//! Exclusive use of a folder: a lock on a file in it.

use std::ffi::OsStr;
use std::fs::TryLockError;
use std::io;

use crate::util::place::{Directory, Opened};

/// The locked file. It is empty: only the lock counts, which the system releases with the process.
pub(super) const NAME: &str = "journal.lock";

/// How often taking the lock is retried when another process removes its file just then.
const TRIES: usize = 16;

/// A folder in use by this process, until it is [released](Lock::release).
pub(super) struct Lock(Opened);

impl Lock {
    /// Takes the lock; `None` while another process holds it.
    pub(super) fn take(directory: &Directory) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            let opened = directory.open_or_create(OsStr::new(NAME))?;
            if !directory.owns(&opened.facts)? {
                let whose = opened.facts.owner.user;
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("{NAME} belongs to user {whose}; remove it if no process uses it"),
                ));
            }
            opened.narrow();
            match opened.file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let lock = Self(opened);
            // The previous holder may have removed the file between the two calls.
            if lock.is_there(directory) {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// Makes sure that no other process can take it: its file may have been removed by a process
    /// that took it for a leftover.
    ///
    /// # Errors
    /// Another process has taken it since.
    pub(super) fn hold(&mut self, directory: &Directory) -> io::Result<()> {
        if !self.is_there(directory) {
            *self = Self::take(directory)?.ok_or_else(|| {
                io::Error::other(format!(
                    "{NAME} was removed, and another process uses the journal now"
                ))
            })?;
        }
        Ok(())
    }

    /// Removes the file while no other process can lock it, so that nothing is left behind.
    pub(super) fn release(&self, directory: &Directory) {
        if self.is_there(directory) {
            // A file that stays behind is not locked.
            let _ = directory.remove(OsStr::new(NAME));
        }
    }

    /// Whether the locked file still has its name in the folder.
    fn is_there(&self, directory: &Directory) -> bool {
        let there = directory.open(OsStr::new(NAME));
        there.is_ok_and(|there| there.facts.id == self.0.facts.id)
    }
}
