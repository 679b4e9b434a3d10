//! The chunks of a page between the thread that writes it and its readers.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::time::Instant;

use super::ending::{Ending, Failure};
use crate::encode::CHUNK;

/// The size limit of a page that is buffered for a client that needs its length in advance.
pub(super) const WHOLE: usize = 16 * 1024 * 1024;

/// A page: the chunks written and not yet taken by all of its readers.
#[derive(Default)]
pub(super) struct Log {
    /// Each with the time at which it was written.
    chunks: VecDeque<(Bytes, Instant)>,
    /// The number of the first chunk.
    first: usize,
    /// The size of the chunks in bytes.
    bytes: usize,
    /// The number of bytes written so far.
    written: usize,
    /// Whether values were read already, so that no reader can join any more.
    pub(super) begun: bool,
    /// Whether the writing thread waits for its readers.
    pub(super) stalled: bool,
    /// Whether the page is complete; `None` while it is being written.
    end: Option<bool>,
    readers: Vec<Reader>,
}

/// A reader of a page.
struct Reader {
    number: u64,
    /// The number of its next chunk.
    next: usize,
    /// Whether it waits for the complete page.
    whole: bool,
    /// Why it gets no more chunks.
    cut: Option<Failure>,
    waker: Option<Waker>,
    ending: Ending,
}

/// The result of reading.
pub(super) enum Part {
    Chunk(Bytes),
    End,
    Cut(Failure),
}

impl Log {
    pub(super) fn join(&mut self, number: u64, whole: bool, ending: Ending) {
        self.readers.push(Reader {
            number,
            next: 0,
            whole,
            cut: None,
            waker: None,
            ending,
        });
    }

    /// Called when the reader has taken the last byte.
    pub(super) fn whole(&mut self, number: u64) {
        if let Some(reader) = self.reader(number) {
            reader.ending.whole();
        }
    }

    /// Removes a reader, and returns whether it was the last one.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        self.readers.retain(|reader| reader.number != number);
        self.trim();
        self.readers.is_empty()
    }

    /// Whether the page still has readers.
    pub(super) fn is_read(&self) -> bool {
        self.active().next().is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a reader waits for more chunks.
    pub(super) fn starves(&self) -> bool {
        let end = self.first + self.chunks.len();
        self.active()
            .any(|reader| reader.whole || reader.next == end)
    }

    /// The reader whose next chunk has waited longest, and since when.
    pub(super) fn slowest(&self) -> Option<(Instant, u64)> {
        let waits = |reader: &Reader| {
            let (_, since) = self.chunks.get(reader.next - self.first)?;
            Some((*since, reader.number))
        };
        self.active().filter_map(waits).min()
    }

    /// Adds a chunk. Returns the readers to wake.
    pub(super) fn push(&mut self, chunk: Bytes, now: Instant) -> Vec<Waker> {
        self.bytes += chunk.len();
        self.written += chunk.len();
        self.chunks.push_back((chunk, now));
        if self.written > WHOLE {
            for reader in self.readers.iter_mut().filter(|reader| reader.whole) {
                reader.cut(Failure::Large);
            }
            self.trim();
        }
        self.wakers()
    }

    /// Ends the page; `whole` if it is complete. Returns the readers to wake.
    pub(super) fn end(&mut self, whole: bool) -> Vec<Waker> {
        self.end.get_or_insert(whole);
        self.wakers()
    }

    /// Drops the rest of a reader's page. Returns the waker of the reader.
    pub(super) fn cut(&mut self, number: u64, failure: Failure) -> Option<Waker> {
        let mut readers = self.readers.iter_mut();
        let reader = readers.find(|reader| reader.number == number)?;
        reader.cut(failure);
        let waker = reader.waker.take();
        self.trim();
        waker
    }

    /// Waits until there is something to send to a reader. Returns the length of the page if it
    /// must be sent.
    pub(super) fn poll_begin(
        &mut self,
        number: u64,
        cx: &Context<'_>,
    ) -> Poll<Result<Option<usize>, Failure>> {
        let written = self.written;
        let end = self.end;
        let Some(reader) = self.reader(number) else {
            return Poll::Ready(Err(Failure::Late));
        };
        match (reader.cut, end) {
            (Some(failure), _) => Poll::Ready(Err(failure)),
            (None, Some(false)) => Poll::Ready(Err(reader.ending.failed(Failure::Failed))),
            (None, Some(true)) if reader.whole || written <= CHUNK => {
                Poll::Ready(Ok(Some(written)))
            }
            _ if !reader.whole && written >= CHUNK => Poll::Ready(Ok(None)),
            _ => {
                reader.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The next chunk for a reader.
    pub(super) fn poll_take(&mut self, number: u64, cx: &Context<'_>) -> Poll<Part> {
        let end = self.end;
        let first = self.first;
        let mut readers = self.readers.iter_mut();
        let Some(reader) = readers.find(|reader| reader.number == number) else {
            return Poll::Ready(Part::Cut(Failure::Late));
        };
        if let Some(failure) = reader.cut {
            return Poll::Ready(Part::Cut(failure));
        }
        if let Some((chunk, _)) = self.chunks.get(reader.next - first) {
            let chunk = chunk.clone();
            reader.next += 1;
            self.trim();
            return Poll::Ready(Part::Chunk(chunk));
        }
        match end {
            Some(true) => {
                reader.ending.whole();
                Poll::Ready(Part::End)
            }
            Some(false) => Poll::Ready(Part::Cut(reader.ending.failed(Failure::Failed))),
            None => {
                reader.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn active(&self) -> impl Iterator<Item = &Reader> {
        self.readers.iter().filter(|reader| reader.cut.is_none())
    }

    fn reader(&mut self, number: u64) -> Option<&mut Reader> {
        let mut readers = self.readers.iter_mut();
        readers.find(|reader| reader.number == number)
    }

    fn wakers(&mut self) -> Vec<Waker> {
        let readers = self.readers.iter_mut();
        readers.filter_map(|reader| reader.waker.take()).collect()
    }

    /// Drops the chunks that all readers have taken.
    fn trim(&mut self) {
        let end = self.first + self.chunks.len();
        let next = self.active().map(|reader| reader.next).min();
        for _ in self.first..next.unwrap_or(end) {
            if let Some((chunk, _)) = self.chunks.pop_front() {
                self.bytes -= chunk.len();
                self.first += 1;
            }
        }
    }
}

impl Reader {
    fn cut(&mut self, failure: Failure) {
        self.cut.get_or_insert(failure);
        self.ending.failed(failure);
    }
}
