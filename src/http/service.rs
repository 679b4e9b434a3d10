use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::InstrumentedBody;
use super::future::ResponseFuture;
use super::guard::Guard;
use super::layer::Shared;

/// A service whose requests are recorded; made by [`HttpLayer`](super::HttpLayer).
#[derive(Clone, Debug)]
pub struct HttpService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> HttpService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// The service inside.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside; requests that have begun are still recorded.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for HttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<InstrumentedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut guard = self.shared.begin(&request);
        let inner = Guard::around(guard.as_mut(), || self.inner.call(request));
        ResponseFuture::new(inner, guard)
    }
}
