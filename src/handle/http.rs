use std::sync::Arc;

use super::Selfheal;
use super::health::Health;
use crate::config::Config;
use crate::health::{Contributor, Traffic};
use crate::http::{DURATION, HttpLayer, HttpMetrics};
use crate::registry::{DeclareError, Number, Registry, Settings, Value, parse_labels};
use crate::util::Clock;

/// The buckets of the durations, unless the family's own section has others.
pub(super) fn settings(config: &Config, settings: &mut Settings) {
    let family = settings.families.entry(DURATION.to_owned()).or_default();
    if family.buckets.is_none() {
        family.buckets = Some(config.http.buckets.clone());
    }
}

/// Makes the layer and lets its requests count for the health score.
pub(super) fn start(
    config: &Config,
    registry: &Registry,
    clock: &Clock,
    health: &Health,
) -> Result<HttpLayer, DeclareError> {
    let mut layer = HttpLayer::builder(registry)
        .clock(clock.clone())
        .sample_rate(config.http.sample_rate)
        .exclude_nothing();
    for pattern in config.excluded_paths() {
        layer = layer.exclude(pattern.as_str());
    }
    health.add(Arc::new(Requests(registry.group::<HttpMetrics>()?)));
    layer.build()
}

/// The requests of the layer, as traffic.
struct Requests(Arc<HttpMetrics>);

impl Contributor for Requests {
    fn traffic(&self) -> Option<Traffic> {
        let mut traffic = Traffic::default();
        for series in self.0.requests.snapshot().series {
            let Value::Number(Number::U64(n)) = series.value else {
                continue;
            };
            let labels = parse_labels(&series.labels);
            let status = labels.iter().find(|(name, _)| name == "status");
            traffic.total += n;
            // Only what the server got wrong is bad; what a client got wrong is served well.
            if !status.is_some_and(|(_, status)| status.starts_with('5')) {
                traffic.good += n;
            }
        }
        Some(traffic)
    }
}

impl Selfheal {
    /// The layer that measures a router: `.layer(heal.http_layer())`, after the routes.
    /// Its paths to exclude, sample rate and buckets are those of the configuration.
    #[must_use]
    pub fn http_layer(&self) -> HttpLayer {
        self.inner.http.clone()
    }
}
