use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Extensions, Method, Request, Version, header};

use super::protocol::{Guard, Series};
use crate::exchange::Entered;
use crate::util::Mark;

/// The lifetime of an upgraded connection, such as a WebSocket.
///
/// A server takes an upgraded connection out of HTTP, and no layer sees it again. So the
/// application measures it: the handler takes the session from the request and holds it, or a
/// clone, as long as the connection is in use. From the `101` (for CONNECT, the 2xx) until the last
/// clone is dropped the request is in flight; then its lifetime since the start of the request is
/// recorded in `http_session_duration_seconds`, once.
///
/// ```
/// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use selfheal::http::HttpSession;
///
/// async fn live(session: HttpSession, upgrade: WebSocketUpgrade) -> Response {
///     upgrade.on_upgrade(|socket| session.hold(talk(socket)))
/// }
///
/// async fn talk(socket: WebSocket) {}
/// ```
///
/// Otherwise the connection is not measured after its `101`: hyper passes it on through an
/// `OnUpgrade` in the request, which no layer can create or wrap, and which has one owner. If there
/// is nothing to measure (no layer, an excluded path, no upgrade), the session has no effect.
#[derive(Clone, Default)]
#[must_use = "the session ends when it is dropped"]
pub struct HttpSession(Option<Arc<Life>>);

struct Life {
    series: Arc<Series>,
    start: Option<Mark>,
    stands_for: u32,
    /// Set once the upgrade was granted.
    begun: OnceLock<Entered>,
}

impl HttpSession {
    fn new(series: &Arc<Series>, start: Option<Mark>, stands_for: u32) -> Self {
        Self(Some(Arc::new(Life {
            series: Arc::clone(series),
            start,
            stands_for,
            begun: OnceLock::new(),
        })))
    }

    /// Takes the session out of a request's extensions, for services other than axum's.
    pub fn take(extensions: &mut Extensions) -> Self {
        extensions.remove().unwrap_or_default()
    }

    /// Awaits the future that uses the connection; the session ends with it, or when it is dropped.
    pub async fn hold<T>(self, connection: impl Future<Output = T>) -> T {
        let _until_the_end = self;
        connection.await
    }

    /// Starts the session when the upgrade was granted, unless nothing else holds it, so that its
    /// end would never be seen.
    pub(super) fn granted(self) {
        if let Some(life) = &self.0
            && Arc::strong_count(life) > 1
        {
            life.begun.get_or_init(|| life.series.enter());
        }
    }
}

/// Puts a session into the request's extensions if the request asks for an upgrade.
#[cold]
pub(super) fn offer(guard: &mut Guard, extensions: &mut Extensions) {
    if let Some(state) = guard.state_mut() {
        let session = HttpSession::new(&state.series, state.start, state.progress.stands_for);
        state.progress.upgrade = Some(session.clone());
        extensions.insert(session);
    }
}

/// Whether a request asks for an upgrade: RFC 9110, section 7.8, for HTTP/1.1 only, or CONNECT,
/// which HTTP/2 uses for it (RFC 8441).
#[inline]
pub(super) fn is_asked<B>(request: &Request<B>) -> bool {
    let upgrades = request.version() == Version::HTTP_11;
    (upgrades && request.headers().contains_key(header::UPGRADE))
        || *request.method() == Method::CONNECT
}

impl Drop for Life {
    fn drop(&mut self) {
        let Some(entered) = self.begun.take() else {
            return;
        };
        if let Some(start) = self.start {
            let lived = self.series.recorder.clock.since(start).as_secs_f64();
            let series = &self.series;
            for histogram in series.name.sessions(&series.recorder) {
                histogram.observe_n(lived, self.stands_for);
            }
        }
        self.series.leave(entered);
    }
}

impl<S: Sync> FromRequestParts<S> for HttpSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::take(&mut parts.extensions))
    }
}

impl fmt::Debug for HttpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "HttpSession",
            None => "HttpSession(of nothing)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_counts_in_http_1_1_alone() {
        for (version, asks) in [
            (Version::HTTP_10, false),
            (Version::HTTP_11, true),
            (Version::HTTP_2, false),
        ] {
            let request = Request::get("/").version(version);
            let request = request.header(header::UPGRADE, "websocket").body(());
            assert_eq!(is_asked(&request.unwrap()), asks, "{version:?}");
        }
        let connect = Request::connect("/").version(Version::HTTP_2).body(());
        assert!(is_asked(&connect.unwrap()));
    }
}
