use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Extensions, Response as HttpResponse, Uri};
use pin_project_lite::pin_project;
use reqwest::{Body, Client, Error, Request, Response, ResponseBuilderExt};
use tower_service::Service;

use super::error::ERROR;
use super::layer::HttpClientLayer;
use super::protocol::{self, Guard, HttpClient};
use super::shared::Shared;
use crate::exchange::{Fails, ResponseFuture};
use crate::util::RequestHead;

impl HttpClientLayer {
    /// Wraps a client of `reqwest`, which has its own request and response types. Needs the feature
    /// `reqwest`.
    ///
    /// ```no_run
    /// use selfheal::http_client::HttpClientLayer;
    /// use selfheal::registry::Registry;
    ///
    /// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = HttpClientLayer::builder(Registry::global())
    ///     .host("api.github.com", "github")
    ///     .build()?;
    /// let client = layer.reqwest(reqwest::Client::new());
    ///
    /// let request = client.get_ref().get("http://api.github.com/zen").build()?;
    /// let zen = client.execute(request).await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn reqwest(&self, client: Client) -> ReqwestClient {
        ReqwestClient {
            client,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A `reqwest` client whose requests are recorded; created by [`HttpClientLayer::reqwest`].
///
/// Clones are cheap. It is also a tower service of `reqwest` requests, always ready, for layers
/// above it. Redirects that the client follows are part of one request, to the first host, until
/// the last response ends. Its timeouts are of the kind `timeout`, unless the application
/// [classifies](super::HttpClientLayerBuilder::error_kind) them otherwise. Requests sent directly
/// with [`RequestBuilder::send`](reqwest::RequestBuilder::send) are not recorded.
#[derive(Clone)]
pub struct ReqwestClient {
    client: Client,
    shared: Arc<Shared>,
}

impl ReqwestClient {
    /// Returns the inner client, for building requests.
    #[must_use]
    pub fn get_ref(&self) -> &Client {
        &self.client
    }

    /// Sends a request, as [`Client::execute`] does. Dropping the future before completion records
    /// the request as cancelled.
    ///
    /// # Errors
    /// The errors of the client, unchanged.
    pub fn execute(&self, request: Request) -> ReqwestFuture {
        // A URL that `reqwest` accepts and `http` does not is no declared host.
        let uri = request.url().as_str().parse().unwrap_or(Uri::default());
        let mut guard = self.shared.begin(RequestHead {
            method: request.method(),
            uri: &uri,
            headers: request.headers(),
            // The layer uses no extensions.
            extensions: &Extensions::new(),
        });
        let inside = guard.inside();
        let inner = (&self.client).call(request);
        inside.left();
        ReqwestFuture {
            inner: ResponseFuture::new(AsHttp { inner }, guard),
        }
    }
}

impl Service<Request> for ReqwestClient {
    type Response = Response;
    type Error = Error;
    type Future = ReqwestFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> ReqwestFuture {
        self.execute(request)
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`ReqwestClient`]. Dropping it before completion records the request as
    /// cancelled.
    pub struct ReqwestFuture {
        #[pin]
        inner: ResponseFuture<AsHttp, HttpClient>,
    }
}

impl Future for ReqwestFuture {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.project().inner.poll(cx);
        polled.map_ok(|response| response.map(Body::wrap).into())
    }
}

impl Fails<Error> for HttpClient {
    fn failed(guard: &mut Guard, error: &mut Error) {
        let kind = if error.is_timeout() { "timeout" } else { ERROR };
        protocol::failed(guard, error, kind);
    }
}

impl fmt::Debug for ReqwestFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// A response in flight, as a response of the crate `http`.
    struct AsHttp {
        #[pin]
        inner: <Client as Service<Request>>::Future,
    }
}

impl Future for AsHttp {
    type Output = Result<HttpResponse<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx))?;
        // `reqwest` reads the URL from the extensions when it converts the response back.
        let address = HttpResponse::builder().url(response.url().clone()).body(());
        let mut response = HttpResponse::from(response);
        if let Ok(address) = address {
            let extensions = address.into_parts().0.extensions;
            response.extensions_mut().extend(extensions);
        }
        Poll::Ready(Ok(response))
    }
}
