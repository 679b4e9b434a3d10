use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::server::{Limits, serve_alone};

/// Serves a single connection as a [`Listener`](crate::server::Listener) would, with its deadlines
/// and limits, over any stream: a test can use one in memory with tokio's time paused. Returns when
/// the connection has ended.
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use selfheal::{server::Limits, testing};
/// use tokio::time::Instant;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// tokio::time::pause();
/// let begin = Instant::now();
/// let (_silent, stream) = tokio::io::duplex(1024);
/// testing::serve_connection(stream, Router::new(), Limits::default()).await;
/// assert_eq!(begin.elapsed().as_secs(), Limits::default().head.as_secs());
/// # });
/// ```
///
/// # Cancel safety
/// Dropping the future drops the stream.
pub async fn serve_connection<S>(stream: S, router: Router, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    serve_alone(stream, router, limits).await;
}
