//! Directories for the files of this process only.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use super::trust::Me;
use super::walk::{Asked, walk};
use super::{Directory, Facts, Opened, PlaceError, Sharing, absolute};

/// The permission bits of group and others.
const OTHERS: u32 = 0o077;

impl Directory {
    /// Resolves `path` to a directory for the files of this process only, and creates missing
    /// directories with mode 0700.
    ///
    /// An existing one that belongs to this user loses the permissions of others, unless it
    /// contains files that are not `own`: then it has other uses and is left unchanged.
    pub(crate) fn make_private(
        path: &Path,
        sharing: Sharing,
        own: impl Fn(&OsStr) -> bool,
    ) -> Result<Self, PlaceError> {
        let asked = Asked {
            sharing,
            file: false,
            make: true,
            private: true,
        };
        let walked = walk(&absolute(path)?, asked, &mut Vec::new())?;
        let directory = Self::of(walked.directory, walked.path);
        match directory
            .narrow(own)
            .and_then(|()| directory.refused(sharing))
        {
            Ok(None) => Ok(directory),
            Ok(Some(why)) => {
                let folder = directory.path;
                Err(PlaceError::Shared { folder, why })
            }
            Err(source) => {
                let path = directory.path;
                Err(PlaceError::Io { path, source })
            }
        }
    }

    fn narrow(&self, own: impl Fn(&OsStr) -> bool) -> io::Result<()> {
        let meta = self.held.metadata()?;
        let ours = meta.uid() == rustix::process::geteuid().as_raw();
        if !ours || !self.readable || meta.mode() & OTHERS == 0 {
            return Ok(());
        }
        let foreign = |name: &OsStr| name != "." && name != ".." && !own(name);
        if self.names(1, foreign)?.is_empty() {
            let mode = Mode::from_raw_mode((meta.mode() & 0o7777 & !OTHERS) as _);
            // If a file system has no modes, the check of write access still applies.
            let _ = rustix::fs::fchmod(&self.held, mode);
        }
        Ok(())
    }

    /// Returns why root must not put files here, if it is root and others can write here.
    fn refused(&self, sharing: Sharing) -> io::Result<Option<String>> {
        let me = Me::now(&std::fs::metadata("/")?);
        let asks = me.privileged && !sharing.allowed;
        Ok(if asks { self.shared()? } else { None })
    }

    /// Whether a file belongs to this user, or to the owner of the directory, who can replace its
    /// content anyway.
    pub(crate) fn owns(&self, facts: &Facts) -> io::Result<bool> {
        self.is_owner(facts.owner.user)
    }

    fn is_owner(&self, user: u32) -> io::Result<bool> {
        let me = rustix::process::geteuid().as_raw();
        Ok(user == me || user == self.held.metadata()?.uid())
    }

    /// Whether this is the name of a regular file that this directory [owns](Self::owns); links are
    /// not.
    pub(crate) fn has_own(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::statat(&self.held, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(
                FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                    && self.is_owner(stat.st_uid)?,
            ),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Opened {
    /// Removes the permissions of others from a file of this user. Errors are ignored.
    pub(crate) fn narrow(&self) {
        let mode = self.facts.owner.mode;
        if mode & OTHERS != 0 {
            let mode = Mode::from_raw_mode((mode & !OTHERS) as _);
            let _ = rustix::fs::fchmod(&self.file, mode);
        }
    }
}
