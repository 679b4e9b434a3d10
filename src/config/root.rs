//! The whole configuration.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use serde::{Deserialize, Serialize};

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
use super::system::System;
use super::tls::Tls;
use super::tree::{self, ANY_NAME};
use crate::catalog::Native;

/// Labels that histograms and summaries give their own series.
const RESERVED: [&str; 2] = ["le", "quantile"];

/// Everything that can be set, and what `selfheal::install` takes.
///
/// Setters take what they are given; [`checked`](Self::checked), which `install` calls, reports
/// all faults at once. The table in the [module's documentation](super) lists all keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The first word of every metric's name, without the `_` behind it. Default: empty.
    pub namespace: String,
    /// Which systems' names metrics are exposed by as well: words of
    /// [`PROFILES`](super::PROFILES). Without a
    /// namespace of its own, the service has that of the first that has one. Default: none.
    pub profiles: Vec<String>,
    /// Labels of every series, at most 32. Default: none.
    pub global_labels: BTreeMap<String, String>,
    /// The name, version and labels of the program.
    pub service: Service,
    /// The registry and the scrape.
    pub metrics: Metrics,
    /// The HTTP layer.
    pub http: Http,
    /// The stand-alone listener.
    pub server: Server,
    /// The collector of the machine's metrics.
    pub system: System,
    /// The limits and guards of the healing engine.
    pub healing: HealingPolicy,
    /// The journal of the healing engine.
    pub journal: Journal,
    /// The recent past that rules, queries and charts look back on.
    pub history: HistorySettings,
    /// The files that are generated for the monitoring stack.
    pub assets: Assets,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Defaults, and over them what the `SELFHEAL_…` variables of the process say.
    pub fn from_env() -> Result<Self, ConfigError> {
        Loader::new().env(env::vars_os()).load()
    }

    /// Lays the `SELFHEAL_…` variables among `variables` over this configuration and checks it.
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

    /// Sets what every metric's name starts with; `_` is put behind it. Default: empty.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Adds a profile: a word of [`PROFILES`](super::PROFILES). Default: none.
    #[must_use]
    pub fn profile(mut self, word: impl Into<String>) -> Self {
        self.profiles.push(word.into());
        self
    }

    /// The profiles that are on, in order.
    pub(crate) fn profiles_on(&self) -> impl Iterator<Item = &'static Known> {
        self.profiles.iter().filter_map(|word| profiles::find(word))
    }

    /// The first word of every metric's name: the namespace, or else that of the first profile
    /// that has one.
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

    /// Sets what the program calls itself. Default: [`Service::default`].
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    /// Sets the registry and the scrape. Default: [`Metrics::default`].
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Sets the HTTP layer. Default: [`Http::default`].
    #[must_use]
    pub fn http(mut self, http: Http) -> Self {
        self.http = http;
        self
    }

    /// Sets the stand-alone listener. Default: [`Server::default`].
    #[must_use]
    pub fn server(mut self, server: Server) -> Self {
        self.server = server;
        self
    }

    /// Sets the collector of the machine's metrics. Default: [`System::default`].
    #[must_use]
    pub fn system(mut self, system: System) -> Self {
        self.system = system;
        self
    }

    /// Sets what the healing engine may do. Default: [`HealingPolicy::default`].
    #[must_use]
    pub fn healing(mut self, policy: HealingPolicy) -> Self {
        self.healing = policy;
        self
    }

    /// Sets where the healing engine writes down what it does. Default: [`Journal::default`].
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets how much of the recent past is kept. Default: [`HistorySettings::new`].
    #[must_use]
    pub fn history(mut self, history: HistorySettings) -> Self {
        self.history = history;
        self
    }

    /// Sets what is generated for the monitoring stack. Default: [`Assets::default`].
    #[must_use]
    pub fn assets(mut self, assets: Assets) -> Self {
        self.assets = assets;
        self
    }

    /// The name of the service: its own, or else the namespace.
    #[must_use]
    pub fn service_name(&self) -> &str {
        match self.service.name.as_str() {
            "" => self.namespace_in_force(),
            name => name,
        }
    }

    /// The patterns of paths that the HTTP layer does not record: those of [`Http::exclude`] and, unless
    /// switched off, the scrape and the health paths.
    #[must_use]
    pub fn excluded_paths(&self) -> Vec<String> {
        let own = self.endpoint_paths().map(str::to_owned);
        self.http.exclude.iter().cloned().chain(own).collect()
    }

    /// The paths of the scrape and of health, unless they are to be recorded.
    pub(crate) fn endpoint_paths(&self) -> impl Iterator<Item = &str> {
        let own = [
            &*self.metrics.path,
            HEALTH_PATH,
            LIVENESS_PATH,
            READINESS_PATH,
        ];
        own.into_iter().filter(|_| self.http.exclude_endpoints)
    }

    /// Reads the secrets that stand in variables and files, and checks every field.
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

    /// Every setting, those aside that are absent by default and hold nothing else.
    pub(super) fn sample() -> Self {
        let server = Server::new().basic_auth("", Secret::default());
        let family = FamilySettings::new().native(Native::new());
        Self::new()
            .server(server.bearer_token(Secret::default()).tls(Tls::default()))
            .assets(Assets::new().objective(ANY_NAME, Objective::default()))
            .metrics(Metrics::new().family(ANY_NAME, family))
    }

    /// The paths of the settings that are not what they are by default, such as `http.exclude`.
    pub(crate) fn changed(&self) -> Vec<String> {
        let (ours, default) = (tree::write(self), tree::write(&Self::default()));
        match (ours, default) {
            (Ok(ours), Ok(default)) => ours.differing(&default),
            // Of a tree that it cannot be written as, the loader says the same.
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
