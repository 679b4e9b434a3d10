use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::guard::Guard;
use super::protocol::{Fails, Generic, Protocol, Reads, Wrap};

/// A boxed error of a service, as used by tower's middleware.
pub type BoxError = Box<dyn Error + Send + Sync>;

pin_project! {
    /// The future of a service whose requests or calls are recorded. Dropping it before completion
    /// records that the caller has given up.
    pub struct ResponseFuture<F, P: Protocol, M = Generic> {
        #[pin]
        inner: F,
        guard: Guard<P>,
        mode: PhantomData<fn() -> M>,
    }
}

impl<F, P: Protocol, M> ResponseFuture<F, P, M> {
    #[inline]
    pub(crate) fn new(inner: F, guard: Guard<P>) -> Self {
        Self {
            inner,
            guard,
            mode: PhantomData,
        }
    }
}

impl<F, P, M, B, E> Future for ResponseFuture<F, P, M>
where
    F: Future<Output = Result<Response<B>, E>>,
    P: Reads<B> + Fails<E>,
    M: Wrap<B, P>,
    B: Body,
{
    type Output = Result<Response<M::Body>, E>;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would move the response again")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        P::polled();
        let inside = this.guard.inside();
        let polled = this.inner.poll(cx);
        inside.left();
        match polled {
            Poll::Pending => {
                P::pending(this.guard);
                Poll::Pending
            }
            Poll::Ready(Ok(response)) => {
                let mut guard = std::mem::take(this.guard);
                // Taken apart and rebuilt: `Response::map` moves the whole head more often.
                let (head, body) = response.into_parts();
                P::begun(&mut guard, &head, &body);
                Poll::Ready(Ok(Response::from_parts(head, M::wrap(body, guard))))
            }
            Poll::Ready(Err(mut error)) => {
                P::failed(this.guard, &mut error);
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F: fmt::Debug, P: Protocol, M> fmt::Debug for ResponseFuture<F, P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .field("guard", &self.guard)
            .finish()
    }
}

pin_project! {
    /// A future with a boxed error, whose causes can be inspected.
    #[derive(Debug)]
    pub struct BoxedErr<F> {
        #[pin]
        inner: F,
    }
}

impl<F> BoxedErr<F> {
    #[inline]
    pub(crate) fn new(inner: F) -> Self {
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
