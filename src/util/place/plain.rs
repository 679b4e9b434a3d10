//! Directories by path, for systems without directory descriptors.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Facts, Opened, Owner, Place, PlaceError, Sharing, absolute};

/// A directory that is identified by its path.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Opens the directory at `path`.
    pub(crate) fn open_at(path: &Path, _: Sharing) -> Result<Self, PlaceError> {
        let path = absolute(path)?;
        match fs::read_dir(&path) {
            Ok(_) => Ok(Self { path }),
            Err(source) => Err(PlaceError::Io { path, source }),
        }
    }

    /// The same, and creates missing directories.
    pub(crate) fn make(path: &Path, sharing: Sharing) -> Result<Self, PlaceError> {
        let path = absolute(path)?;
        if let Err(source) = fs::create_dir_all(&path) {
            return Err(PlaceError::Io { path, source });
        }
        Self::open_at(&path, sharing)
    }

    /// The same: other users are not checked.
    pub(crate) fn make_private(
        path: &Path,
        sharing: Sharing,
        _: impl Fn(&OsStr) -> bool,
    ) -> Result<Self, PlaceError> {
        Self::make(path, sharing)
    }

    /// Owners are not checked.
    pub(crate) fn owns(&self, _: &Facts) -> io::Result<bool> {
        Ok(true)
    }

    /// Whether this is the name of a regular file; links are not.
    pub(crate) fn has_own(&self, name: &OsStr) -> io::Result<bool> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(meta) => Ok(meta.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn find(
        path: &Path,
        sharing: Sharing,
        _: &mut Vec<PathBuf>,
    ) -> Result<Place, PlaceError> {
        let linked = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            let path = path.to_owned();
            let source = io::Error::other("it is a directory");
            return Err(PlaceError::Io { path, source });
        };
        Ok(Place {
            directory: Self::open_at(parent, sharing)?,
            name: name.to_owned(),
            linked,
        })
    }

    /// Returns the path of the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Other users are not checked.
    pub(crate) fn shared(&self) -> io::Result<Option<String>> {
        Ok(None)
    }

    /// Opens a regular file for reading.
    pub(crate) fn open(&self, name: &OsStr) -> io::Result<Opened> {
        self.opened(name, OpenOptions::new().read(true))
    }

    /// Opens a regular file for reading and writing, without truncation.
    pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<Opened> {
        self.opened(name, OpenOptions::new().read(true).write(true))
    }

    /// Opens a regular file for reading and writing, or creates it.
    pub(crate) fn open_or_create(&self, name: &OsStr) -> io::Result<Opened> {
        let mut options = OpenOptions::new();
        self.opened(name, options.read(true).write(true).create(true))
    }

    fn opened(&self, name: &OsStr, options: &OpenOptions) -> io::Result<Opened> {
        Opened::of(options.open(self.path.join(name))?)
    }

    /// Creates a file; fails if the name exists.
    pub(crate) fn create_new(&self, name: &OsStr) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.open(self.path.join(name))
    }

    /// Renames a file and replaces an existing one.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Whether the name exists.
    pub(crate) fn has(&self, name: &OsStr) -> io::Result<bool> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Directories cannot be synced here.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Returns the names for which `wanted` is true, at most `most` of them.
    pub(crate) fn names(
        &self,
        most: usize,
        wanted: impl Fn(&OsStr) -> bool,
    ) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if wanted(&name) {
                if names.len() == most {
                    break;
                }
                names.push(name);
            }
        }
        Ok(names)
    }
}

impl Facts {
    /// Ownership is unknown.
    pub(crate) fn is_ours(&self) -> bool {
        true
    }
}

impl Opened {
    /// Permissions are left unchanged.
    pub(crate) fn narrow(&self) {}
}

impl Owner {
    /// Ownership is left unchanged.
    pub(crate) fn give(self, _: &File) -> io::Result<()> {
        Ok(())
    }
}
