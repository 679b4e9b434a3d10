//! The content of the file: read with a limit, hashed, and validated.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::util::BoundedStr;
use crate::util::place::{Facts, Opened, Place};

/// Validates content; "corrupt" means refused by it, never merely different.
pub(super) type Validator = dyn Fn(&[u8]) -> Result<(), BoundedStr> + Send + Sync;

/// The content of a file, its hash and its metadata, all read from one descriptor.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) bytes: Arc<[u8]>,
    pub(super) hash: blake3::Hash,
    pub(super) facts: Facts,
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>, facts: Facts) -> Self {
        Self {
            hash: blake3::hash(&bytes),
            bytes: bytes.into(),
            facts,
        }
    }

    /// Reads an open file.
    pub(super) fn of(opened: &Opened, max_bytes: u64) -> io::Result<Self> {
        Ok(Self::new(opened.read(max_bytes)?, opened.facts))
    }

    /// Whether nothing was written between the two, as far as can be seen: same content, same file
    /// and same modification time, which a writer through a mapping changes.
    pub(super) fn rests_since(&self, earlier: &Self) -> bool {
        let of = |content: &Self| (content.hash, content.facts.id, content.facts.modified);
        of(self) == of(earlier)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes, {})", self.bytes.len(), self.hash)
    }
}

/// The result of reading a guarded path.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// Content that the validator accepts.
    Good(Content),
    /// Content that the validator refuses, and why.
    Corrupt(Content, BoundedStr),
    /// The file does not exist.
    Missing,
    /// It exists but cannot be read, and why. Its content is unknown, so nothing may be done about
    /// it.
    Unreadable(BoundedStr),
}

impl Found {
    /// Whether two readings, some time apart, agree and nothing was written between.
    pub(super) fn rests_since(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Good(now), Self::Good(then))
            | (Self::Corrupt(now, _), Self::Corrupt(then, _)) => now.rests_since(then),
            (Self::Missing, Self::Missing) | (Self::Unreadable(_), Self::Unreadable(_)) => true,
            _ => false,
        }
    }
}

/// The identity of a fault, to compare two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Corrupt(blake3::Hash),
    Missing,
    Unreadable,
}

impl Mark {
    /// The mark of a bad reading; `None` if it is good.
    pub(super) fn of(found: &Found) -> Option<Self> {
        match found {
            Found::Good(_) => None,
            Found::Corrupt(content, _) => Some(Self::Corrupt(content.hash)),
            Found::Missing => Some(Self::Missing),
            Found::Unreadable(_) => Some(Self::Unreadable),
        }
    }
}

/// Reads and validates the file. A panic of the validator says nothing about the content.
pub(super) fn check(place: &Place, max_bytes: u64, validate: &Validator) -> Found {
    let content = match read(place, max_bytes) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Missing,
        Err(error) => return Found::Unreadable(error.to_string().into()),
    };
    match catch_unwind(AssertUnwindSafe(|| validate(&content.bytes))) {
        Ok(Ok(())) => Found::Good(content),
        Ok(Err(why)) => Found::Corrupt(content, why),
        Err(_) => Found::Unreadable("the validator panicked".into()),
    }
}

/// Opens the file once, and reads it. In a directory where others may create files, a second name
/// may refer to a file that they cannot read.
fn read(place: &Place, max_bytes: u64) -> io::Result<Content> {
    let opened = place.open()?;
    if opened.facts.links > 1
        && let Some(why) = place.directory.shared()?
    {
        let why = format!("it has another hard link, and its directory {why}");
        return Err(io::Error::other(why));
    }
    Content::of(&opened, max_bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::util::place::Sharing;

    fn no_zeros(bytes: &[u8]) -> Result<(), BoundedStr> {
        if bytes.contains(&0) {
            Err("has a zero".into())
        } else {
            Ok(())
        }
    }

    fn found(path: &Path, max_bytes: u64, validate: &Validator) -> Found {
        let place = Place::find(path, Sharing::REFUSED, &mut Vec::new()).unwrap();
        check(&place, max_bytes, validate)
    }

    #[test]
    fn each_kind_of_finding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert!(matches!(found(&path, 10, &no_zeros), Found::Missing));
        std::fs::write(&path, b"good").unwrap();
        assert!(matches!(found(&path, 4, &no_zeros), Found::Good(_)));
        assert!(matches!(found(&path, 3, &no_zeros), Found::Unreadable(_)));
        std::fs::write(&path, b"b\0d").unwrap();
        assert!(
            matches!(found(&path, 10, &no_zeros), Found::Corrupt(_, why) if why.as_str() == "has a zero")
        );
        std::fs::create_dir(dir.path().join("d")).unwrap();
        assert!(matches!(
            found(&dir.path().join("d"), 10, &no_zeros),
            Found::Unreadable(_)
        ));
        assert!(matches!(
            found(&path, 10, &|_| panic!("broken")),
            Found::Unreadable(_)
        ));
    }
}
