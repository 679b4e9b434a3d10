//! The storage of journal files: a trait, so that a test can use a failing disk.

use std::io::{self, BufRead};

/// Storage for journal files, identified by number. All calls may block.
pub trait Store: Send + Sync + 'static {
    /// The numbers of existing files, in any order.
    fn list(&self) -> io::Result<Vec<u64>>;

    /// Opens a file for reading, from its beginning.
    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>>;

    /// Creates an empty file. Returns [`AlreadyExists`](io::ErrorKind::AlreadyExists) if its name
    /// is taken: the journal leaves that as is and tries the next number.
    fn create(&self, number: u64) -> io::Result<Box<dyn Append>>;

    /// Deletes a file.
    fn remove(&self, number: u64) -> io::Result<()>;
}

/// A journal file open for writing.
pub trait Append: Send + 'static {
    /// Appends all bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything appended would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}
