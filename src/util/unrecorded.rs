/// Put into the extensions of a response, says that its request is about the service and no
/// traffic of it: the HTTP layer forgets it.
///
/// For routes that know this of themselves, wherever a router is nested, as the
/// [endpoints](crate::server) of this crate do. A path that is known beforehand is better
/// [excluded](crate::http::HttpLayerBuilder::exclude), which is cheaper: such a request is not
/// even in flight, while one with this mark is until it has headers, and is `499` if it never
/// gets there.
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
