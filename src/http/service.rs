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
use super::guard::Guard;
use super::layer::Endpoint;
use super::mode::{Axum, Generic};
use super::session;

/// A service whose requests are recorded; made by [`HttpLayer`](super::HttpLayer).
#[derive(Debug)]
pub struct HttpService<S, M = Axum> {
    inner: S,
    endpoint: Arc<Endpoint>,
    mode: PhantomData<fn() -> M>,
}

impl<S, M> HttpService<S, M> {
    pub(super) fn new(inner: S, endpoint: Arc<Endpoint>) -> Self {
        Self {
            inner,
            endpoint,
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
        Self::new(self.inner.clone(), Arc::clone(&self.endpoint))
    }
}

/// For requests with axum's own body, as routers hand them on, which are passed without being
/// taken apart. [`HttpLayer::generic`](super::HttpLayer::generic) takes any.
impl<S, R> Service<Request<AxumBody>> for HttpService<S, Axum>
where
    S: Service<Request<AxumBody>, Response = Response<R>>,
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
    fn call(&mut self, mut request: Request<AxumBody>) -> Self::Future {
        let mut guard = self.endpoint.begin(&request);
        if session::is_asked(&request) {
            guard.offer_session(request.extensions_mut());
        }
        let body = request.body_mut();
        let inside = guard.inside();
        let is_over = body.is_end_stream();
        inside.left();
        if !is_over && let Some(read) = guard.count_request() {
            let counted = CountedBody::new(std::mem::take(body), Some(read));
            *body = AxumBody::new(counted);
        }
        let inside = guard.inside();
        let inner = self.inner.call(request);
        inside.left();
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
        let mut guard = self.endpoint.begin(&request);
        if session::is_asked(&request) {
            return self.call_for_session(request, guard);
        }
        let request = counted(request, &mut guard);
        let inside = guard.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(inner, guard)
    }
}

impl<S> HttpService<S, Generic> {
    /// Apart, for a request that is not written to in between is moved once less.
    #[cold]
    #[inline(never)]
    fn call_for_session<B: Body>(
        &mut self,
        mut request: Request<B>,
        mut guard: Guard,
    ) -> ResponseFuture<S::Future, Generic>
    where
        S: Service<Request<CountedBody<B>>>,
    {
        guard.offer_session(request.extensions_mut());
        let request = counted(request, &mut guard);
        let inside = guard.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(inner, guard)
    }
}

/// The request with a body that counts, if there is anything to.
#[inline]
fn counted<B: Body>(request: Request<B>, guard: &mut Guard) -> Request<CountedBody<B>> {
    request.map(|body| {
        let inside = guard.inside();
        let is_over = body.is_end_stream();
        inside.left();
        let read = (!is_over).then(|| guard.count_request());
        CountedBody::new(body, read.flatten())
    })
}
