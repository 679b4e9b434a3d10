//! TLS on the listener: the handshake, HTTP/2 if the client offers it, and reloading of the files.

mod error;
mod files;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use self::files::{Content, HTTP_2};
use super::answers::{Answers, BUFFER, Stop, http1, until_done};
use super::refused::Refusal;
use crate::config;

pub use error::TlsError;

/// The interval of reloading the files.
const EVERY: Duration = Duration::from_secs(10);

/// The limit of concurrent requests on a connection; a browser opens fewer for one page.
const STREAMS: u32 = 16;

/// The limit of unread request body data; a command is far shorter.
const WINDOW: u32 = 64 * 1024;

/// The certificates of a listener.
#[derive(Clone)]
pub(super) struct Tls(Arc<Inner>);

struct Inner {
    files: config::Tls,
    current: Mutex<(Arc<Content>, Arc<ServerConfig>)>,
}

impl Tls {
    pub(super) fn load(files: &config::Tls) -> Result<Self, TlsError> {
        let content = Content::read(files)?;
        let config = content.config(files)?;
        Ok(Self(Arc::new(Inner {
            files: files.clone(),
            current: Mutex::new((Arc::new(content), config)),
        })))
    }

    /// Reloads the files periodically, until it is dropped.
    pub(super) async fn renew(&self) {
        loop {
            sleep(EVERY).await;
            let inner = Arc::clone(&self.0);
            // Invalid files, as during a replacement, are tried again next time.
            let _ = tokio::task::spawn_blocking(move || inner.read()).await;
        }
    }

    /// Serves a connection from its handshake to its end.
    pub(super) async fn serve<I>(
        &self,
        io: I,
        answers: Answers,
        mut stop: Stop<'_>,
    ) -> Result<(), Refusal>
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let config = Arc::clone(&self.0.current.lock().1);
        let stream = tokio::select! {
            biased;
            stream = TlsAcceptor::from(config).accept(io) => stream.map_err(|_| Refusal::Tls)?,
            () = &mut stop => return Ok(()),
        };
        if stream.get_ref().1.alpn_protocol() != Some(HTTP_2) {
            return http1(stream, answers, stop).await;
        }
        answers.place.multiplexes();
        let mut http = http2::Builder::new(TokioExecutor::new());
        // Beyond the defaults of hyper, which close a connection with rapid resets.
        http.max_concurrent_streams(STREAMS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(BUFFER)
            .max_send_buf_size(BUFFER as usize);
        let connection = http.serve_connection(TokioIo::new(stream), answers);
        let ended = until_done(connection, http2::Connection::graceful_shutdown, stop).await;
        match ended {
            Err(error) if is_offence(&error) => Err(Refusal::Broken),
            _ => Ok(()),
        }
    }
}

/// Whether the peer violated the protocol, or reset its requests too often; a disconnect is no
/// violation.
fn is_offence(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref());
    source.is_some_and(|error: &h2::Error| !error.is_io())
}

impl Inner {
    fn read(&self) -> Result<(), TlsError> {
        let content = Content::read(&self.files)?;
        let known = Arc::clone(&self.current.lock().0);
        if *known != content {
            let config = content.config(&self.files)?;
            *self.current.lock() = (Arc::new(content), config);
        }
        Ok(())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

#[cfg(test)]
mod tests;
