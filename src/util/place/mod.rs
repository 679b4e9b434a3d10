//! Directories that are held open, and files in them that are opened once.
//!
//! Where another user may write, a path means something else each time it is used: a name becomes
//! a link between two system calls, and a directory is swapped for another. So a path is followed
//! once, step by step, to a directory that is held by its descriptor; everything after that is
//! about names in that directory:
//! - A link on the way is followed only if it belongs to this user or to root, and so does the
//!   folder that holds it, in which no one else may write (or, with the sticky bit, replace it).
//! - Files are opened without following a link and without blocking, a FIFO included, and only
//!   regular files are read. What is new is created exclusively, with mode 0600.
//! - As root, a place in which another user may write is refused with the reason, unless
//!   [`Sharing::ALLOWED`]: whatever root puts there may be replaced or made a link by that user.
//! - A user who is named as [trusted](Sharing::trusted) counts as this one on the way.
//!
//! "No one else may write" is read off the owner and the mode, so an access list counts by its
//! mask. A folder on a mount that is read-only here counts as one in which no one may write:
//! Kubernetes mounts ConfigMaps so, with mode 0777. For an unprivileged process its own primary
//! group is not someone else.
//!
//! Systems other than Unix have none of these rules; there a place is a path.

#![allow(
    dead_code,
    reason = "what is not used yet is used by the file guard and the journal"
)]

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

/// How many links a path may have; Linux allows as many.
const LINKS: usize = 40;

/// How many names with random parts are tried before giving up.
const NAMES: usize = 16;

/// What was asked for by name of places that others have a hand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// Whether root works in a directory in which another user may write.
    pub(crate) allowed: bool,
    /// Who is trusted with the way like this user and root: with its links, and with the folders
    /// that are theirs.
    pub(crate) trusted: Option<u32>,
}

impl Sharing {
    /// Nothing.
    pub(crate) const REFUSED: Self = Self {
        allowed: false,
        trusted: None,
    };
    /// To work where others may write.
    pub(crate) const ALLOWED: Self = Self {
        allowed: true,
        trusted: None,
    };
}

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error(
        "{}: it {why}, and whoever may write there can replace what this process, which runs as root, \
         reads and writes; let root alone write there, run as another user, or allow a shared \
         directory",
        Printable(.folder.display())
    )]
    Shared { folder: PathBuf, why: String },
    #[error(
        "{}: this link is not followed, for {why}; let it and its folder belong to root or to \
         the user of this process",
        Printable(.link.display())
    )]
    Link { link: PathBuf, why: String },
    #[error("{}: there are more than {LINKS} links on the way", Printable(.path.display()))]
    TooManyLinks { path: PathBuf },
    #[error("{}: {source}", Printable(.path.display()))]
    Io { path: PathBuf, source: io::Error },
}

impl PlaceError {
    /// Whether a step of the path does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Where a path leads: a directory that is held, and a name in it that was no link.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(crate) name: OsString,
    /// Whether the last step of the path was a link.
    pub(crate) linked: bool,
}

impl Place {
    /// Follows `path`, taken from where the process is now if it is relative, to the directory of
    /// its file, which need not exist. `steps` has the names then on which the way depends: those
    /// of the links that were followed, and at last that of the file; after an error, the one
    /// that was met last. Each is a path without links in the folders that hold it.
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

    /// The path without links, as it was when it was followed.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Opens the file for reading.
    pub(crate) fn open(&self) -> io::Result<Opened> {
        self.directory.open(&self.name)
    }
}

/// A regular file that is open, and what it was then.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) facts: Facts,
}

impl Opened {
    /// Refuses what is no regular file.
    fn of(file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let facts = Facts::of(&meta);
        Ok(Self { file, facts })
    }

    /// What is in the file, if that is no more than `most` bytes.
    pub(crate) fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that is too large from one that just fits,
        // whatever its metadata says.
        (&self.file)
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::other(format!("it is larger than {most} bytes")));
        }
        Ok(bytes)
    }
}

/// What a file is beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) owner: Owner,
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    /// How many names it has.
    pub(crate) links: u64,
    /// The same for the same file alone, as long as it exists; zero where the system has none.
    pub(crate) id: (u64, u64),
}

/// To whom a file belongs, and what they and others may do with it: the nine bits of the mode,
/// never one that lends its owner's rights to those who run it.
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
    /// Creates a file whose name is `prefix` and sixteen digits that cannot be foreseen.
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

/// Whether a name is one that [`Directory::create_random`] makes of `prefix`.
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
