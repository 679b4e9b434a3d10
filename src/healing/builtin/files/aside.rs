//! The files that the guard makes beside a file: new content on its way, and bad content that was
//! kept. Each has a name of its kind with sixteen digits at its end; only such names are ever
//! removed, and only of regular files of this user that have no other name.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::time::SystemTime;

use crate::util::place::{Directory, is_random};

/// How many bad versions are kept beside the file; the oldest goes first.
pub(super) const KEPT: usize = 3;

/// How many files of a kind are considered: with those of a stranger there may be any number.
const MOST: usize = 1_000;

/// How the names of new content begin: the same for the same file.
pub(super) fn next(name: &OsStr) -> OsString {
    let hash = blake3::hash(name.as_encoded_bytes()).to_hex();
    format!(".selfheal-{}-", &hash[..8]).into()
}

/// How the names of bad content begin.
pub(super) fn corrupt(name: &OsStr) -> OsString {
    let mut prefix = name.to_owned();
    prefix.push(".corrupt-");
    prefix
}

/// Removes new content that was on its way when a process was killed.
pub(super) fn clean(directory: &Directory, name: &OsStr) {
    for (_, left) in own(directory, &next(name)) {
        // What cannot be removed now is tried again at the next start.
        let _ = directory.remove(&left);
    }
}

/// Keeps bad content in a file of its own, of mode 0600, and removes the oldest others first.
/// What cannot be written whole is not left there.
pub(super) fn keep(directory: &Directory, name: &OsStr, bad: &[u8]) -> io::Result<OsString> {
    let prefix = corrupt(name);
    let mut kept = own(directory, &prefix);
    kept.sort();
    let surplus = (kept.len() + 1).saturating_sub(KEPT);
    for (_, old) in kept.into_iter().take(surplus) {
        let _ = directory.remove(&old);
    }
    let (aside, mut file) = directory.create_random(&prefix)?;
    let written = file.write_all(bad).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(aside),
        Err(error) => {
            let _ = directory.remove(&aside);
            Err(error)
        }
    }
}

/// The files of a kind that this process or an earlier one has made, with their age.
fn own(directory: &Directory, prefix: &OsStr) -> Vec<(Option<SystemTime>, OsString)> {
    let names = directory.names(MOST, |name| is_random(name, prefix));
    let mut found = Vec::new();
    for name in names.unwrap_or_default() {
        match directory.open(&name) {
            Ok(opened) if opened.facts.is_ours() => found.push((opened.facts.modified, name)),
            _ => {}
        }
    }
    found
}
