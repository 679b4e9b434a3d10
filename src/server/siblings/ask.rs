//! Scrapes a sibling process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, StatusCode, header};
use http_body::Body as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::config::Address;

/// The response of one process.
pub(super) struct Answer {
    pub(super) instance: String,
    /// Its page, or why there is none.
    pub(super) page: Result<Bytes, String>,
    pub(super) took: Duration,
}

/// The request to each process.
pub(super) struct Question {
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) patience: Duration,
}

/// Scrapes the process at `address`, up to the `left` bytes; or returns why it failed.
pub(super) async fn ask(
    address: &Address,
    question: Question,
    left: &AtomicUsize,
) -> Result<Bytes, String> {
    if !address.is_local() {
        return Err("it is not on this machine".to_owned());
    }
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await;
            exchange(stream.map_err(|error| error.to_string())?, question, left).await
        }
        #[cfg(unix)]
        Address::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(path).await;
            exchange(stream.map_err(|error| error.to_string())?, question, left).await
        }
        #[cfg(not(unix))]
        Address::Unix(_) => Err("this system has no Unix sockets".to_owned()),
    }
}

async fn exchange<S>(stream: S, question: Question, left: &AtomicUsize) -> Result<Bytes, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let said = |error: hyper::Error| error.to_string();
    let mut request = Request::get(question.path)
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "text/plain;version=0.0.4")
        .header(
            "x-prometheus-scrape-timeout-seconds",
            question.patience.as_secs_f64().to_string(),
        );
    if let Some(authorization) = question.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(axum::body::Body::empty());
    let request = request.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    // Aborted when this request ends, for any reason.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(said)?;
    if response.status() != StatusCode::OK {
        return Err(format!("it answered {}", response.status()));
    }
    let mut body = response.into_body();
    let mut page = BytesMut::new();
    while let Some(frame) = next(&mut body).await {
        let Ok(data) = frame.map_err(said)?.into_data() else {
            continue;
        };
        let less = |left: usize| left.checked_sub(data.len());
        if left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_err()
        {
            return Err("the pages are too long in total".to_owned());
        }
        page.extend_from_slice(&data);
    }
    Ok(page.freeze())
}

async fn next(
    body: &mut hyper::body::Incoming,
) -> Option<Result<http_body::Frame<Bytes>, hyper::Error>> {
    std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await
}
