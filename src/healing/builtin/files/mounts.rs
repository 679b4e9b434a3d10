//! Detection of mount points.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The mount at `path` itself, if the system reports it.
pub(super) fn at(path: &Path) -> Option<String> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    named(&String::from_utf8_lossy(&table), path)
}

/// Finds the last mount at a path: it hides the others.
fn named(table: &str, path: &Path) -> Option<String> {
    table.lines().rev().find_map(|line| {
        let mut words = line.split(' ');
        let root = words.nth(3)?;
        let point = unescaped(words.next()?);
        let mut rest = words.skip_while(|word| *word != "-").skip(1);
        let kind = rest.next()?;
        let source = rest.next()?;
        (point == path).then(|| format!("{root} of {source} ({kind})"))
    })
}

/// Decodes blanks and backslashes from three octal digits.
fn unescaped(word: &str) -> PathBuf {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            out.push(char::from(code));
            rest = &after[3..];
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    OsString::from(out).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_of_a_file_is_named() {
        let table = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                     30 22 254:0 /srv/shop.toml /etc/my\\040shop.toml rw shared:1 - ext4 /dev/vda rw\n";
        let found = named(table, Path::new("/etc/my shop.toml"));
        assert_eq!(found.as_deref(), Some("/srv/shop.toml of /dev/vda (ext4)"));
        assert_eq!(named(table, Path::new("/etc/other")), None);
    }
}
