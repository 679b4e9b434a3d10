use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ClientBody;
use super::call::Call;
use super::error::{BoxError, ERROR};

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

    /// Polls the future inside; `failed` tells the call of an error and hands that on.
    pub(super) fn poll_with<B, E, O>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        failed: impl FnOnce(Option<Call>, E) -> O,
    ) -> Poll<Result<Response<ClientBody<B>>, O>>
    where
        F: Future<Output = Result<Response<B>, E>>,
        B: Body,
    {
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
                    begun.begun(head.status.as_u16(), &head.extensions);
                    if body.is_end_stream() {
                        // Recorded by being dropped: there is nothing to wait for.
                        call = None;
                    }
                }
                let body = ClientBody::new(body, call);
                Poll::Ready(Ok(Response::from_parts(head, body)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(failed(this.call.take(), error))),
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
        self.poll_with(cx, |call, error: E| {
            let error = error.into();
            if let Some(mut call) = call {
                call.failed(&*error, ERROR);
            }
            error
        })
    }
}
