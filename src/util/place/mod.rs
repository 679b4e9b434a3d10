//! Safe file access: directories held open by descriptor, and files in them that are opened once.
//!
//! If another user can write to a directory, a path may mean something else each time it is used: a
//! name becomes a link between two system calls, or a directory is swapped for another. So a path
//! is resolved once, step by step, to an open directory; later operations use names in it:
//! - A link is followed only if it and its folder belong to this user or root, and no one else can
//!   write to the folder (or, with the sticky bit, replace the link).
//! - Files are opened without following a link and without blocking, including FIFOs, and only
//!   regular files are read. New files are created exclusively, with mode 0600.
//! - As root, a directory in which another user can write is refused with the reason, unless
//!   [`Sharing::ALLOWED`]: that user could replace or link whatever root puts there.
//! - A user configured as [trusted](Sharing::trusted) counts as this user during resolution.
//!
//! Write access is derived from owner and mode, so an access list counts by its mask. A folder on a
//! read-only mount counts as not writable: Kubernetes mounts ConfigMaps so, with mode 0777. For an
//! unprivileged process its own primary group counts as itself.
//!
//! On systems other than Unix these rules do not apply; a place is just a path.

#![allow(dead_code, reason = "used by the file guard and the journal")]

#[cfg(not(unix))]
mod plain;
#[cfg(unix)]
mod private;
#[cfg(unix)]
mod trust;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod walk;

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[cfg(not(unix))]
pub(crate) use plain::Directory;
#[cfg(unix)]
pub(crate) use unix::Directory;

use super::Printable;

/// The limit of links on a path, that of Linux.
const LINKS: usize = 40;

/// The number of random names tried before giving up.
const NAMES: usize = 16;

/// The explicitly allowed exceptions for directories that other users can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// Whether root may work in a directory in which another user can write.
    pub(crate) allowed: bool,
    /// A user trusted during resolution like this user and root, with links and folders.
    pub(crate) trusted: Option<u32>,
}

impl Sharing {
    /// No exceptions.
    pub(crate) const REFUSED: Self = Self {
        allowed: false,
        trusted: None,
    };
    /// Allows directories in which others can write.
    pub(crate) const ALLOWED: Self = Self {
        allowed: true,
        trusted: None,
    };
}

/// The error of a place that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error(
        "{}: it {why}, and others who may write there could replace the files that this process, \
         which runs as root, reads and writes; let root alone write there, run as another user, or \
         allow a shared directory",
        Printable(.folder.display())
    )]
    Shared { folder: PathBuf, why: String },
    #[error(
        "{}: this link is not followed, since {why}; make root or the user of this process the \
         owner of the link and its folder",
        Printable(.link.display())
    )]
    Link { link: PathBuf, why: String },
    #[error("{}: there are more than {LINKS} links in the path", Printable(.path.display()))]
    TooManyLinks { path: PathBuf },
    #[error("{}: {source}", Printable(.path.display()))]
    Io { path: PathBuf, source: io::Error },
}

impl PlaceError {
    /// Whether a component of the path does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// A resolved path: an open directory, and a name in it that was no link.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(crate) name: OsString,
    /// Whether the last component of the path was a link.
    pub(crate) linked: bool,
}

impl Place {
    /// Resolves `path`, if relative from the current directory, to the directory of its file, which
    /// need not exist. `steps` receives the names on which the resolution depends: those of the
    /// followed links, then that of the file; after an error, the last one reached. Each is a
    /// link-free path.
    pub(crate) fn find(
        path: &Path,
        sharing: Sharing,
        steps: &mut Vec<PathBuf>,
    ) -> Result<Self, PlaceError> {
        steps.clear();
        let found = Directory::find(&absolute(path)?, sharing, steps);
        match &found {
            Ok(place) => steps.push(place.path()),
            Err(PlaceError::Io { path, .. } | PlaceError::Link { link: path, .. }) => {
                steps.push(path.clone());
            }
            Err(_) => {}
        }
        found
    }

    /// The link-free path, as of the resolution.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Opens the file for reading.
    pub(crate) fn open(&self) -> io::Result<Opened> {
        self.directory.open(&self.name)
    }
}

/// An open regular file, and its metadata when opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) facts: Facts,
}

impl Opened {
    /// Refuses anything except a regular file.
    fn of(file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let facts = Facts::of(&meta);
        Ok(Self { file, facts })
    }

    /// Reads the file, if it has at most `most` bytes.
    pub(crate) fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One byte more than allowed distinguishes a file that is too large from one that just
        // fits, whatever its metadata says.
        (&self.file)
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::other(format!("it is larger than {most} bytes")));
        }
        Ok(bytes)
    }
}

/// The metadata of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) owner: Owner,
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    /// The number of hard links.
    pub(crate) links: u64,
    /// Unique to the file as long as it exists; zero if the system has no such number.
    pub(crate) id: (u64, u64),
}

/// The owner of a file, and its permissions: the nine bits of the mode, never setuid or setgid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) mode: u32,
}

impl Facts {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            owner: Owner {
                user: meta.uid(),
                group: meta.gid(),
                mode: meta.mode() & 0o777,
            },
            len: meta.len(),
            modified: meta.modified().ok(),
            links: meta.nlink(),
            id: (meta.dev(), meta.ino()),
        }
    }

    #[cfg(not(unix))]
    fn of(meta: &Metadata) -> Self {
        Self {
            owner: Owner::default(),
            len: meta.len(),
            modified: meta.modified().ok(),
            links: 1,
            id: (0, 0),
        }
    }
}

impl Directory {
    /// Creates a file whose name is `prefix` and sixteen unpredictable digits.
    pub(crate) fn create_random(&self, prefix: &OsStr) -> io::Result<(OsString, File)> {
        let random = RandomState::new();
        for n in 0..NAMES {
            let mut name = prefix.to_owned();
            name.push(format!("{:016x}", random.hash_one(n)));
            match self.create_new(&name) {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Whether [`Directory::create_random`] may have made this name with `prefix`.
pub(crate) fn is_random(name: &OsStr, prefix: &OsStr) -> bool {
    let (name, prefix) = (name.as_encoded_bytes(), prefix.as_encoded_bytes());
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    name.strip_prefix(prefix)
        .is_some_and(|digits| digits.len() == 16 && digits.iter().all(hex))
}

fn absolute(path: &Path) -> Result<PathBuf, PlaceError> {
    std::path::absolute(path).map_err(|source| PlaceError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
