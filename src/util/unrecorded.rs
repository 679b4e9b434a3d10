use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

/// Put into the extensions of a response, says that its request is about the service and no
/// traffic of it: the HTTP layer forgets it.
///
/// For routes that know this of themselves, wherever a router is nested, as the
/// [endpoints](crate::server) of this crate do. Until there is a response, such a request is in
/// flight, and it is `499` if there never is one, unless it has [announced](Self::announce) this
/// before. A path that is known beforehand is better
/// [excluded](crate::http::HttpLayerBuilder::exclude), which is cheaper.
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
    /// Whether the request that is polled on this thread has announced that it is unrecorded.
    static ANNOUNCED: Cell<bool> = const { Cell::new(false) };
}

impl Unrecorded {
    /// Says so at once: as the first thing in a handler or a middleware, before anything is done
    /// for the request. From then on the request is not in flight either, and a route that only
    /// ever says this has no series.
    ///
    /// The task gives way once, for the layer to take notice. It does so on its own task alone: a
    /// handler on a task that a middleware has spawned had better put the mark into its response,
    /// too.
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
    /// Nothing is lost when it is dropped.
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

    /// To be called before a request is polled.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn listen() {
        ANNOUNCED.set(false);
    }

    /// Whether the request that was polled since has announced it.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn was_announced() -> bool {
        ANNOUNCED.get()
    }
}
