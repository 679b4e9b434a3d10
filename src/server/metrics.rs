//! `/metrics`: a scrape, negotiated, and streamed where it is large.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::routes::{Endpoints, answer};
use crate::encode::{CHUNK, Encoding, Format, encode};

/// Beyond so many series a scrape takes longer than other requests on the same thread should
/// wait (about half a millisecond), and moves to a thread where it may.
const LARGE: usize = 5_000;

/// How many chunks may wait for a slow client before the encoder does.
const CHUNKS: usize = 2;

pub(super) async fn serve(State(endpoints): State<Endpoints>, headers: HeaderMap) -> Response {
    let Ok(permit) = endpoints.scrapes.clone().try_acquire_owned() else {
        let mut response = answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain; charset=utf-8",
            "too many scrapes at a time; try again\n".to_owned(),
        );
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    };
    let format = Format::negotiate(texts(&headers, header::ACCEPT));
    let encoding = if endpoints.compress {
        Encoding::negotiate(texts(&headers, header::ACCEPT_ENCODING))
    } else {
        Encoding::Identity
    };
    let body = if endpoints.registry.series() > LARGE {
        Ok(streamed(&endpoints, format, encoding, permit))
    } else {
        let mut out = Vec::new();
        encode(&endpoints.registry.scrape(), format, encoding, &mut out).map(|_| Body::from(out))
    };
    let mut response = match body {
        Ok(body) => body.into_response(),
        Err(error) => {
            return answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                format!("the metrics cannot be written: {error}\n"),
            );
        }
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if endpoints.compress {
        let vary = HeaderValue::from_static("accept, accept-encoding");
        headers.insert(header::VARY, vary);
    }
    if let Some(encoding) = encoding.content_encoding() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The values of a header that are text; anything else asks for nothing that we offer.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}

/// Encodes on a thread that may block, chunk by chunk as the client takes them.
fn streamed(
    endpoints: &Endpoints,
    format: Format,
    encoding: Encoding,
    permit: OwnedSemaphorePermit,
) -> Body {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let registry = endpoints.registry.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut chunks = Chunks {
            sender,
            buffer: Vec::with_capacity(CHUNK),
        };
        if let Err(error) = encode(&registry.scrape(), format, encoding, &mut chunks) {
            // Ends the body with an error, so that the client does not take a part for the
            // whole. Where the client has gone there is nobody to tell.
            let _ = chunks.sender.blocking_send(Err(error));
        }
    });
    Body::new(Stream(receiver))
}

/// Sends what is written in chunks; fails when nobody takes them any more.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
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
            .blocking_send(Ok(Bytes::from(full)))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// The chunks as a response body.
struct Stream(mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(cx)
            .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
