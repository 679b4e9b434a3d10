//! A page that is written on a thread that may wait, and sent in chunks as its reader takes them.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::Frame;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::turns::{Deadline, Ending, Failure};
use crate::encode::CHUNK;

/// How many chunks may wait for a slow client before the thread does.
const CHUNKS: usize = 2;

/// What the thread hands over. Without an end, what came before is a part and not the whole.
enum Part {
    Chunk(Bytes),
    End(io::Result<()>),
}

/// Runs `write` on a thread until `deadline`, and returns once there is something to send; else
/// why not.
///
/// Whatever keeps the thread waiting, but a collector, ends at the deadline; with the thread
/// goes the turn.
pub(super) async fn streamed(
    write: impl FnOnce(&mut Chunks) -> io::Result<()> + Send + 'static,
    (turn, ending): (OwnedSemaphorePermit, Ending),
    deadline: Deadline,
) -> Result<Body, Failure> {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let mut parts = Parts::new(receiver, ending, deadline.end);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        // There may have been a queue for the thread.
        if sender.is_closed() {
            return;
        }
        let mut chunks = Chunks {
            sender,
            buffer: Vec::with_capacity(CHUNK),
        };
        let end = write(&mut chunks);
        // Where the client has gone there is nobody to tell.
        let _ = chunks.sender.blocking_send(Part::End(end));
    });
    let first = std::future::poll_fn(|cx| parts.shared.lock().receiver.poll_recv(cx));
    match timeout_at(deadline.answer, first).await {
        Ok(Some(Part::End(Err(_))) | None) => Err(parts.failed(Failure::Failed)),
        Ok(first) => {
            parts.first = first;
            Ok(Body::new(parts))
        }
        Err(_) => Err(parts.failed(Failure::Late)),
    }
}

/// Sends what is written in chunks; fails when nobody takes them any more.
pub(super) struct Chunks {
    sender: mpsc::Sender<Part>,
    buffer: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender
            .blocking_send(Part::Chunk(Bytes::from(full)))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// The chunks as a response body.
struct Parts {
    first: Option<Part>,
    shared: Arc<Mutex<Shared>>,
    watch: AbortHandle,
}

/// What the body has in common with the watch over its time.
struct Shared {
    receiver: mpsc::Receiver<Part>,
    ending: Ending,
}

impl Parts {
    /// A body that is cut off at `end`. The body itself cannot see to that: nobody polls it
    /// while its reader takes nothing.
    fn new(receiver: mpsc::Receiver<Part>, ending: Ending, end: Instant) -> Self {
        let shared = Arc::new(Mutex::new(Shared { receiver, ending }));
        let watched = Arc::clone(&shared);
        let watch = tokio::spawn(async move {
            sleep_until(end).await;
            let mut shared = watched.lock();
            shared.receiver.close();
            shared.ending.failed(Failure::Late);
        });
        Self {
            first: None,
            shared,
            watch: watch.abort_handle(),
        }
    }

    fn failed(&self, failure: Failure) -> Failure {
        self.shared.lock().ending.failed(failure)
    }
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let part = match self.first.take() {
            Some(part) => Some(part),
            None => ready!(self.shared.lock().receiver.poll_recv(cx)),
        };
        let error = match part {
            Some(Part::Chunk(chunk)) => return Poll::Ready(Some(Ok(Frame::data(chunk)))),
            Some(Part::End(Ok(()))) => {
                self.shared.lock().ending.whole();
                return Poll::Ready(None);
            }
            Some(Part::End(Err(error))) => error,
            None => io::Error::new(io::ErrorKind::TimedOut, "the scrape took too long"),
        };
        // Does nothing where the watch was there before.
        self.failed(Failure::Failed);
        // Ends the body with an error, so that the client does not take a part for the whole.
        Poll::Ready(Some(Err(error)))
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.watch.abort();
        // The watch has a reference as well, until it notices.
        self.shared.lock().receiver.close();
    }
}

/// The body of an answer to HEAD: none, of a length that nobody has counted.
pub(super) fn unread() -> Body {
    Body::new(Unread)
}

struct Unread;

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(None)
    }
}
