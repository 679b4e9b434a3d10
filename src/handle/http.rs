use std::sync::{Arc, OnceLock};

use super::Selfheal;
use super::unused::Part;
use crate::config::{Config, FamilySettings, Http};
use crate::http::{DURATION, FIRST_BYTE, HttpLayer, HttpLayerBuilder};
use crate::registry::{DeclareError, Settings};

/// The buckets of the durations, unless the family's own section has others.
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

/// Whether no family is left that has `http.buckets`.
pub(super) fn buckets_are_replaced(config: &Config) -> bool {
    [DURATION, FIRST_BYTE].iter().all(|name| {
        let family = config.metrics.family.get(*name);
        family.is_some_and(|family| !family.enabled || family.buckets.is_some())
    })
}

/// The layer, made when it is first asked for: until then it is open which labels it has.
#[derive(Default)]
pub(super) struct Lazy(OnceLock<HttpLayer>);

impl Selfheal {
    /// The layer that measures a router: `.layer(heal.http_layer())`, after the routes and after
    /// every `merge`, that of [`router`](Self::router) among them: a router that is merged in
    /// later brings a fallback of its own, and takes what matches no route out of sight.
    /// Its paths to exclude, sample rate and buckets are those of the configuration.
    ///
    /// The first call declares its metrics. Should the application have declared others under
    /// the same names, the layer records nothing, and the scrape says so in
    /// `selfheal_collectors_skipped_total`; [`http_layer_with`](Self::http_layer_with) returns
    /// the error.
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

    /// The same layer, set up further: labels, rules for routes, other names. Every further
    /// [`http_layer`](Self::http_layer) gives this one; ask for it first.
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
    /// As of [`HttpLayerBuilder::build`]; a clash with the metrics of a layer that there is
    /// already, among them.
    pub fn http_layer_with(
        &self,
        set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder,
    ) -> Result<HttpLayer, DeclareError> {
        let layer = set_up(self.http_builder()).build()?;
        self.inner.taken.add(Part::Layer);
        // The first layer reports the traffic of all.
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
        // Other names bring buckets of their own, which those of the configuration replace.
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
