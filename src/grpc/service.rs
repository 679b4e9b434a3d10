use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use super::metrics::{Made, Served};
use super::protocol::Grpc;
use super::tally::Messages;
use crate::exchange::{self, BoxError, BoxedErr, Recorded, ResponseFuture};
use crate::util::RequestHead;

/// A service whose gRPC calls are recorded; created by [`GrpcLayer`](super::GrpcLayer).
///
/// Around a single generated server it keeps that server's name, so `add_service` accepts it.
pub type GrpcService<S> = Recorded<S, Grpc, Served>;

/// A client service whose calls are recorded; created by
/// [`GrpcClientLayer`](super::GrpcClientLayer).
///
/// The inner service takes [`tonic::body::Body`], as a `Channel` does. Its error is boxed, as in
/// tower's middleware, and otherwise unchanged.
pub type GrpcClientService<S> = Recorded<S, Grpc, Made>;

/// The body of a request whose messages are counted as they pass.
pub type RequestBody<B> = exchange::RequestBody<B, Messages>;

/// The body of a response; counts its messages and records the call when it ends, fails, or is
/// dropped early.
pub type ResponseBody<B> = exchange::ResponseBody<B, Grpc>;

impl<S: NamedService> NamedService for GrpcService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B, R> Service<Request<B>> for GrpcService<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: 'static,
    R: Body<Data = Bytes, Error: 'static>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Grpc>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut call, tally) = self.shared.begin(RequestHead::of(&request));
        let request = request.map(|body| RequestBody::new(body, tally.map(Messages::new)));
        let inside = call.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(inner, call)
    }
}

impl<S, B, R> Service<Request<B>> for GrpcClientService<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes, Error: 'static>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<BoxedErr<S::Future>, Grpc>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(|error| {
            let mut error = error.into();
            self.shared.refused(&mut error);
            error
        })
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut call, tally) = self.shared.begin(RequestHead::of(&request));
        let request = request.map(|body| match tally {
            Some(tally) => {
                tonic::body::Body::new(RequestBody::new(body, Some(Messages::new(tally))))
            }
            None => tonic::body::Body::new(body),
        });
        let inside = call.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(BoxedErr::new(inner), call)
    }
}
