//! Directories by descriptor.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, Uid};

use super::trust::{Folder, Me, is_read_only};
use super::walk::{Asked, walk};
use super::{Facts, Opened, Owner, Place, PlaceError, Sharing, absolute};

/// Flags for opening files: never through a link, never waiting for the other end of a FIFO.
const SAFE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The mode of new files: only this user has access.
const OWN: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open directory, which renames of its path do not affect.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(super) held: File,
    pub(super) path: PathBuf,
    /// Whether it can be listed and synced.
    pub(super) readable: bool,
}

impl Directory {
    /// Resolves `path` to a directory.
    pub(crate) fn open_at(path: &Path, sharing: Sharing) -> Result<Self, PlaceError> {
        Self::walk(path, sharing, false)
    }

    /// Resolves `path` to a directory, and creates missing ones with mode 0700.
    pub(crate) fn make(path: &Path, sharing: Sharing) -> Result<Self, PlaceError> {
        Self::walk(path, sharing, true)
    }

    fn walk(path: &Path, sharing: Sharing, make: bool) -> Result<Self, PlaceError> {
        let asked = Asked {
            sharing,
            file: false,
            make,
            private: false,
        };
        let walked = walk(&absolute(path)?, asked, &mut Vec::new())?;
        Ok(Self::of(walked.directory, walked.path))
    }

    pub(super) fn find(
        path: &Path,
        sharing: Sharing,
        steps: &mut Vec<PathBuf>,
    ) -> Result<Place, PlaceError> {
        let asked = Asked {
            sharing,
            file: true,
            make: false,
            private: false,
        };
        let walked = walk(path, asked, steps)?;
        let (name, linked) = walked.name.unwrap_or_default();
        Ok(Place {
            directory: Self::of(walked.directory, walked.path),
            name,
            linked,
        })
    }

    pub(super) fn of(passed: File, path: PathBuf) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(&passed, ".", flags, Mode::empty()) {
            Ok(held) => Self {
                held: held.into(),
                path,
                readable: true,
            },
            // Files in it can be opened all the same.
            Err(_) => Self {
                held: passed,
                path,
                readable: false,
            },
        }
    }

    /// The path at the time of the resolution.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns why another user can create, rename and remove files in it, if so.
    pub(crate) fn shared(&self) -> io::Result<Option<String>> {
        let root = std::fs::metadata("/")?;
        let folder = Folder::of(&self.held.metadata()?);
        Ok(match folder.others_write(Me::now(&root)) {
            Some(why) if !is_read_only(&self.held)? => Some(why),
            _ => None,
        })
    }

    /// Opens a regular file for reading.
    pub(crate) fn open(&self, name: &OsStr) -> io::Result<Opened> {
        let file = rustix::fs::openat(&self.held, name, OFlags::RDONLY | SAFE, Mode::empty())?;
        Opened::of(file.into())
    }

    /// Opens a regular file for reading and writing, without truncation.
    pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<Opened> {
        let file = rustix::fs::openat(&self.held, name, OFlags::RDWR | SAFE, Mode::empty())?;
        Opened::of(file.into())
    }

    /// Opens a regular file for reading and writing, or creates it with mode 0600.
    pub(crate) fn open_or_create(&self, name: &OsStr) -> io::Result<Opened> {
        let flags = OFlags::RDWR | OFlags::CREATE | SAFE;
        Opened::of(rustix::fs::openat(&self.held, name, flags, OWN)?.into())
    }

    /// Creates a file with mode 0600; fails if the name exists, even as a link.
    pub(crate) fn create_new(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | SAFE;
        Ok(rustix::fs::openat(&self.held, name, flags, OWN)?.into())
    }

    /// Renames a file atomically and replaces an existing one.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.held, from, &self.held, to)?)
    }

    /// Removes a file or a link, but no directory.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.held, name, AtFlags::empty())?)
    }

    /// Whether the name exists, even as a dangling link.
    pub(crate) fn has(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::statat(&self.held, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Syncs the directory, so that created, renamed and removed names survive a power failure. An
    /// unreadable directory cannot be synced.
    pub(crate) fn sync(&self) -> io::Result<()> {
        if !self.readable {
            return Ok(());
        }
        match rustix::fs::fsync(&self.held) {
            // Some file systems have nothing to sync here.
            Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the names for which `wanted` is true, at most `most` of them.
    pub(crate) fn names(
        &self,
        most: usize,
        wanted: impl Fn(&OsStr) -> bool,
    ) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.held)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if wanted(name) {
                if names.len() == most {
                    break;
                }
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

impl Facts {
    /// Whether this process may have created the file: it belongs to its user and has one name.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner.user == rustix::process::geteuid().as_raw() && self.links == 1
    }
}

impl Owner {
    /// Sets owner and permissions of a file. An owner that this process may not set stays
    /// unchanged; if the group stays, it gets only the permissions of others.
    pub(crate) fn give(self, file: &File) -> io::Result<()> {
        let mut mode = self.mode & 0o777;
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        // The owner last: afterwards this process may no longer change the file.
        if rustix::fs::fchown(file, None, Some(group)).is_err() {
            mode &= !0o070 | ((mode & 0o007) << 3);
        }
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode as _))?;
        let _ = rustix::fs::fchown(file, Some(user), None);
        Ok(())
    }
}
