use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use super::body::{RequestBody, ResponseBody};
use super::call::Call;
use super::future::ResponseFuture;
use super::methods::Methods;
use crate::util::RequestHead;

/// A service whose gRPC calls are recorded; made by [`GrpcLayer`](super::GrpcLayer).
///
/// A layer around a single generated server keeps its name, so that it can still be given to
/// `add_service`.
#[derive(Clone, Debug)]
pub struct GrpcService<S> {
    inner: S,
    methods: Arc<Methods>,
}

impl<S> GrpcService<S> {
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

impl<S: NamedService> NamedService for GrpcService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B, R> Service<Request<B>> for GrpcService<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: 'static,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut call, tally) = Call::begin(&self.methods, RequestHead::of(&request));
        let request = request.map(|body| RequestBody::new(body, tally));
        call.inside(true);
        let inner = self.inner.call(request);
        call.inside(false);
        ResponseFuture::new(inner, call)
    }
}
