//! Serves one HTTP connection of the listener, with limits on everything its peer controls.

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tower_service::Service;

use super::places::{Place, Request as Turn};
use super::refused::Refusal;
use super::routes::answer;
use super::tls::Tls;
use crate::config::{HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};

/// The size limit of a request head, and of the buffered part of a response besides its body's
/// frames.
pub(super) const BUFFER: u32 = 64 * 1024;

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

/// Resolves when the listener stops.
pub(super) type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

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

/// Serves HTTP/1.
pub(super) async fn http1<I>(io: I, answers: Answers, stop: Stop<'_>) -> Result<(), Refusal>
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(BUFFER as usize);
    let connection = http.serve_connection(TokioIo::new(io), answers);
    let ended = until_done(connection, http1::Connection::graceful_shutdown, stop).await;
    // A disconnected peer is no refusal.
    match ended {
        Err(error) if error.is_parse() => Err(Refusal::Broken),
        _ => Ok(()),
    }
}

/// Awaits the end of a connection, which `shut_down` initiates after `stop`.
pub(super) async fn until_done<C: Future>(
    connection: C,
    shut_down: impl Fn(Pin<&mut C>),
    mut stop: Stop<'_>,
) -> C::Output {
    let mut connection = pin!(connection);
    let mut stopping = false;
    poll_fn(|cx| {
        if !stopping && stop.as_mut().poll(cx).is_ready() {
            stopping = true;
            shut_down(connection.as_mut());
        }
        connection.as_mut().poll(cx)
    })
    .await
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

/// The router, with a check that a request has a slot.
pub(super) struct Answers {
    router: Router,
    pub(super) place: Arc<Place>,
    request: Duration,
}

impl hyper::service::Service<Request<Incoming>> for Answers {
    type Response = Response<Answered>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let path = request.uri().path();
        let probe = [HEALTH_PATH, LIVENESS_PATH, READINESS_PATH].contains(&path);
        let answered =
            |response: Response, turn| Ok(response.map(|body| Answered { body, _turn: turn }));
        let Some(turn) = self.place.begin(probe) else {
            return Box::pin(ready(answered(no_place(), None)));
        };
        let mut router = self.router.clone();
        let limit = self.request;
        Box::pin(async move {
            let response = match timeout(limit, router.call(request.map(Body::new))).await {
                Ok(Ok(response)) => response,
                Err(_) => {
                    turn.refused(Refusal::Late);
                    refusal("this took too long; try again\n")
                }
            };
            answered(response, Some(turn))
        })
    }
}

fn no_place() -> Response {
    let mut response = refusal("all connections are taken; try again\n");
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

fn refusal(text: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = answer(status, "text/plain; charset=utf-8", text.to_owned());
    let soon = HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, soon);
    response
}

/// A body that reports its end.
pub(super) struct Answered {
    body: Body,
    _turn: Option<Turn>,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
