use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::guard::Guard;
use super::protocol::{Counts, Protocol, Reads};

pin_project! {
    /// The body of a response; records its request or call when it ends, fails, or is dropped
    /// early.
    ///
    /// Forwards every frame, the size hint and the end of the inner body unchanged.
    pub struct ResponseBody<B, P: Protocol> {
        #[pin]
        inner: B,
        guard: Guard<P>,
    }
}

impl<B, P: Protocol> ResponseBody<B, P> {
    #[inline]
    pub(crate) fn new(inner: B, guard: Guard<P>) -> Self {
        Self { inner, guard }
    }

    /// Returns the inner body.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body, P: Reads<B>> Body for ResponseBody<B, P> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let inside = this.guard.inside();
        let mut polled = this.inner.as_mut().poll_frame(cx);
        inside.left();
        match &mut polled {
            Poll::Pending => P::waits(this.guard),
            Poll::Ready(None) => P::over(this.guard),
            Poll::Ready(Some(Err(error))) => P::broken(this.guard, error),
            Poll::Ready(Some(Ok(frame))) => {
                P::passed(this.guard, frame, || this.inner.is_end_stream());
            }
        }
        polled
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: fmt::Debug, P: Protocol> fmt::Debug for ResponseBody<B, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .field("guard", &self.guard)
            .finish()
    }
}

pin_project! {
    /// The body of a request; counts what is read from it.
    ///
    /// Forwards every frame, the size hint and the end of the inner body unchanged.
    #[derive(Debug)]
    pub struct RequestBody<B, C> {
        #[pin]
        inner: B,
        count: Option<C>,
    }
}

impl<B, C> RequestBody<B, C> {
    #[inline]
    pub(crate) fn new(inner: B, count: Option<C>) -> Self {
        Self { inner, count }
    }

    /// Returns the inner body.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body, C: Counts<B>> Body for RequestBody<B, C> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Poll::Ready(Some(frame)) = &polled
            && let Some(count) = this.count
        {
            match frame {
                Ok(frame) => count.passed(frame),
                Err(error) => count.broken(error),
            }
        }
        polled
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
