//! Writes the stack, all or nothing: new files are complete beside the old ones before the first is
//! replaced, and if a later step fails, replaced files are restored, at once or, after a crash, by
//! the next run.
//!
//! | in the folder | content |
//! |---|---|
//! | `.selfheal-assets` | each generated file with its hash, to detect edits |
//! | `.selfheal-assets.new/` | complete files that are not yet in place |
//! | `.selfheal-assets.old/` | replaced files, and in `absent` the paths of new ones |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{AssetsError, EditedFile, Stack};

const LIST: &str = ".selfheal-assets";
const NEW: &str = ".selfheal-assets.new";
const OLD: &str = ".selfheal-assets.old";
/// The list, in the folder of old files, of paths that had no old file.
const ABSENT: &str = "absent";

/// The result of writing the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// New and replaced files.
    pub written: Vec<String>,
    /// Files that were already up to date.
    pub unchanged: Vec<String>,
    /// Files of an earlier run that are no longer generated. Edited ones are kept.
    pub removed: Vec<String>,
}

impl Stack {
    /// Writes all files below a folder, or none. Other files are left alone.
    ///
    /// # Errors
    /// A file was edited since it was generated, with the differences; or an I/O error. All files
    /// are then unchanged.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<Written, AssetsError> {
        self.write_with(folder.as_ref(), false)
    }

    /// Writes all files as [`write`](Self::write) does, including edited ones.
    ///
    /// # Errors
    /// An I/O error. All files are then unchanged.
    pub fn overwrite(&self, folder: impl AsRef<Path>) -> Result<Written, AssetsError> {
        self.write_with(folder.as_ref(), true)
    }

    fn write_with(&self, folder: &Path, force: bool) -> Result<Written, AssetsError> {
        undo(folder)?;
        let before = listed(folder)?;
        let (mut written, mut edited) = (Written::default(), Vec::new());
        for (path, text) in &self.files {
            let there = read(&folder.join(path))?;
            if there.as_deref() == Some(text.as_bytes()) {
                written.unchanged.push(path.clone());
                continue;
            }
            if let Some(there) = there
                && before.get(path) != Some(&hash(&there))
                && !force
            {
                edited.push(EditedFile {
                    path: path.clone(),
                    diff: difference(path, &there, text),
                });
            }
            written.written.push(path.clone());
        }
        if !edited.is_empty() {
            return Err(AssetsError::Edited(edited));
        }
        for (path, known) in &before {
            if !self.files.contains_key(path)
                && read(&folder.join(path))?.is_some_and(|there| hash(&there) == *known)
            {
                written.removed.push(path.clone());
            }
        }
        self.exchange(folder, &written)?;
        Ok(written)
    }

    fn exchange(&self, folder: &Path, written: &Written) -> Result<(), AssetsError> {
        let list = self.list();
        if written.written.is_empty()
            && written.removed.is_empty()
            && read(&folder.join(LIST))?.as_deref() == Some(list.as_bytes())
        {
            return Ok(());
        }
        let (new, old) = (folder.join(NEW), folder.join(OLD));
        remove(&new)?;
        let texts = written.written.iter().filter_map(|path| {
            let text = self.files.get(path)?;
            Some((&**path, &**text))
        });
        let texts: BTreeMap<&str, &str> = texts.chain([(LIST, &*list)]).collect();
        for (path, text) in &texts {
            let staged = new.join(path);
            create_parent(&staged)?;
            fs::write(&staged, text).map_err(at(&staged))?;
            if staged.extension().is_some_and(|kind| kind == "sh") {
                executable(&staged).map_err(at(&staged))?;
            }
        }
        // From here on, a failure must be undone.
        let mut absent = String::new();
        for path in texts.keys() {
            if !exists(&folder.join(path))? {
                let _ = writeln!(absent, "{path}");
            }
        }
        let unfinished = folder.join(format!("{NEW}/.old"));
        create(&unfinished)?;
        fs::write(unfinished.join(ABSENT), absent).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &old).map_err(at(&old))?;
        let moved = move_all(folder, &texts.into_keys().collect(), &written.removed);
        if let Err(error) = moved {
            undo(folder)?;
            return Err(error);
        }
        // This atomic step commits.
        fs::rename(&old, new.join(".done")).map_err(at(&old))?;
        remove(&new)
    }

    /// The files with their hashes, one per line.
    fn list(&self) -> String {
        self.files
            .iter()
            .fold(String::new(), |mut all, (path, text)| {
                let _ = writeln!(all, "{}  {path}", hash(text.as_bytes()));
                all
            })
    }
}

fn move_all(folder: &Path, new: &BTreeSet<&str>, removed: &[String]) -> Result<(), AssetsError> {
    let (from, to) = (folder.join(NEW), folder.join(OLD));
    for path in new
        .iter()
        .copied()
        .chain(removed.iter().map(String::as_str))
    {
        let there = folder.join(path);
        if exists(&there)? {
            let aside = to.join(path);
            create_parent(&aside)?;
            fs::rename(&there, &aside).map_err(at(&there))?;
        }
        if new.contains(path) {
            create_parent(&there)?;
            fs::rename(from.join(path), &there).map_err(at(&there))?;
        }
    }
    Ok(())
}

/// Reverts an unfinished replacement.
fn undo(folder: &Path) -> Result<(), AssetsError> {
    let old = folder.join(OLD);
    if !exists(&old)? {
        return remove(&folder.join(NEW));
    }
    let absent = fs::read_to_string(old.join(ABSENT)).map_err(at(&old))?;
    for path in absent.lines() {
        let there = folder.join(path);
        if exists(&there)? {
            fs::remove_file(&there).map_err(at(&there))?;
        }
    }
    put_back(&old, &old, folder)?;
    remove(&old)?;
    remove(&folder.join(NEW))
}

fn put_back(old: &Path, at_now: &Path, folder: &Path) -> Result<(), AssetsError> {
    for entry in fs::read_dir(at_now).map_err(at(at_now))? {
        let path = entry.map_err(at(at_now))?.path();
        let Ok(relative) = path.strip_prefix(old) else {
            continue;
        };
        if path.is_dir() {
            put_back(old, &path, folder)?;
        } else if relative != Path::new(ABSENT) {
            let home = folder.join(relative);
            fs::rename(&path, &home).map_err(at(&home))?;
        }
    }
    Ok(())
}

/// The files of the last run, with their hashes.
fn listed(folder: &Path) -> Result<BTreeMap<String, String>, AssetsError> {
    let list = read(&folder.join(LIST))?.unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let lines = list.lines().filter_map(|line| {
        let (hash, path) = line.split_once("  ")?;
        // An edited list must not lead out of the folder.
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        inside.then(|| (path.to_owned(), hash.to_owned()))
    });
    Ok(lines.collect())
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn difference(path: &str, there: &[u8], text: &str) -> String {
    let there = String::from_utf8_lossy(there);
    let diff = similar::TextDiff::from_lines(&*there, text);
    let (ours, theirs) = (
        format!("{path} (as it is)"),
        format!("{path} (as generated)"),
    );
    diff.unified_diff().header(&ours, &theirs).to_string()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, AssetsError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn exists(path: &Path) -> Result<bool, AssetsError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

fn create(folder: &Path) -> Result<(), AssetsError> {
    fs::create_dir_all(folder).map_err(at(folder))
}

fn create_parent(path: &Path) -> Result<(), AssetsError> {
    path.parent().map_or(Ok(()), create)
}

fn remove(folder: &Path) -> Result<(), AssetsError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> AssetsError {
    let path: PathBuf = path.to_owned();
    move |source| AssetsError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> io::Result<()> {
    Ok(())
}
