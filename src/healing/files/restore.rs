//! Puts the last known good content back, atomically, and keeps the bad content aside.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::content::Content;

/// How many bad versions are kept beside the file; the oldest goes first.
const KEPT: usize = 3;

/// Why the file was left as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum RestoreError {
    /// Between the look that found it bad and the restore the file was changed.
    #[error("the file changed since it was found bad; it is looked at again")]
    Changed,
    /// The path is a symbolic link: whoever made it manages the content.
    #[error("the file is a symbolic link; restore it where the link leads to")]
    Link,
    /// The operating system refused.
    #[error("{what}: {source}; check permissions and free space of the directory")]
    Io {
        what: &'static str,
        source: io::Error,
    },
}

fn io(what: &'static str) -> impl FnOnce(io::Error) -> RestoreError {
    move |source| RestoreError::Io { what, source }
}

/// Replaces the file at `path` by `good`. `bad` is the hash of what was found there, `None`
/// where the file was missing; anything else that is there now stays.
///
/// The new content is written beside the file, synced, and renamed over it, so a reader sees
/// the old or the new content and never a part. What is left to chance is an edit in the
/// moment between the last look and the rename, for which file systems offer no lock that an
/// editor would respect; the bad content that is kept aside would then be that edit.
pub(super) fn restore(
    path: &Path,
    good: &Content,
    bad: Option<blake3::Hash>,
    max_bytes: u64,
) -> Result<Option<PathBuf>, RestoreError> {
    let directory = directory_of(path);
    let there = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => return Err(RestoreError::Link),
        Ok(meta) => Some(meta),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io("cannot look at the file")(error)),
    };
    let next = written(directory, good, there.as_ref().map(Metadata::permissions))?;
    let now = match (&there, bad) {
        (Some(_), _) => hash(path, max_bytes).map_err(io("cannot read the file again"))?,
        (None, _) => None,
    };
    if now != bad {
        return Err(RestoreError::Changed);
    }
    let aside = match bad {
        Some(hash) => Some(keep(path, hash).map_err(io("cannot keep the bad content aside"))?),
        None => None,
    };
    put(next, path, directory)?;
    Ok(aside)
}

/// Replaces the file at `path`, or makes it, whatever is there.
pub(super) fn replace(path: &Path, content: &Content) -> Result<(), RestoreError> {
    let directory = directory_of(path);
    put(written(directory, content, None)?, path, directory)
}

/// The directory that a file is in.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The content in a file of its own beside its place, safe on disk.
fn written(
    directory: &Path,
    content: &Content,
    permissions: Option<Permissions>,
) -> Result<NamedTempFile, RestoreError> {
    let mut next = tempfile::Builder::new()
        .prefix(".selfheal-")
        .tempfile_in(directory)
        .map_err(io("cannot write beside the file"))?;
    next.write_all(&content.bytes)
        .map_err(io("cannot write beside the file"))?;
    if let Some(permissions) = permissions {
        // What the owner allowed outlives the restore.
        next.as_file()
            .set_permissions(permissions)
            .map_err(io("cannot set the permissions"))?;
    }
    next.as_file()
        .sync_all()
        .map_err(io("cannot sync the new content"))?;
    Ok(next)
}

fn put(next: NamedTempFile, path: &Path, directory: &Path) -> Result<(), RestoreError> {
    next.persist(path)
        .map_err(|error| io("cannot replace the file")(error.error))?;
    sync_directory(directory).map_err(io("cannot sync the directory"))
}

fn hash(path: &Path, max_bytes: u64) -> io::Result<Option<blake3::Hash>> {
    use std::io::Read;
    let mut hasher = blake3::Hasher::new();
    match File::open(path) {
        Ok(file) => {
            io::copy(&mut file.take(max_bytes), &mut hasher)?;
            Ok(Some(hasher.finalize()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies the bad content to `NAME.corrupt-HASH` and removes all but the newest few of these.
fn keep(path: &Path, hash: blake3::Hash) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let aside = path.with_file_name(format!("{name}.corrupt-{}", &hash.to_hex()[..12]));
    fs::copy(path, &aside)?;
    let prefix = format!("{name}.corrupt-");
    let mut kept: Vec<_> = fs::read_dir(directory_of(&aside))?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .filter(|entry| Some(&*entry.file_name()) != aside.file_name())
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    kept.sort();
    let surplus = (kept.len() + 1).saturating_sub(KEPT);
    for (_, old) in kept.into_iter().take(surplus) {
        fs::remove_file(old)?;
    }
    Ok(aside)
}

/// The rename itself is durable once the directory is; only Unix can open one.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 1 << 20;

    fn good() -> Content {
        Content::new(b"good".to_vec())
    }

    #[test]
    fn replaces_bad_content_and_keeps_it_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        fs::write(&path, b"bad").unwrap();
        let aside = restore(&path, &good(), Some(blake3::hash(b"bad")), MAX)
            .unwrap()
            .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"good");
        assert_eq!(fs::read(aside).unwrap(), b"bad");
    }

    #[test]
    fn brings_a_missing_file_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        assert!(restore(&path, &good(), None, MAX).unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), b"good");
    }

    #[test]
    fn never_undoes_an_edit_made_after_the_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        fs::write(&path, b"edited").unwrap();
        for seen in [Some(blake3::hash(b"bad")), None] {
            let error = restore(&path, &good(), seen, MAX).unwrap_err();
            assert!(matches!(error, RestoreError::Changed));
        }
        assert_eq!(fs::read(&path).unwrap(), b"edited");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[test]
    fn keeps_a_bounded_number_of_bad_versions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        for n in 0..10_u8 {
            fs::write(&path, [n]).unwrap();
            restore(&path, &good(), Some(blake3::hash(&[n])), MAX).unwrap();
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1 + KEPT);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_links_are_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"bad").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        restore(&path, &good(), Some(blake3::hash(b"bad")), MAX).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );

        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let error = restore(&link, &good(), Some(good().hash), MAX).unwrap_err();
        assert!(matches!(error, RestoreError::Link));
    }
}
