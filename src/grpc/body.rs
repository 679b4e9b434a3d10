use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(tally) = this.tally
            && let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            tally.add(this.frames.feed(data));
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

pin_project! {
    /// The body of a response that counts its messages and records the call when it ends,
    /// fails, or is dropped early.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        frames: FrameCounter,
        call: Option<Call>,
    }
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) fn new(inner: B, call: Option<Call>) -> Self {
        Self {
            inner,
            frames: FrameCounter::default(),
            call,
        }
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
        let polled = Call::around(this.call.as_mut(), || this.inner.as_mut().poll_frame(cx));
        let frame = ready!(polled);
        if let Some(call) = this.call {
            let over = match &frame {
                None => {
                    call.no_trailers();
                    true
                }
                Some(Err(error)) => {
                    call.failed(error);
                    true
                }
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        call.answered(this.frames.feed(data));
                    } else if let Some(trailers) = frame.trailers_ref() {
                        call.trailers(trailers);
                    }
                    // A reader may ask this, and then never for the frame after the last.
                    let over = frame.is_trailers() || this.inner.is_end_stream();
                    if over {
                        call.no_trailers();
                    }
                    over
                }
            };
            if over {
                *this.call = None;
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
