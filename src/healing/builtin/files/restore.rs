//! Restores the last good content, atomically if possible, and keeps the bad content aside.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;

use super::content::{Content, Mark};
use super::{aside, mounts};
use crate::util::Printable;
use crate::util::place::{Opened, Owner, Place};

/// Why the file was left as is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum RestoreError {
    /// The file was changed between the reading that found it bad and the restore.
    #[error("the file changed since it was found bad; it is checked again")]
    Changed,
    /// The path is a symbolic link: its creator manages the content.
    #[error("the file is a symbolic link; restore it where the link leads to")]
    Link,
    /// The path to it cannot be resolved.
    #[error(transparent)]
    Place(#[from] crate::util::place::PlaceError),
    /// The file is a mount point, so it cannot be replaced, and writing to it fails too.
    #[error(
        "{} is a mount point, of {mount}, and cannot be replaced; writing to it fails, too: \
         {source}; mount its directory instead, or mount it writable",
        Printable(.path.display())
    )]
    Mount {
        path: PathBuf,
        mount: String,
        source: io::Error,
    },
    /// The operating system returned an error.
    #[error("{what}: {source}; check permissions and free space of the directory")]
    Io {
        what: &'static str,
        source: io::Error,
    },
}

fn io(what: &'static str) -> impl FnOnce(io::Error) -> RestoreError {
    move |source| RestoreError::Io { what, source }
}

/// Replaces the file by `good`, with the owner, the group and the mode that it had when good. A
/// file in any other state than that of the `fault` is left alone; without one, because a person
/// requested the restore, any state is replaced.
///
/// The new content is written beside the file, synced, and renamed over it, so a reader sees the
/// old or the new content and never a part. A file that cannot be renamed over (a mount point, a
/// read-only directory, a full disk) is written in place. An edit between the last reading and the
/// rename can be lost: file systems offer no lock for it that editors respect.
///
/// The old content is kept aside afterwards, from the descriptor that was checked; a full disk
/// fails only that, not the restore.
pub(super) fn restore(
    place: &Place,
    good: &Content,
    fault: Option<Mark>,
    max_bytes: u64,
) -> Result<(), RestoreError> {
    if place.linked {
        return Err(RestoreError::Link);
    }
    let beside = match Next::write(place, good, good.facts.owner) {
        Ok(next) => next.replace(open(place)?.as_ref(), fault, max_bytes),
        Err(error) => Err(error),
    };
    let bad = match beside {
        Ok(bad) => bad,
        Err(error) if wants_place(&error) => in_place(place, good, fault, max_bytes, error)?,
        Err(error) => return Err(error),
    };
    // The content is in place; if a power failure undoes the rename, the next check finds it.
    let _ = place.directory.sync();
    if let Some(bad) = bad {
        let _ = aside::keep(&place.directory, &place.name, &bad.bytes);
    }
    Ok(())
}

/// Replaces or creates the file, whatever is there.
pub(super) fn replace(place: &Place, content: &Content, owner: Owner) -> Result<(), RestoreError> {
    Next::write(place, content, owner)?.put()?;
    let synced = place.directory.sync();
    synced.map_err(io("cannot sync the directory"))
}

/// Opens the existing file.
fn open(place: &Place) -> Result<Option<Opened>, RestoreError> {
    match place.open() {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("cannot read the file again")(error)),
    }
}

/// The content of an open file, if it is still as its fault was reported.
fn checked(
    opened: Option<&Opened>,
    fault: Option<Mark>,
    max_bytes: u64,
) -> Result<Option<Content>, RestoreError> {
    let there = opened.map(|opened| Content::of(opened, max_bytes));
    let there = match (there, fault) {
        (Some(Err(_)), None) | (None, _) => None,
        (Some(there), _) => Some(there.map_err(io("cannot read the file again"))?),
    };
    let hash = there.as_ref().map(|there| there.hash);
    let is_as_reported = match fault {
        Some(Mark::Corrupt(bad)) => hash == Some(bad),
        Some(Mark::Missing) => opened.is_none(),
        Some(Mark::Unreadable) => false,
        None => true,
    };
    if is_as_reported {
        Ok(there)
    } else {
        Err(RestoreError::Changed)
    }
}

/// Whether to write in place if no new file can be created beside it: this reuses the space of the
/// old content.
fn wants_place(error: &RestoreError) -> bool {
    use io::ErrorKind as Kind;
    let RestoreError::Io { source, .. } = error else {
        return false;
    };
    matches!(
        source.kind(),
        Kind::ResourceBusy
            | Kind::CrossesDevices
            | Kind::ReadOnlyFilesystem
            | Kind::PermissionDenied
            | Kind::StorageFull
            | Kind::QuotaExceeded
    )
}

/// Writes to the file in place; `failed` is why it could not be replaced.
fn in_place(
    place: &Place,
    good: &Content,
    fault: Option<Mark>,
    max_bytes: u64,
    failed: RestoreError,
) -> Result<Option<Content>, RestoreError> {
    let opened = match place.directory.open_to_write(&place.name) {
        Ok(opened) => opened,
        // Creating a file needs write access to the directory, which failed already.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(failed),
        Err(error) => return Err(refused(place, failed, error)),
    };
    let shared = || place.directory.shared().map_or(true, |why| why.is_some());
    if opened.facts.links > 1 && shared() {
        // Another user may have linked another file here, which must not be overwritten.
        return Err(failed);
    }
    let bad = checked(Some(&opened), fault, max_bytes)?;
    match overwrite(&opened.file, good) {
        Ok(()) => Ok(bad),
        Err(error) => Err(refused(place, failed, error)),
    }
}

fn refused(place: &Place, failed: RestoreError, source: io::Error) -> RestoreError {
    let path = place.path();
    match mounts::at(&path) {
        Some(mount) => RestoreError::Mount {
            path,
            mount,
            source,
        },
        None => failed,
    }
}

fn overwrite(mut file: &File, good: &Content) -> io::Result<()> {
    file.rewind()?;
    file.write_all(&good.bytes)?;
    file.set_len(good.bytes.len() as u64)?;
    // The owner is unchanged, and a mount may refuse to change the mode.
    let _ = good.facts.owner.give(file);
    file.sync_all()
}

/// A new file beside the guarded one, removed unless it is renamed into place.
struct Next<'p> {
    place: &'p Place,
    name: Option<std::ffi::OsString>,
}

impl<'p> Next<'p> {
    fn write(place: &'p Place, content: &Content, owner: Owner) -> Result<Self, RestoreError> {
        let made = place.directory.create_random(&aside::next(&place.name));
        let (name, mut file) = made.map_err(io("cannot write beside the file"))?;
        let next = Self {
            place,
            name: Some(name),
        };
        // Written before it gets its owner and mode: until then only this user can read it.
        file.write_all(&content.bytes)
            .map_err(io("cannot write beside the file"))?;
        owner
            .give(&file)
            .map_err(io("cannot set the permissions"))?;
        file.sync_all().map_err(io("cannot sync the new content"))?;
        Ok(next)
    }

    /// Replaces the open file, if it is as its fault was reported. Returns its content.
    fn replace(
        self,
        opened: Option<&Opened>,
        fault: Option<Mark>,
        max_bytes: u64,
    ) -> Result<Option<Content>, RestoreError> {
        let bad = checked(opened, fault, max_bytes)?;
        self.put().map(|()| bad)
    }

    fn put(mut self) -> Result<(), RestoreError> {
        if let Some(name) = &self.name {
            let renamed = self.place.directory.rename(name, &self.place.name);
            renamed.map_err(io("cannot replace the file"))?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Next<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = self.place.directory.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::util::place::Sharing;

    const MAX: u64 = 1 << 20;

    fn place(path: &Path) -> Place {
        Place::find(path, Sharing::REFUSED, &mut Vec::new()).unwrap()
    }

    /// Good content as read from a file of mode 0644.
    fn good(dir: &Path) -> Content {
        let path = dir.join("was-good");
        fs::write(&path, b"good").unwrap();
        let content = Content::of(&place(&path).open().unwrap(), MAX).unwrap();
        fs::remove_file(path).unwrap();
        content
    }

    fn bad(bytes: &[u8]) -> Mark {
        Mark::Corrupt(blake3::hash(bytes))
    }

    fn aside_of(path: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(path.parent().unwrap()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|other| other != path).collect()
    }

    #[test]
    fn replaces_bad_content_and_keeps_it_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        let good = good(dir.path());
        fs::write(&path, b"bad").unwrap();
        restore(&place(&path), &good, Some(bad(b"bad")), MAX).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"good");
        let aside = aside_of(&path);
        assert_eq!(aside.len(), 1, "{aside:?}");
        assert_eq!(fs::read(&aside[0]).unwrap(), b"bad");
    }

    /// Opens the path once, as a rename may come between two openings.
    #[test]
    #[cfg(unix)]
    fn what_is_checked_and_kept_is_what_was_opened_whatever_has_the_name_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        let secret = dir.path().join("secret");
        fs::write(&secret, b"4711").unwrap();
        for (there, expected) in [("bad", Some(bad(b"bad"))), ("anything", None)] {
            fs::write(&path, there).unwrap();
            let (place, good) = (place(&path), good(dir.path()));
            let next = Next::write(&place, &good, good.facts.owner).unwrap();
            let opened = open(&place).unwrap();
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&secret, &path).unwrap();
            let kept = next.replace(opened.as_ref(), expected, MAX).unwrap();
            assert_eq!(&*kept.unwrap().bytes, there.as_bytes());
            assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
            assert_eq!(fs::read(&path).unwrap(), b"good");
            assert_eq!(fs::read(&secret).unwrap(), b"4711");
        }
    }

    #[test]
    fn brings_a_missing_file_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        let good = good(dir.path());
        restore(&place(&path), &good, Some(Mark::Missing), MAX).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"good");
        assert_eq!(aside_of(&path), [] as [PathBuf; 0]);
    }

    #[test]
    fn never_undoes_an_edit_made_after_it_was_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        let good = good(dir.path());
        fs::write(&path, b"edited").unwrap();
        for seen in [Some(bad(b"bad")), Some(Mark::Missing)] {
            let error = restore(&place(&path), &good, seen, MAX).unwrap_err();
            assert!(matches!(error, RestoreError::Changed));
        }
        assert_eq!(fs::read(&path).unwrap(), b"edited");
        assert_eq!(aside_of(&path), [] as [PathBuf; 0], "nothing is left");
    }

    #[test]
    fn keeps_a_bounded_number_of_bad_versions_and_what_others_named_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let good = good(dir.path());
        let others = ["a.corrupt-x", "a.corrupt-0123456789abcdef"];
        for other in others {
            fs::create_dir(dir.path().join(other)).unwrap();
        }
        fs::write(dir.path().join("a.corrupt-notes"), "mine").unwrap();
        for n in 0..10_u8 {
            fs::write(&path, [n]).unwrap();
            restore(&place(&path), &good, Some(bad(&[n])), MAX).unwrap();
        }
        assert_eq!(aside_of(&path).len(), others.len() + 1 + aside::KEPT);
        assert!(dir.path().join("a.corrupt-notes").exists());
    }

    #[cfg(unix)]
    #[test]
    fn rights_are_those_of_when_it_was_good_and_links_are_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"good").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        set(0o640);
        let good = Content::of(&place(&path).open().unwrap(), MAX).unwrap();
        fs::write(&path, b"bad").unwrap();
        set(0o6755);
        restore(&place(&path), &good, Some(bad(b"bad")), MAX).unwrap();
        assert_eq!(mode(&path), 0o640);
        assert_eq!(mode(&aside_of(&path)[0]), 0o600);
        fs::remove_file(&path).unwrap();
        restore(&place(&path), &good, Some(Mark::Missing), MAX).unwrap();
        assert_eq!(mode(&path), 0o640);

        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let error = restore(&place(&link), &good, Some(bad(b"good")), MAX).unwrap_err();
        assert!(matches!(error, RestoreError::Link));
    }
}
