use std::sync::Arc;

use http::Extensions;

use super::exclude::Exclude;
use super::labels::{Added, OfRequest, OfResponse};
use super::layer::{HttpLayer, Shared};
use super::load::Load;
use super::mount::Mounts;
use super::names::{self, HttpNames, Naming};
use super::route::{Classifier, RouteRule, Rules};
use super::sample::Sample;
use super::scheme::Scheme;
use super::series::{Recorder, Table};
use crate::catalog::names::buckets;
use crate::health::TrafficCounter;
use crate::registry::{DeclareError, Registry};
use crate::trace::{self, Source};
use crate::util::{Clock, RequestHead};

/// Builder of an [`HttpLayer`].
#[derive(Clone, Debug)]
#[must_use = "a layer is created by `build`"]
pub struct HttpLayerBuilder {
    registry: Registry,
    names: Vec<HttpNames>,
    exclude: Exclude,
    classifier: Classifier,
    mounts: Mounts,
    rules: Rules,
    request_labels: Added<OfRequest>,
    response_labels: Added<OfResponse>,
    buckets: Option<Vec<f64>>,
    /// The buckets of other names than the catalogue's, unless the layer sets some: the catalogue's
    /// families get theirs from the registry's settings.
    elsewhere: Option<Vec<f64>>,
    sample: Sample,
    scheme: Scheme,
    clock: Clock,
    trace: Source,
    load: Option<Load>,
}

impl HttpLayerBuilder {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            names: vec![HttpNames::default()],
            exclude: Exclude::about_itself(),
            classifier: Classifier::default(),
            mounts: Mounts::default(),
            rules: Rules::default(),
            request_labels: Added::default(),
            response_labels: Added::default(),
            buckets: None,
            elsewhere: None,
            sample: Sample::ALL,
            scheme: Scheme::default(),
            clock: Clock::system(),
            trace: Source::default(),
            load: None,
        }
    }

    /// Sets the metric names; several sets are recorded at once: `[HttpNames::Catalog,
    /// HttpNames::OpenTelemetry]` for a migration. An empty list is an error of
    /// [`build`](Self::build). Default: those of the catalogue.
    pub fn names(mut self, names: impl IntoIterator<Item = HttpNames>) -> Self {
        self.names.clear();
        for set in names {
            if !self.names.contains(&set) {
                self.names.push(set);
            }
        }
        self
    }

    /// Excludes requests to these paths: they are not counted, timed or in flight.
    ///
    /// `/health` matches that path, `/internal/*` every path that starts with `/internal/`; a `*`
    /// anywhere matches any text, including slashes. The path of the request is compared, without
    /// the query. Adds to the default: `/metrics`, `/health`, `/livez`, `/readyz`, which match only
    /// whole paths, so that an `/api/metrics` is recorded even by a layer on a router nested at
    /// `/api`.
    pub fn exclude(mut self, pattern: impl AsRef<str>) -> Self {
        self.exclude.add(pattern.as_ref());
        self
    }

    /// Excludes a path in the same way as the default ones.
    pub(crate) fn exclude_endpoint(mut self, path: &str) -> Self {
        self.exclude.add_endpoint(path);
        self
    }

    /// Removes all excluded paths, including the default ones. Responses marked
    /// [`Unrecorded`](super::Unrecorded) are still not recorded.
    pub fn exclude_nothing(mut self) -> Self {
        self.exclude = Exclude::default();
        self
    }

    /// Sets another source of the route of a request; `None` is [`unmatched`](super::UNMATCHED).
    /// Default: the pattern that axum matched.
    ///
    /// Return routes, not paths: a layer remembers 8,192 combinations of route, method and request
    /// labels; further ones share the route `__overflow__`. The closure runs once per request, so
    /// it should be fast.
    ///
    /// With it the layer can wrap a whole axum router, which knows the pattern only inside. That
    /// saves two allocations per request compared with `Router::layer`, which boxes every route:
    /// route:
    ///
    /// ```
    /// use axum::extract::Request;
    /// use axum::{Router, ServiceExt, routing::get};
    /// use selfheal::http::HttpLayer;
    /// use selfheal::registry::Registry;
    /// use tower_layer::Layer;
    ///
    /// # async fn serve(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .route_by(|request| request.uri.path().starts_with("/orders/").then_some("/orders/{id}"))
    ///     .build()?;
    /// // `with_state`, for axum to set up the routes now and not with each request.
    /// let app = Router::new().route("/orders/{id}", get(|| async {})).with_state(());
    /// axum::serve(listener, ServiceExt::<Request>::into_make_service(layer.layer(app))).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn route_by(
        mut self,
        classify: impl Fn(RequestHead<'_>) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        self.classifier = Classifier::Own(Arc::new(classify));
        self
    }

    /// Names the service mounted at a path if axum does not: requests that matched no route, to
    /// `/assets` or below, have the route `/assets/{*rest}` instead of
    /// [`unmatched`](super::UNMATCHED), for `mount("/assets")`. Needed for a `fallback_service` and
    /// for a layer around the whole router, which compare the path of the request; routes below
    /// `nest_service` are known without it. The first match applies. Default: none.
    ///
    /// ```
    /// use selfheal::http::HttpLayer;
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpLayer::builder(&Registry::new()).mount("/assets").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mount(mut self, path: impl AsRef<str>) -> Self {
        self.mounts.add(path.as_ref());
        self
    }

    /// Sets a rule for the routes that match a pattern, in which `*` matches any text; it is
    /// compared with the route, `/orders/{id}`, not with the path. The first match applies.
    /// Default: no rules.
    pub fn route(mut self, pattern: impl AsRef<str>, rule: RouteRule) -> Self {
        self.rules.add(pattern.as_ref(), rule);
        self
    }

    /// Adds a label to every metric with labels, read from the extensions of the request *as it
    /// reaches the layer*, set by an outer layer. A value outside `values` becomes `other`; with
    /// `None` the label is absent. At most four labels with at most 254 values each. Default: none.
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
        self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
        read: impl Fn(&Extensions) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        self.request_label_by(name, values, move |head| read(head.extensions))
    }

    /// Adds a label as [`request_label`](Self::request_label) does, read from any part of the
    /// request except its body. Clients can forge headers: trust one only as far as whoever sets
    /// it. Default: none.
    ///
    /// ```
    /// use selfheal::http::HttpLayer;
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .request_label_by("client", ["web", "ios", "android"], |request| {
    ///         request.headers.get("x-client")?.to_str().ok()
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request_label_by<V: Into<Box<str>>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
        read: impl Fn(RequestHead<'_>) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.request_labels.add(name, values, Arc::new(read));
        self
    }

    /// Adds a label to the metrics with a status, read from the extensions of the response, set by
    /// the handler or an inner layer. Otherwise as [`request_label`](Self::request_label). Default:
    /// none.
    pub fn response_label<V: Into<Box<str>>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
        read: impl Fn(&Extensions) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.response_labels.add(name, values, Arc::new(read));
        self
    }

    /// Sets the bucket bounds of the durations and times to first byte in seconds, without `+Inf`.
    /// The registry's settings for a family override them; sessions and sizes keep their own.
    /// Default: [`DEFAULT_BUCKETS`](crate::registry::DEFAULT_BUCKETS), or those of the names.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Sets the buckets of other names than the catalogue's.
    pub(crate) fn buckets_elsewhere(mut self, bounds: &[f64]) -> Self {
        self.elsewhere = Some(bounds.to_vec());
        self
    }

    /// Sets the share of requests that are measured, from 0 to 1, rounded to one in a whole number:
    /// 0.3 is one in three, and above two thirds it is every one. Default: 1.
    ///
    /// Counters and gauges are exact at every rate. A measured request counts `n` times in the
    /// histograms (durations and sizes) at one in `n`, so `_count`, `_sum`, rates and quantiles
    /// stay unbiased: `_count` is within `n` of the true number per route and method. At 0 the
    /// histograms stay empty.
    ///
    /// A number below 0 means 0; a number above 1, or NaN, means 1.
    pub fn sample_rate(mut self, share: f64) -> Self {
        self.sample = Sample::of_rate(share);
        self
    }

    /// Sets the source of the label `url_scheme`, which is otherwise `http` behind a proxy that
    /// terminates TLS: a header set by the proxy, or a fixed value. Only [OpenTelemetry's
    /// names](HttpNames::OpenTelemetry) have that label. Default: [`Scheme::Uri`], since any client
    /// may send a header.
    ///
    /// ```
    /// use selfheal::http::{HttpLayer, HttpNames, Scheme};
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .names([HttpNames::OpenTelemetry])
    ///     .scheme(Scheme::XForwardedProto)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Sets the clock. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Records in `load` the requests in flight and the latency of the last ones, for a layer that
    /// rejects requests. Default: not recorded.
    pub fn load(mut self, load: &Load) -> Self {
        self.load = Some(load.clone());
        self
    }

    trace::trace_by!();

    /// Declares the metrics and builds the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under one of the names, a label or the buckets are
    /// invalid, there are too many labels or values, or there are no [names](Self::names).
    pub fn build(self) -> Result<HttpLayer, DeclareError> {
        self.check()?;
        let added = names::Added {
            request: self.request_labels.names(),
            response: self.response_labels.names(),
        };
        let declare = |set: &HttpNames| {
            let elsewhere = self
                .elsewhere
                .as_deref()
                .filter(|_| *set != HttpNames::Catalog);
            let buckets = self.buckets.as_deref().or(elsewhere);
            set.declare(&self.registry, &added, buckets)
        };
        let names = self.names.iter().map(declare).collect::<Result<_, _>>()?;
        let traffic = match self.names.first() {
            Some(first) => first.traffic(&self.registry)?,
            None => Arc::default(),
        };
        Ok(self.assemble(names, traffic))
    }

    fn assemble(self, names: Vec<Arc<dyn Naming>>, traffic: Arc<TrafficCounter>) -> HttpLayer {
        HttpLayer::of(Shared {
            recorder: Arc::new(Recorder {
                names,
                clock: self.clock,
                sample: self.sample,
                rules: self.rules,
                request_labels: self.request_labels,
                response_labels: self.response_labels,
                trace: self.trace,
                traffic,
                load: self.load,
            }),
            classifier: self.classifier,
            mounts: self.mounts,
            exclude: self.exclude,
            protocol: {
                let shown = self.names.iter().any(|names| names.names_protocol());
                shown.then_some(self.scheme)
            },
            table: Table::new(),
        })
    }

    /// As [`build`](Self::build), for code that must continue: on an error the layer records
    /// nothing, and `selfheal_collectors_skipped_total` counts it.
    pub(crate) fn build_or_skip(self) -> HttpLayer {
        let registry = self.registry.clone();
        let nothing = Self::new(&registry).names([]).exclude("*");
        self.build().unwrap_or_else(|_| {
            registry.count_skipped();
            nothing.assemble(Vec::new(), Arc::default())
        })
    }

    /// Checks what the declarations do not.
    fn check(&self) -> Result<(), DeclareError> {
        if self.names.is_empty() {
            return Err(DeclareError::NoNames {
                layer: "HTTP layer",
            });
        }
        let faults = [self.request_labels.fault(), self.response_labels.fault()];
        if let Some((label, problem)) = faults.into_iter().flatten().next() {
            return Err(DeclareError::Label {
                name: names::DURATION.to_owned(),
                label: label.to_owned(),
                problem,
            });
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
