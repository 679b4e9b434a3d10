//! One connection of the listener: HTTP/1 with a bound on everything that its peer has in hand.

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
use tokio::time::{sleep_until, timeout};
use tower_service::Service;

use super::places::Place;
use super::routes::answer;
use crate::config::{HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};

/// The longest head of a request; and what is kept of an answer that is not taken, beside the
/// frames that its body gives.
const BUFFER: usize = 64 * 1024;

/// Serves a connection until its peer or `stop` ends it, or its time is up. Gives the stream back
/// where that cut an answer.
pub(super) async fn serve<S>(
    stream: S,
    place: Place,
    router: Router,
    request: Duration,
    stop: impl Future<Output = ()>,
) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let place = Arc::new(place);
    let io = TokioIo::new(Metered {
        stream,
        place: Arc::clone(&place),
    });
    let service = Answers {
        router,
        place: Arc::clone(&place),
        request,
    };
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(BUFFER);
    let mut connection = http.serve_connection(io, service);
    let mut stop = pin!(stop);
    let mut stopping = false;
    let mut alarm = pin!(sleep_until(tokio::time::Instant::now()));
    let cut = poll_fn(|cx| {
        if !stopping && stop.as_mut().poll(cx).is_ready() {
            stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(false);
        }
        loop {
            let Some(until) = place.until(cx) else {
                return Poll::Ready(true);
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
    let answered = cut && place.is_answered();
    answered.then(|| connection.into_parts().io.into_inner().stream)
}

/// A stream that reports what its peer sends and takes.
struct Metered<S> {
    stream: S,
    place: Arc<Place>,
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

/// The router, as long as there is a place for the request.
struct Answers {
    router: Router,
    place: Arc<Place>,
    request: Duration,
}

impl hyper::service::Service<Request<Incoming>> for Answers {
    type Response = Response<Answered>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let path = request.uri().path();
        let probe = [HEALTH_PATH, LIVENESS_PATH, READINESS_PATH].contains(&path);
        let begun = self.place.begin(probe);
        let ends = Ends(Arc::clone(&self.place));
        let answered =
            |response: Response, ends| Ok(response.map(|body| Answered { body, _ends: ends }));
        if !begun {
            return Box::pin(ready(answered(no_place(), ends)));
        }
        let mut router = self.router.clone();
        let limit = self.request;
        Box::pin(async move {
            let response = match timeout(limit, router.call(request.map(Body::new))).await {
                Ok(Ok(response)) => response,
                Err(_) => refusal("this took too long; try again\n"),
            };
            answered(response, ends)
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

/// Reports the end of an answer.
struct Ends(Arc<Place>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A body that reports its end.
struct Answered {
    body: Body,
    _ends: Ends,
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
