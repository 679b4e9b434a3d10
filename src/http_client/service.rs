use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ClientBody;
use super::call::Shared;
use super::error::BoxError;
use super::future::ResponseFuture;
use crate::util::RequestHead;

/// A client whose requests are recorded; made by [`HttpClientLayer`](super::HttpClientLayer).
///
/// Its error is boxed, as the middleware of tower does it, so that it can be asked for its
/// causes; otherwise it is passed on as it is.
#[derive(Clone, Debug)]
pub struct HttpClientService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> HttpClientService<S> {
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

impl<S, B, R> Service<Request<B>> for HttpClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Response = Response<ClientBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(|error| {
            let error = error.into();
            self.shared.refused(&*error);
            error
        })
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut call = self.shared.begin(RequestHead::of(&request));
        call.inside(true);
        let inner = self.inner.call(request);
        call.inside(false);
        ResponseFuture::new(inner, call)
    }
}
