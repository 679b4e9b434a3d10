use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        call: Call,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, call: Call) -> Self {
        Self { inner, call }
    }

    /// Polls the future inside; `failed` tells the call of an error and hands that on.
    pub(super) fn poll_with<B, E, O>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        failed: impl FnOnce(&mut Call, E) -> O,
    ) -> Poll<Result<Response<ClientBody<B>>, O>>
    where
        F: Future<Output = Result<Response<B>, E>>,
        B: Body,
    {
        let this = self.project();
        this.call.inside(true);
        let polled = this.inner.poll(cx);
        this.call.inside(false);
        Poll::Ready(match ready!(polled) {
            Ok(response) => {
                let mut call = std::mem::take(this.call);
                let (head, body) = response.into_parts();
                call.begun(&head, &body);
                Ok(Response::from_parts(head, ClientBody::new(body, call)))
            }
            Err(error) => Err(failed(this.call, error)),
        })
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
            call.failed(&*error, ERROR);
            error
        })
    }
}
