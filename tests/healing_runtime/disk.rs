//! Journal files in memory, on a disk that can be full, slow, or damaged.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Cursor};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use selfheal::healing::journal::{Append, Store};

#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Inner>);

#[derive(Default)]
struct Inner {
    content: Mutex<Content>,
    released: Condvar,
}

#[derive(Default)]
struct Content {
    by_number: BTreeMap<u64, Vec<u8>>,
    /// The bytes that may still be written.
    space: Option<usize>,
    /// Writes wait until it is released.
    held: bool,
}

impl Disk {
    pub(crate) fn set_space(&self, space: Option<usize>) {
        self.0.content.lock().space = space;
    }

    pub(crate) fn hold(&self, held: bool) {
        self.0.content.lock().held = held;
        self.0.released.notify_all();
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.0.content.lock().by_number.keys().copied().collect()
    }

    /// The newest file.
    pub(crate) fn newest(&self) -> Vec<u8> {
        let content = self.0.content.lock();
        content
            .by_number
            .values()
            .next_back()
            .cloned()
            .unwrap_or_default()
    }

    /// A disk with this one file.
    pub(crate) fn with(file: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.0.content.lock().by_number.insert(1, file);
        disk
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.newest()).into_owned()
    }
}

impl Store for Disk {
    fn list(&self) -> io::Result<Vec<u64>> {
        Ok(self.numbers())
    }

    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>> {
        let content = self.0.content.lock();
        let file = content.by_number.get(&number).cloned();
        Ok(Box::new(Cursor::new(file.ok_or(io::ErrorKind::NotFound)?)))
    }

    fn create(&self, number: u64) -> io::Result<Box<dyn Append>> {
        self.0.content.lock().by_number.insert(number, Vec::new());
        Ok(Box::new(File(self.clone(), number)))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.0.content.lock().by_number.remove(&number);
        Ok(())
    }
}

struct File(Disk, u64);

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let inner = &self.0.0;
        let mut content = inner.content.lock();
        inner
            .released
            .wait_while(&mut content, |content| content.held);
        let fits = content.space.unwrap_or(usize::MAX).min(bytes.len());
        if let Some(space) = &mut content.space {
            *space -= fits;
        }
        let file = content.by_number.entry(self.1).or_default();
        file.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
