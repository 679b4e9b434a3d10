use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::Call;

pin_project! {
    /// The body of a response to an outgoing request, which is recorded when it ends, fails,
    /// or is dropped.
    ///
    /// It passes on every frame, the size and the end of the body inside unchanged.
    #[derive(Debug)]
    pub struct ClientBody<B> {
        #[pin]
        inner: B,
        call: Call,
    }
}

impl<B> ClientBody<B> {
    pub(super) fn new(inner: B, call: Call) -> Self {
        Self { inner, call }
    }

    /// The body inside.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body> Body for ClientBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        this.call.inside(true);
        let polled = this.inner.as_mut().poll_frame(cx);
        this.call.inside(false);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.call.complete(),
            Poll::Ready(Some(Err(_))) => this.call.broken(),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                this.call.passed(bytes, || this.inner.is_end_stream());
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
