//! Serves one HTTP connection of the listener, with limits on everything its peer controls.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

use super::answers::{Answers, http1};
use super::places::Place;
use super::tls::Tls;

/// The service of a connection.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) router: Router,
    pub(super) request: Duration,
    pub(super) tls: Option<Tls>,
}

impl Served {
    /// The same without TLS, for local clients.
    #[cfg(unix)]
    pub(super) fn in_plain_text(&self) -> Self {
        Self {
            tls: None,
            ..self.clone()
        }
    }
}

/// Makes closing a stream reset it: the peer cannot take a partial response for a complete one, and
/// the kernel drops its buffer at once.
pub(super) type Reset<S> = fn(&S);

/// Makes closing a TCP stream reset it.
pub(super) fn reset(stream: &TcpStream) {
    // On failure, the connection is closed normally.
    let _ = stream.set_zero_linger();
}

/// Serves a connection until its peer, `stop` or a deadline ends it.
pub(super) async fn serve<S>(
    stream: S,
    reset: Reset<S>,
    place: Place,
    served: Served,
    stop: impl Future<Output = ()> + Send,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let place = Arc::new(place);
    let io = Metered {
        stream,
        reset,
        place: Arc::clone(&place),
    };
    let answers = Answers {
        router: served.router,
        place: Arc::clone(&place),
        request: served.request,
    };
    let stop = pin!(stop);
    let mut work = pin!(async {
        match &served.tls {
            Some(tls) => tls.serve(io, answers, stop).await,
            None => http1(io, answers, stop).await,
        }
    });
    let mut alarm = pin!(sleep_until(tokio::time::Instant::now()));
    poll_fn(|cx| {
        if let Poll::Ready(ended) = work.as_mut().poll(cx) {
            if let Err(refusal) = ended {
                place.refused(refusal);
            }
            return Poll::Ready(());
        }
        loop {
            let Some(until) = place.until(cx) else {
                return Poll::Ready(());
            };
            if alarm.deadline() != until {
                alarm.as_mut().reset(until);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// A stream that reports what its peer sends and reads.
struct Metered<S> {
    stream: S,
    reset: Reset<S>,
    place: Arc<Place>,
}

impl<S> Drop for Metered<S> {
    fn drop(&mut self) {
        if self.place.is_cut_short() {
            (self.reset)(&self.stream);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.place.read();
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> Metered<S> {
    fn wrote(&self, poll: Poll<io::Result<usize>>, of: usize) -> Poll<io::Result<usize>> {
        match &poll {
            Poll::Ready(Ok(taken)) => self.place.wrote(*taken, of),
            Poll::Pending => self.place.wrote(0, of),
            Poll::Ready(Err(_)) => {}
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(poll, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(poll, bufs.iter().map(|buf| buf.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
