//! The axum router that HTTP is measured with: a file of both benchmarks, since the library of the
//! benchmarks has no axum.

use axum::Router;
use axum::routing::get;
use selfheal::http::RequestHead;

/// Twenty routes.
pub(crate) fn routes() -> Router {
    (0..20).fold(Router::new(), |router, n| {
        router.route(&format!("/resource{n}/{{id}}"), get(|| async { "hello" }))
    })
}

/// The requested route: outside of a router a classifier has to name it.
pub(crate) fn seventh(head: RequestHead<'_>) -> Option<&str> {
    let path = head.uri.path();
    path.starts_with("/resource7/").then_some("/resource7/{id}")
}
