//! Where journal files are kept: a trait, so that a test can have a disk that fails.

use std::io::{self, BufRead};

/// A place for the files of a journal, known by number. All calls may block.
pub trait Store: Send + Sync + 'static {
    /// The numbers of the files that are there, in any order.
    fn list(&self) -> io::Result<Vec<u64>>;

    /// Opens a file for reading, from its beginning.
    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>>;

    /// Makes a new file, empty. [`AlreadyExists`](io::ErrorKind::AlreadyExists) where something
    /// has its name: that is left as it is, and the next number is tried.
    fn create(&self, number: u64) -> io::Result<Box<dyn Append>>;

    /// Deletes a file.
    fn remove(&self, number: u64) -> io::Result<()>;
}

/// A journal file that is written to.
pub trait Append: Send + 'static {
    /// Adds bytes at the end, all of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything that was added would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}
