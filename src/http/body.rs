use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::guard::Guard;
use super::outcome::End;

pin_project! {
    /// A response body that records its request when it ends, fails, or is dropped early.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct InstrumentedBody<B> {
        #[pin]
        inner: B,
        guard: Option<Guard>,
    }
}

impl<B> InstrumentedBody<B> {
    #[inline]
    pub(super) fn new(inner: B, guard: Option<Guard>) -> Self {
        Self { inner, guard }
    }

    /// The body inside.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body> Body for InstrumentedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = Guard::around(this.guard.as_mut(), || this.inner.as_mut().poll_frame(cx));
        let frame = ready!(polled);
        if let Some(guard) = this.guard {
            let end = match &frame {
                None => Some(End::Complete),
                Some(Err(_)) => Some(End::Failed),
                Some(Ok(frame)) => {
                    guard.passed(frame.data_ref().map_or(0, Buf::remaining));
                    // Servers ask this too, and then never for the frame after the last.
                    this.inner.is_end_stream().then_some(End::Complete)
                }
            };
            if let Some(end) = end {
                guard.end(end);
                *this.guard = None;
            }
        }
        Poll::Ready(frame)
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
