use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::Call;
use super::frames::FrameCounter;
use super::tally::Tally;

pin_project! {
    /// The body of a request whose messages are counted as they pass. It passes on every
    /// frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        frames: FrameCounter,
        tally: Option<Tally>,
    }
}

impl<B> RequestBody<B> {
    #[inline]
    pub(super) fn new(inner: B, tally: Option<Tally>) -> Self {
        Self {
            inner,
            frames: FrameCounter::default(),
            tally,
        }
    }

    /// The body inside.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Some(tally) = this.tally
            && let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            tally.add(this.frames.feed(data));
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
    /// The body of a response that counts its messages and records the call when it ends,
    /// fails, or is dropped early.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        call: Call,
    }
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) fn new(inner: B, call: Call) -> Self {
        Self { inner, call }
    }

    /// The body inside.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B>
where
    B::Error: 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        this.call.inside(true);
        let mut polled = this.inner.as_mut().poll_frame(cx);
        this.call.inside(false);
        match &mut polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.call.codeless(),
            Poll::Ready(Some(Err(error))) => this.call.broken(error),
            Poll::Ready(Some(Ok(frame))) => this.call.passed(frame, || this.inner.is_end_stream()),
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
