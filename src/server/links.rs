//! Links of the page that hold wherever the router is mounted, also behind a proxy that takes a
//! prefix off the path: they are relative.

use axum::extract::{MatchedPath, NestedPath, Request};

/// The way from the page that `request` asks for to the endpoint at `to`, a path of the router.
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

/// The way from a page at the mount itself to what is below the mount. A router that is nested sees
/// `/` there, whether or not a slash stood at the end.
fn mount(request: &Request) -> Option<String> {
    let mount = request.extensions().get::<NestedPath>()?.as_str();
    let matched = request.extensions().get::<MatchedPath>();
    // As axum has it for `/ops/` where `nest_service` mounts at `/ops`.
    let slash = matched.is_some_and(|matched| matched.as_str().ends_with("//"));
    match mount.rsplit_once('/') {
        Some((_, last)) if !last.is_empty() && !slash => Some(format!("{last}/")),
        _ => Some(String::new()),
    }
}
