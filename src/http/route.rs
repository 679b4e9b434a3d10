use axum::extract::MatchedPath;
use http::Extensions;

/// The route label of every request that no route of the application matched, so that what
/// scanners ask for is one series and not one each. No route of axum can have this name, for
/// all of them start with a slash.
pub const UNMATCHED: &str = "unmatched";

/// The pattern that axum matched, as the application wrote it: `/orders/{id}`.
#[inline]
pub(super) fn matched(extensions: &Extensions) -> &str {
    extensions
        .get::<MatchedPath>()
        .map_or(UNMATCHED, MatchedPath::as_str)
}
