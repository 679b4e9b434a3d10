//! The path at which a service is mounted, for requests without a route of their own.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::{MatchedPath, NestedPath};
use axum::routing::any;
use axum::{Extension, Router};
use http::{Extensions, Request};
use tower_service::Service;

/// The suffix of a mount's label. In axum's own pattern the wildcard has a private name.
const REST: &str = "/{*rest}";

/// The mounts named by the application.
#[derive(Clone, Debug, Default)]
pub(super) struct Mounts(Vec<Box<str>>);

impl Mounts {
    pub(super) fn add(&mut self, path: &str) {
        self.0.push(label(path));
    }

    pub(super) fn of(&self, path: &str) -> Option<&str> {
        let found = self.0.iter().find(|label| {
            let mount = label.strip_suffix(REST).unwrap_or(label);
            let rest = path.strip_prefix(mount);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        found.map(|label| &**label)
    }
}

fn label(path: &str) -> Box<str> {
    format!("{}{REST}", path.trim_end_matches('/')).into()
}

/// The `nest_service` mount through which requests reach an endpoint of a router, if any.
///
/// The same for all requests, unless the router of the endpoint is itself mounted in several
/// places, which [`NestedPath`] distinguishes.
#[derive(Debug, Default)]
pub(super) struct Nested(OnceLock<(Option<NestedPath>, Option<Arc<str>>)>);

impl Nested {
    /// The label of the mount.
    pub(super) fn of(&self, extensions: &Extensions) -> Option<Arc<str>> {
        let at = extensions.get::<NestedPath>();
        let (first, label) = self.0.get_or_init(|| (at.cloned(), ask_axum(extensions)));
        if first.as_ref().map(NestedPath::as_str) == at.map(NestedPath::as_str) {
            return label.clone();
        }
        ask_axum(extensions)
    }
}

/// axum does not expose the pattern of a `nest_service` mount, but prepends it to that of a route
/// matched by an inner router. This creates one.
fn ask_axum(extensions: &Extensions) -> Option<Arc<str>> {
    let mut request = Request::new(Body::empty());
    *request.extensions_mut() = extensions.clone();
    let mut router: Router =
        Router::new().route("/", any(async |route: MatchedPath| Extension(route)));
    let answer = pin!(router.call(request)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(answer)) = answer else {
        return None;
    };
    let route = answer.extensions().get::<MatchedPath>()?.as_str();
    (route != "/").then(|| Arc::from(label(route)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_a_path_and_all_below_it() {
        let mut mounts = Mounts::default();
        mounts.add("/assets/");
        mounts.add("/a/b");
        for (path, label) in [
            ("/assets", Some("/assets/{*rest}")),
            ("/assets/", Some("/assets/{*rest}")),
            ("/assets/app.js", Some("/assets/{*rest}")),
            ("/assetsx", None),
            ("/a", None),
            ("/a/b/c/d", Some("/a/b/{*rest}")),
            ("", None),
        ] {
            assert_eq!(mounts.of(path), label, "{path}");
        }
        mounts.add("/");
        assert_eq!(mounts.of("/else"), Some("/{*rest}"));
    }
}
