//! The root of the configuration.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use super::assets::{Assets, Objective};
use super::error::ConfigError;
use super::faults::Faults;
use super::healing::HealingPolicy;
use super::history::HistorySettings;
use super::http::Http;
use super::journal::Journal;
use super::loader::Loader;
use super::metrics::{FamilySettings, Metrics};
use super::names::{
    HEALTH_PATH, LIVENESS_PATH, READINESS_PATH, SERVICE_INFO, check_labels, check_namespace,
};
use super::profiles::{self, Known};
use super::secret::Secret;
use super::server::Server;
use super::service::Service;
use super::settings::settings;
use super::system::System;
use super::tls::Tls;
use super::tree::{self, ANY_NAME};
use crate::catalog::Native;

/// Labels that histograms and summaries add to their own series.
const RESERVED: [&str; 2] = ["le", "quantile"];

settings! {
    /// The whole configuration, which `selfheal::install` takes.
    ///
    /// Setters do not validate; [`checked`](Self::checked), which `install` calls, reports all
    /// faults at once. The table in the [module's documentation](super) lists all keys.
    #[non_exhaustive]
    pub struct Config {
        /// The prefix of every metric name, without the `_` after it. Default: empty.
        pub namespace(impl Into<String>): String,
        /// The systems under whose metric names metrics are also exposed: words of
        /// [`PROFILES`](super::PROFILES). Without a namespace, the service uses that of the first
        /// profile that has one. Default: none.
        pub profiles(): Vec<String>,
        /// Labels added to every series, at most 32. Default: none.
        pub global_labels(): BTreeMap<String, String>,
        /// The name, version and labels of the program. Default: [`Service::default`].
        pub service: Service,
        /// The registry and the metrics endpoint. Default: [`Metrics::default`].
        pub metrics: Metrics,
        /// The HTTP layer. Default: [`Http::default`].
        pub http: Http,
        /// The stand-alone listener. Default: [`Server::default`].
        pub server: Server,
        /// The collector of the machine's metrics. Default: [`System::default`].
        pub system: System,
        /// The policy of the healing engine. Default: [`HealingPolicy::default`].
        pub healing: HealingPolicy,
        /// The journal of the healing engine. Default: [`Journal::default`].
        pub journal: Journal,
        /// The in-memory history that rules, queries and charts read. Default:
        /// [`HistorySettings::default`].
        pub history: HistorySettings,
        /// The files that are generated for the monitoring stack. Default: [`Assets::default`].
        pub assets: Assets,
    }
}

impl Config {
    /// Reads the `SELFHEAL_…` variables of the process over the defaults.
    pub fn from_env() -> Result<Self, ConfigError> {
        Loader::new().env(env::vars_os()).load()
    }

    /// Merges the `SELFHEAL_…` variables among `variables` into this and validates the result.
    ///
    /// ```
    /// use selfheal::config::Config;
    ///
    /// let config = Config::new()
    ///     .namespace("shop")
    ///     .overlay_env([("SELFHEAL_HTTP__SAMPLE_RATE", "0.25"), ("PATH", "/usr/bin")])?;
    /// assert_eq!((config.namespace.as_str(), config.http.sample_rate), ("shop", 0.25));
    /// # Ok::<(), selfheal::config::ConfigError>(())
    /// ```
    pub fn overlay_env<K, V>(
        self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        Loader::new().base(self).env(variables).load()
    }

    /// Adds a profile: a word of [`PROFILES`](super::PROFILES). Default: none.
    #[must_use]
    pub fn profile(mut self, word: impl Into<String>) -> Self {
        self.profiles.push(word.into());
        self
    }

    /// The enabled profiles, in order.
    pub(crate) fn profiles_on(&self) -> impl Iterator<Item = &'static Known> {
        self.profiles.iter().filter_map(|word| profiles::find(word))
    }

    /// The prefix of every metric name: the namespace, or else that of the first profile that has
    /// one.
    #[must_use]
    pub fn namespace_in_force(&self) -> &str {
        let mut of_profiles = self.profiles_on().map(|profile| profile.namespace);
        match &*self.namespace {
            "" => of_profiles
                .find(|namespace| !namespace.is_empty())
                .unwrap_or(""),
            namespace => namespace,
        }
    }

    /// Adds a label to every series. Default: none.
    #[must_use]
    pub fn global_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.global_labels.insert(name.into(), value.into());
        self
    }

    /// The name of the service, or else the namespace.
    #[must_use]
    pub fn service_name(&self) -> &str {
        match self.service.name.as_str() {
            "" => self.namespace_in_force(),
            name => name,
        }
    }

    /// The path patterns that the HTTP layer does not record: those of [`Http::exclude`] and,
    /// unless disabled, the metrics and health paths.
    #[must_use]
    pub fn excluded_paths(&self) -> Vec<String> {
        let own = self.endpoint_paths().map(str::to_owned);
        self.http.exclude.iter().cloned().chain(own).collect()
    }

    /// The metrics and health paths, unless they are to be recorded.
    pub(crate) fn endpoint_paths(&self) -> impl Iterator<Item = &str> {
        let own = [
            &*self.metrics.path,
            HEALTH_PATH,
            LIVENESS_PATH,
            READINESS_PATH,
        ];
        own.into_iter().filter(|_| self.http.exclude_endpoints)
    }

    /// Resolves the secrets in variables and files, and validates every field.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all faults.
    pub fn checked(mut self) -> Result<Self, ConfigError> {
        let mut faults = Faults::new();
        self.resolve(&|name| env::var_os(name), &mut faults);
        self.check(&mut faults);
        faults.into_result().map_err(ConfigError::Invalid)?;
        Ok(self)
    }

    pub(super) fn resolve(
        &mut self,
        variable: &dyn Fn(&str) -> Option<OsString>,
        faults: &mut Faults,
    ) {
        faults.within("server", |faults| self.server.resolve(variable, faults));
    }

    /// Returns a configuration with every setting present, including those absent by default.
    pub(super) fn sample() -> Self {
        let server = Server::new().basic_auth("", Secret::default());
        let family = FamilySettings::new().native(Native::new());
        Self::new()
            .server(server.bearer_token(Secret::default()).tls(Tls::default()))
            .assets(Assets::new().objective(ANY_NAME, Objective::default()))
            .metrics(Metrics::new().family(ANY_NAME, family))
    }

    /// The paths of the settings that differ from their defaults, such as `http.exclude`.
    pub(crate) fn changed(&self) -> Vec<String> {
        let (ours, default) = (tree::write(self), tree::write(&Self::default()));
        match (ours, default) {
            (Ok(ours), Ok(default)) => ours.differing(&default),
            // The loader reports a configuration that cannot be written as a tree.
            _ => Vec::new(),
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        check_namespace(&self.namespace, faults);
        profiles::check(&self.profiles, faults);
        let most = self.metrics.max_label_value;
        check_labels(
            "global_labels",
            &self.global_labels,
            &RESERVED,
            most,
            faults,
        );
        faults.within("service", |faults| {
            let most = self.metrics.label_limit(SERVICE_INFO);
            self.service.check(most, faults);
            faults.within("labels", |faults| {
                for name in self.service.labels.keys() {
                    if self.global_labels.contains_key(name) {
                        let problem = "this is a global label as well";
                        faults.add(name, problem, "keep one of the two");
                    }
                }
            });
        });
        faults.within("metrics", |faults| {
            self.metrics.check(&self.server.page_path, faults);
        });
        faults.within("http", |faults| self.http.check(faults));
        faults.within("server", |faults| {
            self.server.check(&self.metrics.path, faults);
        });
        faults.within("system", |faults| self.system.check(faults));
        faults.within("healing", |faults| self.healing.check(faults));
        faults.within("journal", |faults| self.journal.check(faults));
        faults.within("history", |faults| self.history.check(faults));
        faults.within("assets", |faults| self.assets.check(faults));
    }
}
