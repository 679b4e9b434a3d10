use std::sync::Arc;

use http::Request;
use tower_layer::Layer;

use super::exclude::Exclude;
use super::guard::Guard;
use super::method::Verb;
use super::metrics::HttpMetrics;
use super::route;
use super::sample::Sample;
use super::series::{Recorder, Table};
use super::service::HttpService;
use crate::registry::{DeclareError, Registry};
use crate::util::Clock;

/// Records every request of the service it is put on; see [the room](super).
///
/// Cloning is cheap, and all clones share what they have learnt about routes. Several layers
/// on one registry are fine; a request that passes two of them is counted twice.
#[derive(Clone, Debug)]
pub struct HttpLayer {
    shared: Arc<Shared>,
}

/// What all services of a layer share.
#[derive(Debug)]
pub(super) struct Shared {
    recorder: Arc<Recorder>,
    exclude: Exclude,
    sample: Sample,
    table: Table,
}

impl HttpLayer {
    /// A layer with the defaults of its [builder](Self::builder).
    ///
    /// # Errors
    /// The registry already has other metrics under the names of [`HttpMetrics`].
    pub fn new(registry: &Registry) -> Result<Self, DeclareError> {
        Self::builder(registry).build()
    }

    /// Starts to set up a layer.
    pub fn builder(registry: &Registry) -> HttpLayerBuilder {
        HttpLayerBuilder {
            registry: registry.clone(),
            exclude: Exclude::about_itself(),
            sample: Sample::ALL,
            clock: Clock::system(),
        }
    }
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpService<S>;

    fn layer(&self, inner: S) -> HttpService<S> {
        HttpService::new(inner, Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Begins to record `request`, unless its path is excluded.
    #[inline]
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Option<Guard> {
        if self.exclude.matches(request.uri().path()) {
            return None;
        }
        let verb = Verb::of(request.method());
        let route = route::matched(request.extensions());
        let series = self.table.get(&self.recorder, route, verb);
        let timed = self
            .sample
            .draw(&series.tickets)
            .map(|stands_for| (self.recorder.clock.now(), stands_for));
        Some(Guard::new(Arc::clone(series), timed))
    }
}

/// Sets up an [`HttpLayer`].
#[derive(Clone, Debug)]
#[must_use = "a layer is made by `build`"]
pub struct HttpLayerBuilder {
    registry: Registry,
    exclude: Exclude,
    sample: Sample,
    clock: Clock,
}

impl HttpLayerBuilder {
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

    /// Times only a share of the requests, from 0 to 1, rounded to one in a whole number: 0.3
    /// is one in three, and above two thirds it is every one. Default: 1.
    ///
    /// Counters and the gauge are exact at every rate. Each request that is timed counts in
    /// the histogram for as many as it stands for (`n` at one in `n`), so that `_count`,
    /// `_sum`, rates and quantiles stay unbiased: `_count` is the true number give or take
    /// `n` for each route and method. At 0 there are no durations.
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

    /// Declares the metrics and makes the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under the names of [`HttpMetrics`].
    pub fn build(self) -> Result<HttpLayer, DeclareError> {
        let metrics = self.registry.group::<HttpMetrics>()?;
        Ok(HttpLayer {
            shared: Arc::new(Shared {
                recorder: Arc::new(Recorder {
                    metrics: (*metrics).clone(),
                    clock: self.clock,
                }),
                exclude: self.exclude,
                sample: self.sample,
                table: Table::new(),
            }),
        })
    }
}
