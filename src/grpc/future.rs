use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ResponseBody;
use super::call::Call;
use super::status::BoxError;

pin_project! {
    /// The future of [`GrpcService`](super::GrpcService) and
    /// [`GrpcClientService`](super::GrpcClientService). Dropping it before it is ready records
    /// the call as cancelled, or its deadline as exceeded.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, call: Option<Call>) -> Self {
        Self { inner, call }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
    E: 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = Call::around(this.call.as_mut(), || this.inner.poll(cx));
        let result = ready!(polled);
        let call = this.call.take();
        Poll::Ready(match result {
            Ok(response) => {
                let more = |call: &mut Call| {
                    let no_body = response.body().is_end_stream();
                    call.begun(response.status(), response.headers(), no_body)
                };
                let call = call.and_then(|mut call| more(&mut call).then_some(call));
                Ok(response.map(|body| ResponseBody::new(body, call)))
            }
            Err(error) => {
                if let Some(mut call) = call {
                    call.failed(&error);
                }
                Err(error)
            }
        })
    }
}

pin_project! {
    /// A future whose error is boxed, so that it can be asked what it stems from.
    #[derive(Debug)]
    pub struct BoxedErr<F> {
        #[pin]
        inner: F,
    }
}

impl<F> BoxedErr<F> {
    #[inline]
    pub(super) fn new(inner: F) -> Self {
        Self { inner }
    }
}

impl<F, T, E> Future for BoxedErr<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(Into::into)
    }
}
