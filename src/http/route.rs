use std::fmt;
use std::sync::Arc;

use axum::extract::MatchedPath;
use http::{Request, Version};

use super::sample::Sample;
use super::scheme::Scheme;
use crate::util::{Pattern, RequestHead};

/// The route label of every request that no route of the application matched, so that scanners
/// create one series instead of many. No axum route can have this name, since all of them start
/// with a slash.
pub const UNMATCHED: &str = "unmatched";

type OwnClassifier = dyn for<'a> Fn(RequestHead<'a>) -> Option<&'a str> + Send + Sync;

/// The source of a request's route.
#[derive(Clone, Default)]
pub(super) enum Classifier {
    /// The pattern that axum matched, as the application wrote it: `/orders/{id}`.
    #[default]
    Axum,
    Own(Arc<OwnClassifier>),
}

impl Classifier {
    #[inline]
    pub(super) fn route<'a, B>(&self, request: &'a Request<B>) -> Option<&'a str> {
        match self {
            Self::Axum => request
                .extensions()
                .get::<MatchedPath>()
                .map(MatchedPath::as_str),
            Self::Own(classify) => classify(RequestHead::of(request)),
        }
    }

    pub(super) fn is_axum(&self) -> bool {
        matches!(self, Self::Axum)
    }
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Axum => "Axum",
            Self::Own(_) => "Own",
        })
    }
}

/// Settings for some routes; see [`HttpLayerBuilder::route`](super::HttpLayerBuilder::route).
///
/// ```
/// use selfheal::http::{HttpLayer, RouteRule};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let layer = HttpLayer::builder(&Registry::new())
///     .route("/assets/*", RouteRule::new().label("/assets").sample_rate(0.01))
///     .route("/reports/*", RouteRule::new().buckets([1.0, 10.0, 60.0]))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RouteRule {
    pub(super) label: Option<Box<str>>,
    pub(super) sample: Option<Sample>,
    pub(super) buckets: Option<Arc<[f64]>>,
    pub(super) session: bool,
}

impl RouteRule {
    /// Creates a rule that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the label of the routes, so that several become one. Default: each its own.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into_boxed_str());
        self
    }

    /// Sets the share of requests that are measured; see
    /// [`HttpLayerBuilder::sample_rate`](super::HttpLayerBuilder::sample_rate). Default: that of
    /// the layer.
    pub fn sample_rate(mut self, share: f64) -> Self {
        self.sample = Some(Sample::of_rate(share));
        self
    }

    /// Sets the bucket bounds of the routes' durations and times to first byte, in seconds, without
    /// `+Inf`. They override those of the layer and of the configuration. Sums over routes with
    /// different buckets are meaningless. Default: those of the layer.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Treats streams of the routes as sessions, as server-sent events always are: NDJSON, tailed
    /// logs, watches, long downloads. Such a request is counted and timed at its headers, with the
    /// status sent; it is in flight until the stream ends, and then its lifetime is recorded in
    /// `http_session_duration_seconds` (not under [other names](super::HttpNames)). Whether the
    /// stream was complete is not recorded, since a client that ends it is no fault.
    ///
    /// Only a success (2xx) without a known body size ([`size_hint`](http_body::Body::size_hint))
    /// is a stream. Errors, and the list that a watch endpoint returns without watching, stay
    /// requests, timed to their end. Default: no.
    ///
    /// ```
    /// use selfheal::http::{HttpLayer, RouteRule};
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .route("/logs/{job}/tail", RouteRule::new().session())
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(mut self) -> Self {
        self.session = true;
        self
    }
}

/// The rules by pattern; the first match applies.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<(Pattern, RouteRule)>);

impl Rules {
    pub(super) fn add(&mut self, pattern: &str, rule: RouteRule) {
        self.0.push((Pattern::new(pattern), rule));
    }

    pub(super) fn of(&self, route: &str) -> Option<&RouteRule> {
        let found = self.0.iter().find(|(pattern, _)| pattern.matches(route));
        found.map(|(_, rule)| rule)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RouteRule> {
        self.0.iter().map(|(_, rule)| rule)
    }
}

/// The protocol of a request, as used by labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Protocol {
    version: u8,
    https: bool,
}

impl Protocol {
    pub(super) fn of<B>(request: &Request<B>, scheme: Scheme) -> Self {
        Self {
            version: match request.version() {
                Version::HTTP_09 => 1,
                Version::HTTP_10 => 2,
                Version::HTTP_11 => 3,
                Version::HTTP_2 => 4,
                Version::HTTP_3 => 5,
                _ => 0,
            },
            https: scheme.is_https(request),
        }
    }

    pub(super) fn version(self) -> &'static str {
        ["", "0.9", "1.0", "1.1", "2", "3"][usize::from(self.version)]
    }

    pub(super) fn scheme(self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}
