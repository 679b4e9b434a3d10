//! The answers to the requests of one connection.

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tower_service::Service;

use super::answer::answer;
use super::places::{Place, Request as Turn};
use super::refused::Refusal;
use crate::config::{HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};

/// The size limit of a request head, and of the buffered part of a response besides its body's
/// frames.
pub(super) const BUFFER: u32 = 64 * 1024;

/// Resolves when the listener stops.
pub(super) type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

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

/// The router, with a check that a request has a slot.
pub(super) struct Answers {
    pub(super) router: Router,
    pub(super) place: Arc<Place>,
    pub(super) request: Duration,
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
                    refusal("the request took too long; try again\n")
                }
            };
            answered(response, Some(turn))
        })
    }
}

fn no_place() -> Response {
    let mut response = refusal("all connections are in use; try again\n");
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
