use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::guard::Guard;
use super::state::{BROKEN_OFF, CLIENT_GONE};
use super::upload;

pin_project! {
    /// A response body that records its request when it ends, fails, or is dropped early.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct InstrumentedBody<B> {
        #[pin]
        inner: B,
        guard: Guard,
    }
}

impl<B> InstrumentedBody<B> {
    #[inline]
    pub(super) fn new(inner: B, guard: Guard) -> Self {
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
        let inside = this.guard.inside();
        let polled = this.inner.as_mut().poll_frame(cx);
        inside.left();
        match &polled {
            Poll::Pending => this.guard.waits(),
            Poll::Ready(None) => this.guard.over(),
            Poll::Ready(Some(Err(_))) => this.guard.failed(),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                this.guard.passed(bytes, || this.inner.is_end_stream());
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

pin_project! {
    /// A request body whose bytes are counted as they are read.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct CountedBody<B> {
        #[pin]
        inner: B,
        read: Option<Arc<AtomicU64>>,
    }
}

impl<B> CountedBody<B> {
    #[inline]
    pub(super) fn new(inner: B, read: Option<Arc<AtomicU64>>) -> Self {
        Self { inner, read }
    }

    /// The body inside.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body<Error: 'static>> Body for CountedBody<B> {
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
            && let Some(read) = this.read
        {
            match frame {
                Ok(frame) => {
                    let bytes = frame.data_ref().map_or(0, Buf::remaining);
                    read.fetch_add(bytes as u64, Ordering::Relaxed);
                }
                Err(error) => {
                    let gone = upload::client_is_gone(error).then_some(CLIENT_GONE);
                    read.fetch_or(BROKEN_OFF | gone.unwrap_or_default(), Ordering::Relaxed);
                }
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
