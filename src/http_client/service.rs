use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::protocol::HttpClient;
use crate::exchange::{BoxError, BoxedErr, Recorded, ResponseBody, ResponseFuture};
use crate::util::RequestHead;

/// A client whose requests are recorded; created by [`HttpClientLayer`](super::HttpClientLayer).
///
/// Its error is boxed, as in tower's middleware, so that its causes can be inspected; otherwise it
/// is unchanged.
pub type HttpClientService<S> = Recorded<S, HttpClient>;

/// The body of a response to an outgoing request; records the request when it ends, fails, or is
/// dropped.
pub type ClientBody<B> = ResponseBody<B, HttpClient>;

impl<S, B, R> Service<Request<B>> for HttpClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Response = Response<ClientBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<BoxedErr<S::Future>, HttpClient>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(|error| {
            let error = error.into();
            self.shared.refused(&*error);
            error
        })
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut guard = self.shared.begin(RequestHead::of(&request));
        let inside = guard.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(BoxedErr::new(inner), guard)
    }
}
