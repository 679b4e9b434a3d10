//! The pages being written and read: turns, sharing, and the memory of all of them together.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::ending::{Ending, Failed, Failure, failed};
use super::log::{Log, Part, WHOLE};
use super::pace::Pace;
use super::siblings::Gathered;
use super::written::Written;
use crate::encode::{CHUNK, Encoding, Format, Selection, encode};
use crate::registry::Registry;

/// The limit of pages written at a time. Prometheus never overlaps its own scrapes: this is enough
/// for a pair of servers, an agent and a person. Each takes a processor while it is written.
pub(super) const AT_ONCE: usize = 4;

/// The limit of queued pages. Equal scrapes share one, so more of them indicate a faulty client.
const WAITING: usize = 16;

/// The limit of bytes held by all pages and not yet taken. Beyond it, a page is written only as
/// fast as it is read.
const HELD: usize = 2 * WHOLE;

/// The bytes that each page may hold even then, so that slow readers of others do not stop it.
const OWN: usize = 2 * (CHUNK + CHUNK / 8);

/// The limit beyond which no page is started, including bytes taken but not yet sent.
const MOST: usize = 2 * HELD;

/// A reader that leaves a chunk for this long is slow, and gives way.
const SLOW: Duration = Duration::from_secs(1);

/// The interval at which waiting pages check for a slow reader.
const TICK: Duration = Duration::from_millis(50);

/// Writing takes at most half of one processor: after a page, the next one waits for as long as
/// that took, at most this long.
const REST: Duration = Duration::from_millis(50);

/// The series of a page.
#[derive(Clone)]
pub(super) enum Content {
    /// The series of this process.
    Own(Selection),
    /// The series of several processes, gathered from them.
    Siblings(Arc<Gathered>),
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(mine), Self::Own(theirs)) => mine == theirs,
            (Self::Siblings(mine), Self::Siblings(theirs)) => Arc::ptr_eq(mine, theirs),
            _ => false,
        }
    }
}

/// The request of a scraper.
#[derive(Clone, PartialEq)]
pub(super) struct Page {
    pub(super) content: Content,
    pub(super) format: Format,
    pub(super) encoding: Encoding,
}

impl Page {
    fn write(&self, registry: &Registry, mut out: impl Write) -> io::Result<()> {
        match &self.content {
            Content::Own(selection) => {
                let scrape = selection.scrape(registry, self.format);
                encode(&scrape, self.format, self.encoding, out).map(|_| ())
            }
            Content::Siblings(gathered) => gathered.write(self.encoding, &mut out),
        }
    }
}

/// All pages of some endpoints.
pub(super) struct Pages {
    state: Mutex<State>,
    /// Notified when bytes are released.
    freed: Condvar,
    turns: Arc<Semaphore>,
    /// The bytes of all chunks alive.
    alive: Arc<AtomicUsize>,
    failed: Failed,
    written: Written,
}

#[derive(Default)]
struct State {
    logs: BTreeMap<u64, Log>,
    /// The queued pages, which can be joined.
    waiting: Vec<(Page, u64)>,
    /// The last number given to a log or a reader.
    number: u64,
    /// When the next page may start.
    due: Option<Instant>,
    /// The duration of the last one.
    took: Duration,
    sending: Pace,
}

/// A reader of a page, by number.
#[derive(Clone, Copy)]
pub(super) struct Place {
    log: u64,
    reader: u64,
}

impl Pages {
    pub(super) fn new(registry: &Registry) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            freed: Condvar::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            alive: Arc::default(),
            failed: failed(registry),
            written: Written::new(registry),
        })
    }

    /// Joins the readers of a page that is not started yet, so it includes everything recorded
    /// before. `whole` requests its length before its first byte.
    pub(super) fn join(
        self: &Arc<Self>,
        registry: &Registry,
        page: &Page,
        whole: bool,
    ) -> Result<Place, Failure> {
        let mut ending = Ending(self.failed.clone());
        let full = self.alive.load(Ordering::Relaxed) > MOST;
        let mut state = self.state.lock();
        state.number += 1;
        let reader = state.number;
        let same = |(waiting, log): &(Page, u64)| (waiting == page).then_some(*log);
        if let Some(log) = state.waiting.iter().find_map(same) {
            if let Some(entry) = state.logs.get_mut(&log) {
                entry.join(reader, whole, ending);
            }
            return Ok(Place { log, reader });
        }
        if full || state.waiting.len() == WAITING {
            return Err(ending.failed(Failure::Busy));
        }
        state.number += 1;
        let log = state.number;
        state.waiting.push((page.clone(), log));
        let entry = state.logs.entry(log).or_default();
        entry.join(reader, whole, ending);
        drop(state);
        let writer = Writer {
            pages: Arc::clone(self),
            log,
            buffer: Vec::new(),
            length: 0,
            whole: false,
        };
        tokio::spawn(in_turn(writer, registry.clone(), page.clone()));
        Ok(Place { log, reader })
    }

    /// Removes a reader.
    pub(super) fn leave(&self, place: Place) {
        let mut state = self.state.lock();
        let log = state.logs.get_mut(&place.log);
        if log.is_some_and(|log| log.leave(place.reader)) {
            state.logs.remove(&place.log);
            state.waiting.retain(|(_, log)| *log != place.log);
        }
        drop(state);
        self.freed.notify_all();
    }

    /// Drops the rest of a reader's page.
    pub(super) fn cut(&self, place: Place, failure: Failure) {
        let mut state = self.state.lock();
        let log = state.logs.get_mut(&place.log);
        let waker = log.and_then(|log| log.cut(place.reader, failure));
        drop(state);
        self.freed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends a reader whose deadline has passed before there was anything to send.
    pub(super) fn late(&self, place: Place) -> Failure {
        let state = self.state.lock();
        let begun = state.logs.get(&place.log).is_some_and(|log| log.begun);
        drop(state);
        let failure = if begun { Failure::Late } else { Failure::Busy };
        self.cut(place, failure);
        failure
    }

    /// Waits until there is something to send. Returns the length of the page if it must be sent.
    pub(super) fn poll_begin(
        &self,
        place: Place,
        cx: &Context<'_>,
    ) -> Poll<Result<Option<usize>, Failure>> {
        match self.state.lock().logs.get_mut(&place.log) {
            Some(log) => log.poll_begin(place.reader, cx),
            None => Poll::Ready(Err(Failure::Late)),
        }
    }

    pub(super) fn poll_take(&self, place: Place, cx: &Context<'_>) -> Poll<Part> {
        let mut state = self.state.lock();
        let part = match state.logs.get_mut(&place.log) {
            Some(log) => log.poll_take(place.reader, cx),
            None => Poll::Ready(Part::Cut(Failure::Late)),
        };
        drop(state);
        if part.is_ready() {
            self.freed.notify_all();
        }
        part
    }

    /// Begins a turn of a reader. Returns until when it must wait, if at all.
    pub(super) fn send(&self) -> Option<Instant> {
        self.state.lock().sending.take(Instant::now())
    }

    /// Called when a reader has the last byte.
    pub(super) fn whole(&self, place: Place) {
        if let Some(log) = self.state.lock().logs.get_mut(&place.log) {
            log.whole(place.reader);
        }
    }

    /// Waits for a turn, as long as there is a reader.
    async fn turn(&self, log: u64) -> Option<OwnedSemaphorePermit> {
        let mut turn = pin!(Arc::clone(&self.turns).acquire_owned());
        loop {
            if let Ok(turn) = timeout(TICK, turn.as_mut()).await {
                self.rest().await;
                return turn.ok();
            }
            if !self.state.lock().logs.contains_key(&log) {
                return None;
            }
            // Only stalled ones: a completely written page has released its turn.
            self.displace(|log| log.stalled);
        }
    }

    /// Waits until the next page may be written.
    async fn rest(&self) {
        let now = Instant::now();
        let at = {
            let mut state = self.state.lock();
            let at = state.due.map_or(now, |due| due.max(now));
            state.due = Some(at + 2 * state.took);
            at
        };
        if at > now {
            sleep_until(at).await;
        }
    }

    /// Drops the rest of the reader whose next chunk has waited longest, if it is slow.
    fn displace(&self, among: impl Fn(&Log) -> bool) -> bool {
        let state = self.state.lock();
        let logs = state.logs.iter().filter(|(_, log)| among(log));
        let slowest = logs.filter_map(|(log, entry)| {
            let (since, reader) = entry.slowest()?;
            let log = *log;
            Some((since, Place { log, reader }))
        });
        let slowest = slowest.min_by_key(|(since, _)| *since);
        drop(state);
        let slow = slowest.filter(|(since, _)| since.elapsed() >= SLOW);
        if let Some((_, place)) = slow {
            self.cut(place, Failure::Slow);
        }
        slow.is_some()
    }

    /// Marks the start of reading values: no reader can join any more. Returns whether there are any.
    fn begin(&self, log: u64) -> bool {
        let mut state = self.state.lock();
        state.waiting.retain(|(_, waiting)| *waiting != log);
        let entry = state.logs.get_mut(&log);
        entry.is_some_and(|log| {
            log.begun = true;
            log.is_read()
        })
    }

    /// Adds a chunk to a page; waits if too much is held.
    fn push(&self, log: u64, bytes: Vec<u8>) -> io::Result<()> {
        let length = bytes.len();
        self.alive.fetch_add(length, Ordering::Relaxed);
        let chunk = Bytes::from_owner(Counted {
            bytes,
            alive: Arc::clone(&self.alive),
        });
        let mut state = self.state.lock();
        loop {
            let held: usize = state.logs.values().map(Log::bytes).sum();
            let entry = state.logs.get_mut(&log).filter(|log| log.is_read());
            let entry = entry.ok_or(io::ErrorKind::BrokenPipe)?;
            if held + length <= HELD || entry.bytes() + length <= OWN {
                entry.stalled = false;
                let wakers = entry.push(chunk, Instant::now());
                drop(state);
                wakers.into_iter().for_each(std::task::Waker::wake);
                return Ok(());
            }
            entry.stalled = true;
            if entry.starves() {
                drop(state);
                let displaced = self.displace(|_| true);
                state = self.state.lock();
                if displaced {
                    continue;
                }
            }
            self.freed.wait_for(&mut state, TICK);
        }
    }

    fn end(&self, log: u64, whole: bool) {
        let mut state = self.state.lock();
        state.waiting.retain(|(_, waiting)| *waiting != log);
        let log = state.logs.get_mut(&log);
        let wakers = log.map(|log| log.end(whole)).unwrap_or_default();
        drop(state);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

/// A chunk that is counted while it is alive.
struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// Writes a page when it is its turn, on a blocking thread: collectors may block, and compression
/// would delay other requests.
async fn in_turn(mut writer: Writer, registry: Registry, page: Page) {
    let Some(turn) = writer.pages.turn(writer.log).await else {
        return;
    };
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        if writer.pages.begin(writer.log) {
            let start = Instant::now();
            writer.whole = page.write(&registry, &mut writer).is_ok() && writer.hand_over().is_ok();
            let took = start.elapsed();
            if writer.whole {
                writer
                    .pages
                    .written
                    .observe(page.encoding, took, writer.length);
            }
            writer.pages.state.lock().took = took.min(REST);
        }
    });
}

/// Collects written data in chunks; fails without readers. Ends the page when it is dropped, also
/// after a panic of a collector.
struct Writer {
    pages: Arc<Pages>,
    log: u64,
    buffer: Vec<u8>,
    /// The length handed over so far.
    length: usize,
    whole: bool,
}

impl Writer {
    fn hand_over(&mut self) -> io::Result<()> {
        let mut full = std::mem::take(&mut self.buffer);
        if full.is_empty() {
            return Ok(());
        }
        full.shrink_to_fit();
        self.length += full.len();
        self.pages.push(self.log, full)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.pages.end(self.log, self.whole);
    }
}

#[cfg(test)]
mod tests;
