use std::sync::{Arc, OnceLock};

use super::Selfheal;
use super::unused::Part;
use crate::config::{Config, FamilySettings, Http};
use crate::http::{DURATION, FIRST_BYTE, HttpLayer, HttpLayerBuilder};
use crate::registry::{DeclareError, Settings};

/// Sets the buckets of the durations, unless the family has settings of its own.
pub(super) fn settings(config: &Config, settings: &mut Settings) {
    for name in [DURATION, FIRST_BYTE] {
        let family = settings.metrics.family.entry(name.to_owned());
        let family = family.or_insert_with(|| FamilySettings {
            implied: true,
            ..FamilySettings::default()
        });
        if family.buckets.is_none() {
            family.buckets = Some(config.http.buckets.clone());
        }
    }
}

/// Whether every family has buckets other than `http.buckets`.
pub(super) fn buckets_are_replaced(config: &Config) -> bool {
    [DURATION, FIRST_BYTE].iter().all(|name| {
        let family = config.metrics.family.get(*name);
        family.is_some_and(|family| !family.enabled || family.buckets.is_some())
    })
}

/// The HTTP layer, built on first use, when its labels are decided.
#[derive(Default)]
pub(super) struct Lazy(OnceLock<HttpLayer>);

impl Selfheal {
    /// Returns the layer that measures a router: add `.layer(heal.http_layer())` after the routes
    /// and after every `merge`, including that of [`router`](Self::router), since a router merged
    /// later brings its own fallback and hides unmatched requests. Excluded paths, sample rate and
    /// buckets come from the configuration.
    ///
    /// The first call declares its metrics. If the application has declared others under the same
    /// names, the layer records nothing and `selfheal_collectors_skipped_total` counts it;
    /// [`http_layer_with`](Self::http_layer_with) returns the error.
    #[must_use]
    pub fn http_layer(&self) -> HttpLayer {
        self.inner.taken.add(Part::Layer);
        let layer = self.inner.http.0.get_or_init(|| {
            let layer = self.http_builder().build_or_skip();
            self.inner.health.add(Arc::new(layer.clone()));
            layer
        });
        layer.clone()
    }

    /// Returns the layer with further options: labels, route rules, other names. Call it first:
    /// later calls of [`http_layer`](Self::http_layer) return this layer.
    ///
    /// ```
    /// use selfheal::http::RouteRule;
    /// use selfheal::{Config, Selfheal};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let heal = Selfheal::new(Config::new())?;
    /// let layer = heal.http_layer_with(|layer| {
    ///     layer.route("/assets/*", RouteRule::new().label("/assets"))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`HttpLayerBuilder::build`], including a clash with the metrics of an existing
    /// layer.
    pub fn http_layer_with(
        &self,
        set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder,
    ) -> Result<HttpLayer, DeclareError> {
        let layer = set_up(self.http_builder()).build()?;
        self.inner.taken.add(Part::Layer);
        // The first layer reports the traffic of all layers.
        if self.inner.http.0.set(layer.clone()).is_ok() {
            self.inner.health.add(Arc::new(layer.clone()));
        }
        Ok(layer)
    }

    fn http_builder(&self) -> HttpLayerBuilder {
        let config = &self.inner.config;
        let mut layer = HttpLayer::builder(&self.inner.registry)
            .clock(self.inner.clock.clone())
            .sample_rate(config.http.sample_rate)
            .exclude_nothing();
        // Other naming schemes have their own buckets, which configured ones replace.
        if config.http.buckets != Http::default().buckets {
            layer = layer.buckets_elsewhere(&config.http.buckets);
        }
        for pattern in &config.http.exclude {
            layer = layer.exclude(pattern);
        }
        for path in config.endpoint_paths() {
            layer = layer.exclude_endpoint(path);
        }
        layer
    }
}
