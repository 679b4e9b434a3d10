use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

/// A response extension that marks its request as no traffic of the service: the HTTP layer does
/// not record it.
///
/// For routes that decide this themselves, wherever a router is nested, such as the
/// [endpoints](crate::server) of this crate. Until there is a response, such a request is in
/// flight, and it counts as `499` if there never is one, unless it was [announced](Self::announce)
/// before. If the path is known in advance, it is cheaper to
/// [exclude](crate::http::HttpLayerBuilder::exclude) it.
///
/// ```
/// use axum::Router;
/// use axum::response::Extension;
/// use axum::routing::get;
/// use selfheal::http::{HttpLayer, Unrecorded};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let debug = Router::new().route("/queues", get(|| async { (Extension(Unrecorded), "all empty") }));
/// let app: Router = Router::new()
///     .nest("/debug", debug)
///     .layer(HttpLayer::new(&Registry::new())?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Unrecorded;

thread_local! {
    /// Whether the request being polled on this thread was announced as unrecorded.
    static ANNOUNCED: Cell<bool> = const { Cell::new(false) };
}

impl Unrecorded {
    /// Announces it early: call it first in a handler or a middleware. From then on the request is
    /// not in flight either, and a route that always announces has no series.
    ///
    /// Yields to the layer once. This works only on the task of the layer: a handler on a task that
    /// a middleware spawned should also put the marker into its response.
    ///
    /// ```
    /// use axum::response::{Extension, IntoResponse};
    /// use selfheal::http::Unrecorded;
    ///
    /// async fn queues() -> impl IntoResponse {
    ///     let mark = Unrecorded::announce().await;
    ///     (Extension(mark), "all empty")
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn announce() -> Self {
        let mut announced = false;
        poll_fn(|cx| {
            if announced {
                return Poll::Ready(Self);
            }
            announced = true;
            ANNOUNCED.set(true);
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Resets the announcement; called before a request is polled.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn listen() {
        ANNOUNCED.set(false);
    }

    /// Whether the request polled since then was announced.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn was_announced() -> bool {
        ANNOUNCED.get()
    }
}
