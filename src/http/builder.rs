use std::sync::Arc;

use http::Extensions;

use super::exclude::Exclude;
use super::labels::Added;
use super::layer::{HttpLayer, Shared};
use super::names::{self, HttpNames, Naming};
use super::route::{Classifier, RouteRule, Rules};
use super::sample::Sample;
use super::series::Recorder;
use super::table::Table;
use crate::catalog::names::buckets;
use crate::registry::{DeclareError, Registry};
use crate::trace::{self, Source};
use crate::util::{Clock, RequestHead};

/// Sets up an [`HttpLayer`].
#[derive(Clone, Debug)]
#[must_use = "a layer is made by `build`"]
pub struct HttpLayerBuilder {
    registry: Registry,
    names: Vec<HttpNames>,
    exclude: Exclude,
    classifier: Classifier,
    rules: Rules,
    request_labels: Added,
    response_labels: Added,
    buckets: Option<Vec<f64>>,
    sample: Sample,
    clock: Clock,
    trace: Source,
}

impl HttpLayerBuilder {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            names: vec![HttpNames::default()],
            exclude: Exclude::about_itself(),
            classifier: Classifier::default(),
            rules: Rules::default(),
            request_labels: Added::default(),
            response_labels: Added::default(),
            buckets: None,
            sample: Sample::ALL,
            clock: Clock::system(),
            trace: Source::default(),
        }
    }

    /// Records under these names, all of them at once: `[HttpNames::Catalog,
    /// HttpNames::OpenTelemetry]` on the way from one to the other. Default: those of the
    /// catalogue.
    pub fn names(mut self, names: impl IntoIterator<Item = HttpNames>) -> Self {
        self.names.clear();
        for set in names {
            if !self.names.contains(&set) {
                self.names.push(set);
            }
        }
        self
    }

    /// Leaves requests to these paths alone: they are not counted, timed or in flight.
    ///
    /// `/health` is that path, `/internal/*` every path that starts with `/internal/`; a `*`
    /// anywhere stands for any text, slashes among it. Paths are compared as they stand in
    /// the request, without the query. Default: `/metrics`, `/health`, `/livez`, `/readyz`,
    /// to which this adds.
    pub fn exclude(mut self, pattern: impl AsRef<str>) -> Self {
        self.exclude.add(pattern.as_ref());
        self
    }

    /// Forgets all excluded paths, the default ones among them.
    pub fn exclude_nothing(mut self) -> Self {
        self.exclude = Exclude::default();
        self
    }

    /// Finds the route of a request in another way: `None` is
    /// [`unmatched`](super::UNMATCHED). Default: the pattern that axum matched.
    ///
    /// Give routes and not paths: of values beyond 8,192 (times methods and labels), all
    /// further ones share the route `__overflow__`. The closure runs once for each request,
    /// so it had better be quick.
    pub fn route_by(
        mut self,
        classify: impl Fn(RequestHead<'_>) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        self.classifier = Classifier::Own(Arc::new(classify));
        self
    }

    /// Treats the routes that fit a pattern in a way of their own. In the pattern, a `*`
    /// stands for any text; it is compared with the route, `/orders/{id}`, and not with the
    /// path. Of several that fit, the first counts. Default: all routes are treated alike.
    pub fn route(mut self, pattern: impl AsRef<str>, rule: RouteRule) -> Self {
        self.rules.add(pattern.as_ref(), rule);
        self
    }

    /// Adds a label to every metric that has any, read from the extensions of the request
    /// *as it reaches the layer*: what a layer further out has put there. A value that is not
    /// among `values` is `other`; none is no label. At most four, of at most 254 values each.
    /// Default: none.
    ///
    /// ```
    /// use selfheal::http::HttpLayer;
    /// use selfheal::registry::Registry;
    ///
    /// #[derive(Clone)]
    /// struct Plan(String);
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .request_label("plan", ["free", "paid"], |extensions| {
    ///         extensions.get::<Plan>().map(|plan| plan.0.as_str())
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request_label<V: Into<Box<str>>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
        read: impl Fn(&Extensions) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.request_labels.add(name, values, read);
        self
    }

    /// Adds a label to the metrics that have the status, read from the extensions of the
    /// response: what the handler or a layer further in has put there. Otherwise as
    /// [`request_label`](Self::request_label). Default: none.
    pub fn response_label<V: Into<Box<str>>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
        read: impl Fn(&Extensions) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.response_labels.add(name, values, read);
        self
    }

    /// Sets the upper bounds of the buckets of the durations in seconds, `+Inf` not among
    /// them. The registry's settings for a family win over them. Default:
    /// [`DEFAULT_BUCKETS`](crate::registry::DEFAULT_BUCKETS), or those that the names bring.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Measures only a share of the requests, from 0 to 1, rounded to one in a whole number:
    /// 0.3 is one in three, and above two thirds it is every one. Default: 1.
    ///
    /// Counters and gauges are exact at every rate. Each request that is measured counts in
    /// the histograms (durations and sizes) for as many as it stands for (`n` at one in `n`),
    /// so that `_count`, `_sum`, rates and quantiles stay unbiased: `_count` is the true
    /// number give or take `n` for each route and method. At 0 the histograms stay empty.
    ///
    /// A number below 0 means 0; a number above 1, or NaN, means 1.
    pub fn sample_rate(mut self, share: f64) -> Self {
        self.sample = Sample::of_rate(share);
        self
    }

    /// Takes the time from this clock. Default: that of the machine.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    trace::trace_by!();

    /// Declares the metrics and makes the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under one of the names, a label or a set of
    /// buckets breaks a rule, or there are too many labels or values.
    pub fn build(self) -> Result<HttpLayer, DeclareError> {
        self.check()?;
        let added = names::Added {
            request: self.request_labels.names(),
            response: self.response_labels.names(),
        };
        let declare =
            |set: &HttpNames| set.declare(&self.registry, &added, self.buckets.as_deref());
        let names = self.names.iter().map(declare).collect::<Result<_, _>>()?;
        Ok(self.assemble(names))
    }

    fn assemble(self, names: Vec<Arc<dyn Naming>>) -> HttpLayer {
        HttpLayer::of(Shared {
            recorder: Arc::new(Recorder {
                names,
                clock: self.clock,
                sample: self.sample,
                rules: self.rules,
                request_labels: self.request_labels,
                response_labels: self.response_labels,
                trace: self.trace,
            }),
            classifier: self.classifier,
            exclude: self.exclude,
            names_protocol: self.names.iter().any(|names| names.names_protocol()),
            table: Table::new(),
        })
    }

    /// As [`build`](Self::build), for code that must go on without: where that fails, the layer
    /// records nothing, and that is counted in `selfheal_collectors_skipped_total`.
    pub(crate) fn build_or_skip(self) -> HttpLayer {
        let registry = self.registry.clone();
        let nothing = Self::new(&registry).names([]).exclude("*");
        self.build().unwrap_or_else(|_| {
            registry.count_skipped();
            nothing.assemble(Vec::new())
        })
    }

    /// What the declarations do not find by themselves.
    fn check(&self) -> Result<(), DeclareError> {
        for labels in [&self.request_labels, &self.response_labels] {
            if let Some((label, problem)) = labels.fault() {
                return Err(DeclareError::Label {
                    name: names::DURATION.to_owned(),
                    label: label.to_owned(),
                    problem,
                });
            }
        }
        for bounds in self.rules.iter().filter_map(|rule| rule.buckets.as_ref()) {
            buckets(bounds).map_err(|problem| DeclareError::Metric {
                name: names::DURATION.to_owned(),
                problem,
            })?;
        }
        Ok(())
    }
}
