use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::InstrumentedBody;
use super::guard::Guard;
use super::outcome::End;

pin_project! {
    /// The future of [`HttpService`](super::HttpService). Dropping it before it is ready
    /// records the request as one whose client hung up.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        guard: Option<Guard>,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, guard: Option<Guard>) -> Self {
        Self { inner, guard }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<InstrumentedBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = Guard::around(this.guard.as_mut(), || this.inner.poll(cx));
        let mut guard = None;
        match ready!(polled) {
            Ok(response) => {
                if let Some(mut begun) = this.guard.take()
                    && begun.begun(response.status(), response.headers(), response.body())
                {
                    guard = Some(begun);
                }
                Poll::Ready(Ok(response.map(|body| InstrumentedBody::new(body, guard))))
            }
            Err(error) => {
                if let Some(mut failed) = this.guard.take() {
                    failed.end(End::Failed);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}
