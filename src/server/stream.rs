//! A page as a response body, which its reader takes at its own rate.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep_until, timeout_at};

use super::ending::{Deadline, Failure};
use super::log::Part;
use super::pages::{Pages, Place};
use crate::encode::CHUNK;

/// The size of a frame. Servers take some frames ahead of what they can send (hyper 16 with
/// HTTP/1), so small ones keep little in memory for a client that does not read.
const FRAME: usize = 8 * 1024;

/// The bytes after which a body yields to other tasks. A server sends what a body has ready as long
/// as the socket takes it, and a reader on the same machine takes megabytes. With many readers that
/// is not enough, since everything else waits behind a turn of each; so all turns have a common
/// [pace](super::pace), including the first of a page, which sharing readers start at the same
/// moment. A page of at most one turn is sent without it.
pub(super) const TURN: usize = CHUNK;

/// Returns once there is something to send, or the reason why not.
pub(super) async fn streamed(
    pages: Arc<Pages>,
    place: Place,
    deadline: Deadline,
) -> Result<Body, Failure> {
    let mut parts = Parts::new(pages, place, deadline);
    let begin = poll_fn(|cx| parts.pages.poll_begin(place, cx));
    match timeout_at(deadline.answer, begin).await {
        Ok(Ok(left)) => {
            parts.left = left;
            if left == Some(0) {
                parts.whole();
            }
            if left.is_none_or(|left| left > TURN) {
                parts.given = TURN;
            }
            Ok(Body::new(parts))
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(parts.pages.late(place)),
    }
}

/// The chunks as a response body.
struct Parts {
    pages: Arc<Pages>,
    place: Place,
    /// The rest of the current chunk.
    chunk: Bytes,
    /// The rest of the page, if its length is sent.
    left: Option<usize>,
    /// The bytes sent in the current turn.
    given: usize,
    /// The wait for the next turn.
    rest: Option<Pin<Box<Sleep>>>,
    ended: bool,
    watch: AbortHandle,
}

impl Parts {
    /// Creates a body that is aborted at the deadline by a task, since the body itself is not
    /// polled while its reader takes nothing.
    fn new(pages: Arc<Pages>, place: Place, deadline: Deadline) -> Self {
        let watched = Arc::clone(&pages);
        let watch = tokio::spawn(async move {
            sleep_until(deadline.end).await;
            watched.cut(place, Failure::Late);
        });
        Self {
            pages,
            place,
            chunk: Bytes::new(),
            left: None,
            given: 0,
            rest: None,
            ended: false,
            watch: watch.abort_handle(),
        }
    }

    fn whole(&mut self) {
        self.ended = true;
        self.pages.whole(self.place);
    }
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.given >= TURN {
            self.given = 0;
            let Some(at) = self.pages.send() else {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            self.rest = Some(Box::pin(sleep_until(at)));
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        if self.chunk.is_empty() {
            match ready!(self.pages.poll_take(self.place, cx)) {
                Part::Chunk(chunk) => self.chunk = chunk,
                Part::End => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
                Part::Cut(failure) => {
                    self.ended = true;
                    // Ends the body with an error, so that the client does not take a part for the
                    // whole.
                    return Poll::Ready(Some(Err(broken(failure))));
                }
            }
        }
        let length = self.chunk.len().min(FRAME);
        let frame = self.chunk.split_to(length);
        self.given += length;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(length);
            // A server may not poll past the announced length.
            if *left == 0 {
                self.whole();
            }
        }
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.left.map(|left| SizeHint::with_exact(left as u64));
        left.unwrap_or_default()
    }
}

fn broken(failure: Failure) -> io::Error {
    let (kind, text) = match failure {
        Failure::Slow => (
            io::ErrorKind::TimedOut,
            "the scrape was the slowest one when others needed its memory or its turn",
        ),
        Failure::Failed => (io::ErrorKind::Other, "the metrics cannot be written"),
        _ => (io::ErrorKind::TimedOut, "the scrape took too long"),
    };
    io::Error::new(kind, text)
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.watch.abort();
        self.pages.leave(self.place);
    }
}

/// The body of a response to HEAD: empty, with an unknown length.
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
