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
        call: Call,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, call: Call) -> Self {
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
        this.call.inside(true);
        let polled = this.inner.poll(cx);
        this.call.inside(false);
        let result = ready!(polled);
        let mut call = std::mem::take(this.call);
        Poll::Ready(match result {
            Ok(response) => {
                // Apart and together again: `Response::map` moves the whole head more often.
                let (head, body) = response.into_parts();
                call.begun(&head, &body);
                Ok(Response::from_parts(head, ResponseBody::new(body, call)))
            }
            Err(mut error) => {
                call.failed(&mut error);
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
