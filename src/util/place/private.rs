//! A directory for the files of this process alone.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use super::trust::Me;
use super::walk::{Asked, walk};
use super::{Directory, Facts, Opened, PlaceError, Sharing, absolute};

/// What others may do with a file or a directory.
const OTHERS: u32 = 0o077;

impl Directory {
    /// Follows `path` to a directory for files of this process alone, and makes the directories
    /// that are missing, with mode 0700.
    ///
    /// One that is there already, and belongs to this user, loses the rights of others. One with
    /// content that is not `own` is left as it is: it is there for more than that.
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
            // Where a file system has no modes, what counts is who may write all the same.
            let _ = rustix::fs::fchmod(&self.held, mode);
        }
        Ok(())
    }

    /// Why root is not to put files here, if it is root and that is so.
    fn refused(&self, sharing: Sharing) -> io::Result<Option<String>> {
        let me = Me::now(&std::fs::metadata("/")?);
        let asks = me.privileged && !sharing.allowed;
        Ok(if asks { self.shared()? } else { None })
    }

    /// Whether a file belongs to this user, or to whom the directory belongs and who can replace
    /// what is in it anyway.
    pub(crate) fn owns(&self, facts: &Facts) -> io::Result<bool> {
        self.is_owner(facts.owner.user)
    }

    fn is_owner(&self, user: u32) -> io::Result<bool> {
        let me = rustix::process::geteuid().as_raw();
        Ok(user == me || user == self.held.metadata()?.uid())
    }

    /// Whether this is the name of a regular file that this directory [owns](Self::owns); no link
    /// is.
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
    /// Takes the rights of others from a file of this user. What cannot be changed stays.
    pub(crate) fn narrow(&self) {
        let mode = self.facts.owner.mode;
        if mode & OTHERS != 0 {
            let mode = Mode::from_raw_mode((mode & !OTHERS) as _);
            let _ = rustix::fs::fchmod(&self.file, mode);
        }
    }
}
