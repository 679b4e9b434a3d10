use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body as AxumBody;
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::InstrumentedBody;
use super::guard::Guard;
use super::mode::{Axum, Generic};
use crate::util::Unrecorded;

pin_project! {
    /// The future of [`HttpService`](super::HttpService). Dropping it before it is ready
    /// records the request as one whose client hung up.
    #[derive(Debug)]
    pub struct ResponseFuture<F, M = Axum> {
        #[pin]
        inner: F,
        guard: Guard,
        mode: PhantomData<fn() -> M>,
    }
}

impl<F, M> ResponseFuture<F, M> {
    #[inline]
    pub(super) fn new(inner: F, guard: Guard) -> Self {
        Self {
            inner,
            guard,
            mode: PhantomData,
        }
    }

    /// Polls the future inside; `wrap` puts the guard into the response body.
    #[inline]
    fn poll_with<B, R, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        wrap: impl FnOnce(B, Guard) -> R,
    ) -> Poll<Result<Response<R>, E>>
    where
        F: Future<Output = Result<Response<B>, E>>,
        B: Body,
    {
        let this = self.project();
        Unrecorded::listen();
        let inside = this.guard.inside();
        let polled = this.inner.poll(cx);
        inside.left();
        match polled {
            Poll::Pending => {
                this.guard.pending(Unrecorded::was_announced());
                Poll::Pending
            }
            Poll::Ready(Ok(response)) => {
                let mut guard = std::mem::take(this.guard);
                // Apart and together again: `Response::map` moves the whole head more often.
                let (head, body) = response.into_parts();
                guard.begun(&head, &body);
                Poll::Ready(Ok(Response::from_parts(head, wrap(body, guard))))
            }
            Poll::Ready(Err(error)) => {
                this.guard.failed();
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, Generic>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<InstrumentedBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, InstrumentedBody::new)
    }
}

impl<F, B, E> Future for ResponseFuture<F, Axum>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AxumBody>, E>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call would move the response once more"
    )]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, |body, guard| {
            if guard.is_on() {
                AxumBody::new(InstrumentedBody::new(body, guard))
            } else {
                AxumBody::new(body)
            }
        })
    }
}
