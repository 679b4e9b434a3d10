//! What is in the file: read with a bound, hashed, judged by the user's validator.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use crate::util::BoundedStr;

/// Says whether content is good; "corrupt" is what it refuses, never merely what is different.
pub(super) type Validator = dyn Fn(&[u8]) -> Result<(), BoundedStr> + Send + Sync;

/// The content of a file with its hash.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) bytes: Arc<[u8]>,
    pub(super) hash: blake3::Hash,
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            hash: blake3::hash(&bytes),
            bytes: bytes.into(),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes, {})", self.bytes.len(), self.hash)
    }
}

/// What one look at the file found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// Content that the validator takes.
    Good(Content),
    /// Content that the validator refuses, and why.
    Corrupt(Content, BoundedStr),
    /// No file there.
    Missing,
    /// Something is there that cannot be read, and why. Nothing is known of its content, so
    /// nothing may be done about it.
    Unreadable(BoundedStr),
}

/// Reads and judges. A validator that panics has said nothing about the content.
pub(super) fn look(path: &Path, max_bytes: u64, validate: &Validator) -> Found {
    let content = match read(path, max_bytes) {
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

fn read(path: &Path, max_bytes: u64) -> io::Result<Content> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits,
    // whatever its metadata says.
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!(
            "it is larger than {max_bytes} bytes"
        )));
    }
    Ok(Content::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_zeros(bytes: &[u8]) -> Result<(), BoundedStr> {
        if bytes.contains(&0) {
            Err("has a zero".into())
        } else {
            Ok(())
        }
    }

    #[test]
    fn each_kind_of_finding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert!(matches!(look(&path, 10, &no_zeros), Found::Missing));
        std::fs::write(&path, b"good").unwrap();
        assert!(matches!(look(&path, 4, &no_zeros), Found::Good(_)));
        assert!(matches!(look(&path, 3, &no_zeros), Found::Unreadable(_)));
        std::fs::write(&path, b"b\0d").unwrap();
        assert!(
            matches!(look(&path, 10, &no_zeros), Found::Corrupt(_, why) if why.as_str() == "has a zero")
        );
        assert!(matches!(
            look(dir.path(), 10, &no_zeros),
            Found::Unreadable(_)
        ));
        assert!(matches!(
            look(&path, 10, &|_| panic!("broken")),
            Found::Unreadable(_)
        ));
    }
}
