//! Relative links of the page, valid wherever the router is mounted, and behind a proxy that
//! removes a prefix.

use axum::extract::{MatchedPath, NestedPath, Request};

/// The link from the page at `request` to the endpoint at `to`, a path of the router.
pub(super) fn relative(request: &Request, to: &str) -> String {
    let (path, to) = (request.uri().path(), to.trim_start_matches('/'));
    if path == "/"
        && let Some(mount) = mount(request)
    {
        return format!("{mount}{to}");
    }
    let up = path.bytes().filter(|byte| *byte == b'/').count();
    format!("{}{to}", "../".repeat(up.saturating_sub(1)))
}

/// The link from a page at the mount itself to a path below it. A nested router sees `/` there,
/// with or without a trailing slash.
fn mount(request: &Request) -> Option<String> {
    let mount = request.extensions().get::<NestedPath>()?.as_str();
    let matched = request.extensions().get::<MatchedPath>();
    // As in axum for `/ops/` when `nest_service` mounts at `/ops`.
    let slash = matched.is_some_and(|matched| matched.as_str().ends_with("//"));
    match mount.rsplit_once('/') {
        Some((_, last)) if !last.is_empty() && !slash => Some(format!("{last}/")),
        _ => Some(String::new()),
    }
}
