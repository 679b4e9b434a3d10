//! The queue to the disk, and the task that drains it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::file::{Files, Item, Written};
use super::history::{HistoryFilter, Ring, find_in_files};
use super::store::Store;
use crate::config::Journal as Settings;
use crate::healing::core::{Record, What};
use crate::healing::engine::Timeline;

/// The maximum number of queued records before the journal counts as broken.
const QUEUE: usize = 8_192;
/// The maximum number of items in one write.
const BATCH: usize = 512;
/// A write that takes longer counts as a broken disk until it ends.
const STUCK: Duration = Duration::from_secs(5);
/// The wait before a new file is tried, doubling from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The progress of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Sequence number of the last record in a file.
    pub(crate) upto: u64,
    /// Whether records reach a file.
    pub(crate) healthy: bool,
    /// Whether a new file should begin with the current state.
    pub(crate) wants_new: bool,
    /// Whether it was closed and everything is written.
    closed: bool,
}

/// The records of one engine: the newest in memory, and all in files if there are any.
pub(crate) struct Journal {
    ring: Ring,
    disk: Option<Arc<Disk>>,
}

/// Closes the queue, as the files are no longer needed.
impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(disk) = &self.disk {
            disk.queue.lock().closed = true;
            disk.filled.notify_one();
        }
    }
}

struct Disk {
    /// None once closed: the files are then free for the next run.
    store: Mutex<Option<Arc<dyn Store>>>,
    /// The clock for writes that take too long.
    timeline: Timeline,
    queue: Mutex<Queue>,
    filled: Notify,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    /// A record was lost. Later ones are skipped until a new file begins, to avoid a gap.
    lost: bool,
    /// A new file is queued: requests of the old one no longer matter.
    begins: bool,
    closed: bool,
}

impl Journal {
    /// A journal in memory only.
    pub(crate) fn in_memory(settings: &Settings) -> Self {
        Self {
            ring: Ring::new(settings.memory as usize),
            disk: None,
        }
    }

    /// A journal in files; `next` is the number of the next file. Nothing is written before the
    /// first [`begin`](Self::begin).
    pub(crate) fn in_files(
        store: Arc<dyn Store>,
        settings: &Arc<Settings>,
        next: u64,
        timeline: &Timeline,
    ) -> Self {
        let disk = Arc::new(Disk {
            store: Mutex::new(Some(Arc::clone(&store))),
            timeline: timeline.clone(),
            queue: Mutex::default(),
            filled: Notify::new(),
            progress: watch::Sender::new(Progress {
                upto: 0,
                healthy: true,
                wants_new: false,
                closed: false,
            }),
        });
        let files = Files::new(store, Arc::clone(settings), next);
        timeline.runtime().spawn(Arc::clone(&disk).run(files));
        Self {
            ring: Ring::new(settings.memory as usize),
            disk: Some(disk),
        }
    }

    /// Appends a record; never waits.
    pub(crate) fn push(&self, record: Arc<Record>) {
        if let Some(disk) = &self.disk {
            disk.push(Item::Record(Arc::clone(&record)));
        }
        // Long, frequent, and no event.
        if !matches!(record.what, What::Remembered { .. }) {
            self.ring.push(record);
        }
    }

    /// Begins the first file of this run with the records of the last run.
    pub(crate) fn begin_with_copy(&self, records: Vec<Record>) {
        self.begin_file(records, true);
    }

    /// Begins a new file with the current state.
    pub(crate) fn begin(&self, carried: Vec<Record>) {
        self.begin_file(carried, false);
    }

    fn begin_file(&self, carried: Vec<Record>, copy: bool) {
        if let Some(disk) = &self.disk {
            disk.progress
                .send_if_modified(|progress| std::mem::replace(&mut progress.wants_new, false));
            disk.push(Item::Begin { carried, copy });
        }
    }

    /// Signals when a new file is wanted, or the disk is broken; none without files.
    pub(crate) fn progress(&self) -> Option<watch::Receiver<Progress>> {
        self.disk.as_ref().map(|disk| disk.progress.subscribe())
    }

    /// Waits until the record with this sequence number is in a file, and on disk as far as
    /// required. False if the disk is broken; immediately true without files.
    pub(crate) fn written(&self, seq: u64) -> impl Future<Output = bool> + Send + 'static {
        let progress = self.progress();
        async move {
            let Some(mut progress) = progress else {
                return true;
            };
            let done = progress.wait_for(|now| now.upto >= seq || !now.healthy);
            done.await.is_ok_and(|now| now.upto >= seq)
        }
    }

    /// Syncs everything to disk, ends, and releases the files. Later records stay in memory.
    pub(crate) async fn close(&self) {
        let Some(disk) = &self.disk else { return };
        disk.push(Item::Sync);
        disk.queue.lock().closed = true;
        disk.filled.notify_one();
        // Does not wait for a disk that hangs.
        let mut progress = disk.progress.subscribe();
        let _ = progress.wait_for(|now| now.closed || !now.healthy).await;
    }

    /// The matching records, oldest first: those in memory and, if these do not fill the limit,
    /// those in the files.
    pub(crate) async fn history(
        &self,
        filter: HistoryFilter,
        runtime: &Handle,
    ) -> Vec<Arc<Record>> {
        let oldest = self.ring.oldest();
        let mut newest = self.ring.find(&filter);
        let space = filter.limit.saturating_sub(newest.len());
        let store = self
            .disk
            .as_ref()
            .and_then(|disk| disk.store.lock().clone());
        let (Some(store), true) = (store, space > 0) else {
            return newest;
        };
        let before = oldest.unwrap_or(u64::MAX);
        let filter = filter.limit(space);
        let read = runtime.spawn_blocking(move || find_in_files(&*store, &filter, before));
        let mut found = read.await.unwrap_or_default();
        found.append(&mut newest);
        found
    }

    /// The newest records in memory, oldest first.
    pub(crate) fn recent(&self, most: usize) -> Vec<Arc<Record>> {
        self.ring.find(&HistoryFilter::new().limit(most))
    }
}

/// Releases the files, also if the runtime ends before the journal is closed.
struct LetsGo(Arc<Disk>);

impl Drop for LetsGo {
    fn drop(&mut self) {
        self.0.store.lock().take();
    }
}

impl Disk {
    fn push(&self, item: Item) {
        let mut queue = self.queue.lock();
        let full = queue.items.len() >= QUEUE;
        match item {
            _ if queue.closed => return,
            Item::Record(_) if queue.lost => return,
            Item::Record(_) if full => {
                queue.lost = true;
                queue.items.push_back(Item::Lost);
            }
            item => {
                let begins = matches!(item, Item::Begin { .. });
                queue.lost &= !begins;
                queue.begins |= begins;
                queue.items.push_back(item);
            }
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// Drains the queue until it is closed.
    async fn run(self: Arc<Self>, mut files: Files) {
        let lets_go = LetsGo(Arc::clone(&self));
        let mut retry = RETRY.0;
        let mut broken = false;
        let mut try_again: Option<Instant> = None;
        loop {
            let (batch, closed) = self.take();
            if batch.is_empty() {
                if closed {
                    break;
                }
                self.wait(&mut try_again).await;
                continue;
            }
            let Some((back, written)) = self.write(files, batch).await else {
                return;
            };
            files = back;
            if written.failed.is_some() {
                broken = true;
                try_again = Some(Instant::now() + retry);
                retry = (retry * 2).min(RETRY.1);
            } else if written.began {
                broken = false;
                try_again = None;
                retry = RETRY.0;
            }
            self.report(&written, broken);
        }
        drop(files);
        drop(lets_go);
        self.progress.send_modify(|progress| progress.closed = true);
    }

    fn take(&self) -> (Vec<Item>, bool) {
        let mut queue = self.queue.lock();
        let many = queue.items.len().min(BATCH);
        let batch: Vec<_> = queue.items.drain(..many).collect();
        queue.begins &= !batch.iter().any(|item| matches!(item, Item::Begin { .. }));
        (batch, queue.closed)
    }

    /// Waits for work, or for the time to request a new file.
    async fn wait(&self, try_again: &mut Option<Instant>) {
        let Some(at) = *try_again else {
            return self.filled.notified().await;
        };
        tokio::select! {
            () = self.filled.notified() => {}
            () = tokio::time::sleep_until(at) => {
                *try_again = None;
                self.progress.send_modify(|progress| progress.wants_new = true);
            }
        }
    }

    /// Writes on a blocking thread. None if the runtime is shutting down.
    async fn write(&self, mut files: Files, batch: Vec<Item>) -> Option<(Files, Written)> {
        let now = Instant::now();
        let mut writing = tokio::task::spawn_blocking(move || {
            let written = files.write(batch, now);
            (files, written)
        });
        tokio::select! {
            done = &mut writing => return done.ok(),
            () = self.timeline.sleep(STUCK) => {}
        }
        self.progress
            .send_modify(|progress| progress.healthy = false);
        writing.await.ok()
    }

    fn report(&self, written: &Written, broken: bool) {
        let wants_new = !broken && written.wants_new && !self.queue.lock().begins;
        self.progress.send_if_modified(|progress| {
            let before = *progress;
            progress.upto = written.upto.unwrap_or(0).max(before.upto);
            progress.healthy = !broken;
            progress.wants_new |= wants_new;
            *progress != before
        });
    }
}
