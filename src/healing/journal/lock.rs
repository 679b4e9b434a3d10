//! Who uses a folder: a lock on a file in it.

use std::ffi::OsStr;
use std::fs::TryLockError;
use std::io;

use crate::util::place::{Directory, Opened};

/// The file that is locked. It is empty: what counts is the lock, which the system ends with the
/// process.
pub(super) const NAME: &str = "journal.lock";

/// So often another process may be found to remove its file just then.
const TRIES: usize = 16;

/// A folder that is in use here, until it is [released](Lock::release).
pub(super) struct Lock(Opened);

impl Lock {
    /// Takes the lock; `None` while another has it.
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
            // Who had it may have removed the file between the two.
            if lock.is_there(directory) {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// Makes sure that no other process can take it: the file may have been removed by someone
    /// who took it for a leftover.
    ///
    /// # Errors
    /// When another process has taken it since.
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

    /// Removes the file while no other can have it, so that nothing is left behind.
    pub(super) fn release(&self, directory: &Directory) {
        if self.is_there(directory) {
            // Left behind, it is no lock either.
            let _ = directory.remove(OsStr::new(NAME));
        }
    }

    /// Whether the file that is locked has the name that others lock.
    fn is_there(&self, directory: &Directory) -> bool {
        let there = directory.open(OsStr::new(NAME));
        there.is_ok_and(|there| there.facts.id == self.0.facts.id)
    }
}
