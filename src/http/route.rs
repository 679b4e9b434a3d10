use std::fmt;
use std::sync::Arc;

use axum::extract::MatchedPath;
use http::{Request, Version};

use super::sample::Sample;
use super::scheme::Scheme;
use crate::util::{Pattern, RequestHead};

/// The route label of every request that no route of the application matched, so that what
/// scanners ask for is one series and not one each. No route of axum can have this name, for
/// all of them start with a slash.
pub const UNMATCHED: &str = "unmatched";

type OwnClassifier = dyn for<'a> Fn(RequestHead<'a>) -> Option<&'a str> + Send + Sync;

/// Where the route of a request comes from.
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

/// What is different about some routes; see
/// [`HttpLayerBuilder::route`](super::HttpLayerBuilder::route).
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
    /// A rule that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the routes this label, so that several become one. Default: each its own.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into_boxed_str());
        self
    }

    /// Times only this share of the requests; see
    /// [`HttpLayerBuilder::sample_rate`](super::HttpLayerBuilder::sample_rate). Default: that
    /// of the layer.
    pub fn sample_rate(mut self, share: f64) -> Self {
        self.sample = Some(Sample::of_rate(share));
        self
    }

    /// Gives the durations of the routes, and the times to their first byte, these buckets: upper
    /// bounds in seconds, `+Inf` not among them. They win over those of the layer and of the configuration. A sum over
    /// routes with unlike buckets is nonsense. Default: those of the layer.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Takes what the routes stream for sessions, as server-sent events always are: NDJSON, the
    /// tail of a log, a watch, a download of minutes. Such a request is counted and timed at its
    /// headers, with the status sent; it is in flight until the stream ends, however it does, and
    /// then its length is in `http_session_duration_seconds` (not under
    /// [other names](super::HttpNames)). Whether the stream came to its end is not recorded: that its
    /// client has had enough is no fault.
    ///
    /// Only a success (2xx) whose body does not say its size
    /// ([`size_hint`](http_body::Body::size_hint)) is a stream. Errors, and the list that a watch
    /// gives to those who do not watch, stay requests, timed to their end. Default: no.
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

/// The rules by pattern; the first that fits counts.
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

/// The protocol of a request, as far as labels have it.
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
