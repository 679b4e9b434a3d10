use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body as AxumBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{CountedBody, InstrumentedBody};
use super::future::ResponseFuture;
use super::layer::Shared;
use super::mode::{Axum, Generic};

/// A service whose requests are recorded; made by [`HttpLayer`](super::HttpLayer).
#[derive(Debug)]
pub struct HttpService<S, M = Axum> {
    inner: S,
    shared: Arc<Shared>,
    mode: PhantomData<fn() -> M>,
}

impl<S, M> HttpService<S, M> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            shared,
            mode: PhantomData,
        }
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

impl<S: Clone, M> Clone for HttpService<S, M> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.shared))
    }
}

impl<S, B, R> Service<Request<B>> for HttpService<S, Axum>
where
    S: Service<Request<AxumBody>, Response = Response<R>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<AxumBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Axum>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut guard = self.shared.begin(&request);
        guard.inside(true);
        let request = request.map(|body| {
            if body.is_end_stream() {
                return AxumBody::new(body);
            }
            match guard.count_request() {
                Some(read) => AxumBody::new(CountedBody::new(body, Some(read))),
                None => AxumBody::new(body),
            }
        });
        let inner = self.inner.call(request);
        guard.inside(false);
        ResponseFuture::new(inner, guard)
    }
}

impl<S, B, R> Service<Request<B>> for HttpService<S, Generic>
where
    S: Service<Request<CountedBody<B>>, Response = Response<R>>,
    B: Body,
    R: Body,
{
    type Response = Response<InstrumentedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Generic>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut guard = self.shared.begin(&request);
        guard.inside(true);
        let request = request.map(|body| {
            let read = (!body.is_end_stream()).then(|| guard.count_request());
            CountedBody::new(body, read.flatten())
        });
        let inner = self.inner.call(request);
        guard.inside(false);
        ResponseFuture::new(inner, guard)
    }
}
