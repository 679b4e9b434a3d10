use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ClientBody;
use super::call::Call;
use super::error::BoxError;

pin_project! {
    /// The future of [`HttpClientService`](super::HttpClientService). Dropping it before it is
    /// ready records the request as cancelled.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, call: Call) -> Self {
        Self {
            inner,
            call: Some(call),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Into<BoxError>,
{
    type Output = Result<Response<ClientBody<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(call) = this.call {
            call.inside(true);
        }
        let polled = this.inner.poll(cx);
        if let Some(call) = this.call {
            call.inside(false);
        }
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(response)) => {
                let (head, body) = response.into_parts();
                let mut call = this.call.take();
                if let Some(begun) = &mut call {
                    begun.begun(head.status.as_u16());
                    if body.is_end_stream() {
                        // Recorded by being dropped: there is nothing to wait for.
                        call = None;
                    }
                }
                let body = ClientBody::new(body, call);
                Poll::Ready(Ok(Response::from_parts(head, body)))
            }
            Poll::Ready(Err(error)) => {
                let error: BoxError = error.into();
                if let Some(mut call) = this.call.take() {
                    call.failed(&*error);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}
