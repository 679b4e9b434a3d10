//! Resolves a path step by step.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::trust::{Folder, Me, is_read_only};
use super::{LINKS, PlaceError, Sharing};

/// Flags for opening an intermediate directory, which need not be readable.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// The options of a resolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) sharing: Sharing,
    /// Whether the path names a file; the last step is then taken only if it is a link.
    pub(super) file: bool,
    /// Whether missing directories are created, with mode 0700.
    pub(super) make: bool,
    /// Whether the caller checks the last directory itself.
    pub(super) private: bool,
}

/// The result of a resolution.
pub(super) struct Walked {
    pub(super) directory: File,
    pub(super) path: PathBuf,
    /// The name of the file, and whether the path reached it through a link.
    pub(super) name: Option<(OsString, bool)>,
}

/// Resolves an absolute path; see [`Place::find`](super::Place::find).
pub(super) fn walk(
    path: &Path,
    asked: Asked,
    steps: &mut Vec<PathBuf>,
) -> Result<Walked, PlaceError> {
    let mut walk = Walk::begin(path, asked)?;
    let mut links = 0;
    while let Some(step) = walk.ahead.pop() {
        let last = asked.file && walk.ahead.is_empty();
        let name = match step {
            Step::Name(name) => name,
            Step::Root => {
                walk.go(OsStr::new("/"))?;
                continue;
            }
            Step::Up => {
                walk.go(OsStr::new(".."))?;
                continue;
            }
        };
        let link = if last {
            walk.link(&name)?
        } else {
            walk.enter(&name)?
        };
        match link {
            Some(target) => {
                links += 1;
                if links > LINKS {
                    let path = path.to_owned();
                    return Err(PlaceError::TooManyLinks { path });
                }
                steps.push(walk.path.join(&name));
                walk.linked |= last;
                walk.push(&target);
            }
            None if last => return Ok(walk.end(Some(name))),
            None => {}
        }
    }
    if asked.file {
        let source = io::Error::other("it is a directory");
        return Err(walk.fault(OsStr::new(""), source));
    }
    Ok(walk.end(None))
}

enum Step {
    Root,
    Up,
    Name(OsString),
}

struct Walk {
    me: Me,
    asked: Asked,
    here: File,
    path: PathBuf,
    /// The remaining steps, the next one last.
    ahead: Vec<Step>,
    /// Whether the last step of the path was a link.
    linked: bool,
}

impl Walk {
    fn begin(path: &Path, asked: Asked) -> Result<Self, PlaceError> {
        let root = PathBuf::from("/");
        let opened = open(rustix::fs::CWD, root.as_os_str())
            .and_then(|here| here.metadata().map(|meta| (here, meta)));
        let (here, meta) = opened.map_err(|source| {
            let path = root.clone();
            PlaceError::Io { path, source }
        })?;
        let mut walk = Self {
            me: Me {
                besides: asked.sharing.trusted,
                ..Me::now(&meta)
            },
            asked,
            here,
            path: root,
            ahead: Vec::new(),
            linked: false,
        };
        walk.push(path);
        walk.admit()?;
        Ok(walk)
    }

    fn push(&mut self, path: &Path) {
        let steps = path.components().rev().filter_map(|step| match step {
            Component::Prefix(_) | Component::CurDir => None,
            Component::RootDir => Some(Step::Root),
            Component::ParentDir => Some(Step::Up),
            Component::Normal(name) => Some(Step::Name(name.to_owned())),
        });
        self.ahead.extend(steps);
    }

    /// Enters a directory; if it is a link, returns its target instead.
    fn enter(&mut self, name: &OsStr) -> Result<Option<PathBuf>, PlaceError> {
        let source = match open(&self.here, name) {
            Ok(next) => return self.arrive(next, name).map(|()| None),
            Err(source) => source,
        };
        if self.asked.make && source.kind() == io::ErrorKind::NotFound {
            self.make(name)?;
            return self.go(name).map(|()| None);
        }
        match self.link(name)? {
            Some(target) => Ok(Some(target)),
            None => Err(self.fault(name, source)),
        }
    }

    fn go(&mut self, name: &OsStr) -> Result<(), PlaceError> {
        let next = open(&self.here, name).map_err(|source| self.fault(name, source))?;
        self.arrive(next, name)
    }

    fn arrive(&mut self, next: File, name: &OsStr) -> Result<(), PlaceError> {
        self.here = next;
        match name.as_encoded_bytes() {
            b"/" => self.path = PathBuf::from("/"),
            b".." => {
                self.path.pop();
            }
            _ => self.path.push(name),
        }
        self.admit()
    }

    fn make(&self, name: &OsStr) -> Result<(), PlaceError> {
        match rustix::fs::mkdirat(&self.here, name, Mode::RWXU) {
            // Another process may have created it first.
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(self.fault(name, error.into())),
        }
    }

    /// Returns the target of the link of this name, if it is one. A link in a folder where others
    /// can write is refused, since it may change between check and read.
    fn link(&self, name: &OsStr) -> Result<Option<PathBuf>, PlaceError> {
        let stat = match rustix::fs::statat(&self.here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.fault(name, error.into())),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Ok(None);
        }
        let refused = |why| {
            let link = self.path.join(name);
            Err(PlaceError::Link { link, why })
        };
        if !self.me.trusts(stat.st_uid) {
            return refused(format!("it belongs to user {}", stat.st_uid));
        }
        if let Some(why) = self.shared(true).map_err(|error| self.fault(name, error))? {
            return refused(format!("its folder {why}"));
        }
        let target = rustix::fs::readlinkat(&self.here, name, Vec::new())
            .map_err(|error| self.fault(name, error.into()))?;
        let target = OsString::from_vec(target.into_bytes());
        Ok(Some(target.into()))
    }

    /// Checks whether this directory may be passed through.
    fn admit(&self) -> Result<(), PlaceError> {
        if !self.me.privileged || self.asked.sharing.allowed {
            return Ok(());
        }
        let last = match self.ahead.as_slice() {
            [] if self.asked.private => return Ok(()),
            [] => true,
            [_] => self.asked.file,
            _ => false,
        };
        match self.shared(!last) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => {
                let folder = self.path.clone();
                Err(PlaceError::Shared { folder, why })
            }
            Err(error) => Err(self.fault(OsStr::new(""), error)),
        }
    }

    /// Returns why another user can write here, or with `replace` only replace what exists.
    fn shared(&self, replace: bool) -> io::Result<Option<String>> {
        let folder = Folder::of(&self.here.metadata()?);
        let why = if replace {
            folder.others_replace(self.me)
        } else {
            folder.others_write(self.me)
        };
        Ok(match why {
            Some(why) if !is_read_only(&self.here)? => Some(why),
            _ => None,
        })
    }

    fn fault(&self, name: &OsStr, source: io::Error) -> PlaceError {
        let path = self.path.join(name);
        PlaceError::Io { path, source }
    }

    fn end(self, name: Option<OsString>) -> Walked {
        let linked = self.linked;
        Walked {
            directory: self.here,
            path: self.path,
            name: name.map(|name| (name, linked)),
        }
    }
}

fn open(at: impl std::os::fd::AsFd, name: &OsStr) -> io::Result<File> {
    let flags = PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at, name, flags, Mode::empty())?.into())
}
