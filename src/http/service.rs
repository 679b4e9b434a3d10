use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body as AxumBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::mode::Axum;
use super::protocol::{Guard, Http};
use super::session;
use super::upload::Upload;
use crate::exchange::{self, Generic, Recorded, RequestBody, ResponseBody};

/// A service whose requests are recorded; created by [`HttpLayer`](super::HttpLayer).
pub type HttpService<S, M = Axum> = Recorded<S, Http, M>;

/// The future of [`HttpService`]. Dropping it before completion records the request as one whose
/// client disconnected.
pub type ResponseFuture<F, M = Axum> = exchange::ResponseFuture<F, Http, M>;

/// A response body; records its request when it ends, fails, or is dropped early.
pub type InstrumentedBody<B> = ResponseBody<B, Http>;

/// A request body whose bytes are counted as they are read.
pub type CountedBody<B> = RequestBody<B, Upload>;

/// For requests with axum's own body, as from routers, which are forwarded without being taken
/// apart. [`HttpLayer::generic`](super::HttpLayer::generic) takes any body.
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
        let mut guard = self.shared.begin(&request);
        if session::is_asked(&request) {
            session::offer(&mut guard, request.extensions_mut());
        }
        let body = request.body_mut();
        let inside = guard.inside();
        let is_over = body.is_end_stream();
        inside.left();
        if !is_over && let Some(upload) = Upload::of(&mut guard) {
            let counted = CountedBody::new(std::mem::take(body), Some(upload));
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
        let mut guard = self.shared.begin(&request);
        let asks = session::is_asked(&request);
        let mut request = counted(request, &mut guard);
        if asks {
            session::offer(&mut guard, request.extensions_mut());
        }
        let inside = guard.inside();
        let inner = self.inner.call(request);
        inside.left();
        ResponseFuture::new(inner, guard)
    }
}

/// Wraps the request body for counting, unless it is empty or not counted.
#[inline]
fn counted<B: Body>(request: Request<B>, guard: &mut Guard) -> Request<CountedBody<B>> {
    request.map(|body| {
        let inside = guard.inside();
        let is_over = body.is_end_stream();
        inside.left();
        let upload = (!is_over).then(|| Upload::of(guard));
        CountedBody::new(body, upload.flatten())
    })
}
