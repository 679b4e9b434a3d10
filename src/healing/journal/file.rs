//! The current journal file. Everything here may block.

use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::line::{Head, push_head, push_record};
use super::store::{Append, Store};
use crate::config::{Fsync, Journal as Settings};
use crate::healing::core::{Record, What};

/// The maximum number of consecutive names taken by foreign files.
const TAKEN: usize = 64;

/// An item for the writer, in order.
#[derive(Debug)]
pub(super) enum Item {
    Record(Arc<Record>),
    /// Begin a new file; the records repeat the state from the files before it, condensed or as a
    /// copy.
    Begin {
        carried: Vec<Record>,
        copy: bool,
    },
    /// Sync everything so far to disk.
    Sync,
    /// Records are missing from here to the next new file.
    Lost,
}

/// The files of a journal, for the writer.
pub(super) struct Files {
    store: Arc<dyn Store>,
    settings: Arc<Settings>,
    next: u64,
    /// None before the first file, and from a failure to the next new file.
    current: Option<Current>,
}

struct Current {
    file: Box<dyn Append>,
    bytes: u64,
    /// Bytes of its carried-over head.
    head_bytes: u64,
    began: Instant,
}

/// The result of a batch.
#[derive(Debug)]
pub(super) struct Written {
    /// Sequence number of the last written record, if any.
    pub(super) upto: Option<u64>,
    /// The first failure.
    pub(super) failed: Option<io::Error>,
    /// Whether a file was begun.
    pub(super) began: bool,
    /// Whether a new file is wanted, by size, age or after a failure.
    pub(super) wants_new: bool,
}

impl Files {
    pub(super) fn new(store: Arc<dyn Store>, settings: Arc<Settings>, next: u64) -> Self {
        Self {
            store,
            settings,
            next,
            current: None,
        }
    }

    /// Writes a batch. After a failure the rest is skipped until a new file begins, as it could not
    /// be separated from a partially written line.
    pub(super) fn write(&mut self, batch: Vec<Item>, now: Instant) -> Written {
        let mut written = Written {
            upto: None,
            failed: None,
            began: false,
            wants_new: false,
        };
        let mut pending = Pending::default();
        for item in batch {
            let done = match item {
                Item::Record(record) => pending.push(&record),
                Item::Sync => {
                    pending.sync = true;
                    Ok(())
                }
                Item::Lost => {
                    let _ = self.flush(&std::mem::take(&mut pending), &mut written);
                    Err(io::Error::other(
                        "the disk is too slow: records were left out",
                    ))
                }
                Item::Begin { carried, copy } => {
                    let _ = self.flush(&std::mem::take(&mut pending), &mut written);
                    self.begin(&carried, copy, now).map(|()| {
                        written.upto = carried.last().map(|last| last.seq).or(written.upto);
                        written.began = true;
                    })
                }
            };
            self.note(done, &mut written);
        }
        let done = self.flush(&pending, &mut written);
        self.note(done, &mut written);
        written.wants_new = self.wants_new(now);
        written
    }

    fn note(&mut self, done: io::Result<()>, written: &mut Written) {
        if let Err(error) = done {
            self.current = None;
            written.failed.get_or_insert(error);
        }
    }

    fn flush(&mut self, pending: &Pending, written: &mut Written) -> io::Result<()> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        if !pending.bytes.is_empty() {
            current.file.append(&pending.bytes)?;
            current.bytes += pending.bytes.len() as u64;
        }
        let sync = match self.settings.fsync {
            Fsync::Always => pending.sync || !pending.bytes.is_empty(),
            Fsync::OnIntent => pending.intent || pending.sync,
            Fsync::Never => false,
        };
        if sync {
            current.file.sync()?;
        }
        written.upto = pending.last.or(written.upto);
        Ok(())
    }

    fn begin(&mut self, carried: &[Record], copy: bool, now: Instant) -> io::Result<()> {
        self.current = None;
        let (number, mut file) = self.create()?;
        let begun = beginning(number, carried).and_then(|bytes| {
            file.append(&bytes)?;
            // Synced whatever the setting, since the earlier files may be removed now.
            file.sync()?;
            Ok(bytes.len() as u64)
        });
        match begun {
            Ok(bytes) => {
                self.current = Some(Current {
                    file,
                    bytes,
                    // A copy is rewritten as soon as it is too long.
                    head_bytes: if copy { 0 } else { bytes },
                    began: now,
                });
                self.prune();
                Ok(())
            }
            Err(error) => {
                // An incomplete head only takes up space, which may be exhausted.
                let _ = self.store.remove(number);
                Err(error)
            }
        }
    }

    /// Creates the next file. A name that is already taken is skipped.
    fn create(&mut self) -> io::Result<(u64, Box<dyn Append>)> {
        let mut tries = 0;
        loop {
            let number = self.next;
            self.next = self.next.saturating_add(1);
            tries += 1;
            match self.store.create(number) {
                Ok(file) => return Ok((number, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TAKEN => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Deletes the oldest files. One that cannot be deleted is retried next time.
    fn prune(&self) {
        let mut numbers = self.store.list().unwrap_or_default();
        numbers.sort_unstable();
        let many = numbers
            .len()
            .saturating_sub(self.settings.keep_files.max(1) as usize);
        for old in &numbers[..many] {
            let _ = self.store.remove(*old);
        }
    }

    fn wants_new(&self, now: Instant) -> bool {
        let Some(current) = &self.current else {
            return true;
        };
        // A file may grow to twice its head, so that writing heads is at most half of the work.
        let most = self
            .settings
            .max_bytes
            .max(current.head_bytes.saturating_mul(2));
        current.bytes >= most || now.duration_since(current.began) >= self.settings.max_age
    }
}

/// The head of a file.
fn beginning(number: u64, carried: &[Record]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let head = Head {
        segment: number,
        carried: carried.len(),
    };
    push_head(&mut bytes, head)?;
    for record in carried {
        push_record(&mut bytes, record)?;
    }
    Ok(bytes)
}

/// Lines not yet in the file.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    last: Option<u64>,
    intent: bool,
    sync: bool,
}

impl Pending {
    fn push(&mut self, record: &Record) -> io::Result<()> {
        push_record(&mut self.bytes, record)?;
        self.last = Some(record.seq);
        self.intent |= matches!(record.what, What::AttemptStarted(_));
        Ok(())
    }
}
