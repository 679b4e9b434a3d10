use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{RequestBody, ResponseBody};
use super::call::Call;
use super::future::{BoxedErr, ResponseFuture};
use super::methods::Methods;
use super::status::BoxError;
use crate::util::RequestHead;

/// A client service whose calls are recorded; made by
/// [`GrpcClientLayer`](super::GrpcClientLayer).
///
/// The service inside takes [`tonic::body::Body`], as a `Channel` does. Its error is boxed, as
/// the middleware of tower does it, and otherwise passed on as it is.
#[derive(Clone, Debug)]
pub struct GrpcClientService<S> {
    inner: S,
    methods: Arc<Methods>,
}

impl<S> GrpcClientService<S> {
    pub(super) fn new(inner: S, methods: Arc<Methods>) -> Self {
        Self { inner, methods }
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

    /// The service inside; calls that have begun are still recorded.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for GrpcClientService<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<BoxedErr<S::Future>>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(|error| {
            let mut error = error.into();
            Call::refused(&self.methods, &mut error);
            error
        })
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut call, tally) = Call::begin(&self.methods, RequestHead::of(&request));
        let request = request.map(|body| match tally {
            Some(_) => tonic::body::Body::new(RequestBody::new(body, tally)),
            None => tonic::body::Body::new(body),
        });
        call.inside(true);
        let inner = self.inner.call(request);
        call.inside(false);
        ResponseFuture::new(BoxedErr::new(inner), call)
    }
}
