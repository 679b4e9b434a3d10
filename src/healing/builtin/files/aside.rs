//! Files that the guard creates beside the guarded one: new content being written, and kept bad
//! content. Their names end in sixteen digits; only such names are ever removed, and only of
//! regular files of this user with no other name.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::time::SystemTime;

use crate::util::place::{Directory, is_random};

/// The number of bad versions kept beside the file; the oldest is removed first.
pub(super) const KEPT: usize = 3;

/// The maximum number of files of a kind considered: others may create any number.
const MOST: usize = 1_000;

/// The name prefix of new content: the same for the same file.
pub(super) fn next(name: &OsStr) -> OsString {
    let hash = blake3::hash(name.as_encoded_bytes()).to_hex();
    format!(".selfheal-{}-", &hash[..8]).into()
}

/// The name prefix of bad content.
pub(super) fn corrupt(name: &OsStr) -> OsString {
    let mut prefix = name.to_owned();
    prefix.push(".corrupt-");
    prefix
}

/// Removes new content left behind by a killed process.
pub(super) fn clean(directory: &Directory, name: &OsStr) {
    for (_, left) in own(directory, &next(name)) {
        // A file that cannot be removed is tried again at the next start.
        let _ = directory.remove(&left);
    }
}

/// Stores bad content in a separate file of mode 0600, after removing the oldest ones. A partially
/// written file is removed.
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

/// The files of a kind made by this process or an earlier one, with their age.
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
