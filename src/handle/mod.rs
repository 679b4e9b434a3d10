//! The handle that connects the modules: [`install`] one for the process, or create a [`Selfheal`]
//! for a test or if a process needs several.
//!
//! Guarantees:
//! - Nothing runs unless requested: no listener and no healing engine. Background work (sampling of
//!   the system, if enabled; removal of idle series, if any expire; the runtime watch for `/livez`)
//!   ends with the last clone of the handle.
//! - A configuration is validated as a whole before any of it is applied.
//! - A health report and a scrape are each taken at one moment and never fail.

#[cfg(feature = "assets")]
mod assets;
mod catalogue;
mod collect;
mod expiry;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "healing")]
mod healed;
#[cfg(feature = "healing")]
mod healing;
mod health;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http-client")]
mod http_client;
#[cfg(feature = "prometheus")]
mod interop;
#[cfg(feature = "healing")]
mod liveness;
#[cfg(all(feature = "healing", feature = "server"))]
mod operator;
mod ready;
#[cfg(feature = "http")]
mod recent;
#[cfg(feature = "rules")]
mod rules;
#[cfg(feature = "tokio-metrics")]
mod runtime;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "healing")]
mod stories;
#[cfg(feature = "system")]
mod system;
mod unused;

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::catalogue::catalogue;
#[cfg(feature = "healing")]
pub use self::healing::ReloadError;
use self::health::Health;
#[cfg(feature = "rules")]
pub use self::rules::{AlertRule, Alertmanager, LoadRules, OnAlert, Rules, RulesError};
use crate::config::{self, Config, ConfigError};
use crate::registry::{DeclareError, Profile, Registry, Settings};
use crate::util::Clock;

/// The handle to everything in this crate. Clones are cheap and share one state.
///
/// Its builders collect errors to the end: those that take effect in the process (a supervised
/// task, a guarded file, rules, the healing of an alert) end with `install`, which returns all
/// errors; those of layers end with `build`.
#[derive(Clone)]
pub struct Selfheal {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    registry: Registry,
    clock: Clock,
    health: Arc<Health>,
    taken: Arc<unused::Taken>,
    _expiry: expiry::Expiry,
    #[cfg(feature = "files")]
    files: files::Declared,
    #[cfg(feature = "grpc")]
    grpc: grpc::Asked,
    #[cfg(feature = "healing")]
    healing: healing::Lazy,
    #[cfg(all(feature = "healing", feature = "server"))]
    log_level: Arc<operator::LogLevel>,
    #[cfg(feature = "http")]
    http: http::Lazy,
    #[cfg(feature = "rules")]
    rules: rules::Lazy,
    #[cfg(feature = "rules")]
    received: rules::Receives,
    /// Sampling ends with the last clone of the handle.
    #[cfg(feature = "system")]
    _system: Option<crate::collect::SystemHandle>,
}

/// The error of [`install`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The configuration has faults; all of them are listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A metric of this crate clashes with one declared by the application.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// The thread that samples the machine could not be started.
    #[error(
        "cannot start the thread that samples the machine: {0}; disable `system.enabled`, or \
         allow the process more threads"
    )]
    Thread(#[from] std::io::Error),
    /// The healing engine could not be started.
    #[cfg(feature = "healing")]
    #[error(transparent)]
    Healing(#[from] crate::healing::StartError),
    /// The crate is already installed.
    #[error(
        "selfheal is installed already; install it once, and clone the handle or make one with \
         `Selfheal::new`"
    )]
    Twice,
}

/// Whether the global registry has an owner.
static INSTALLED: Mutex<bool> = Mutex::new(false);

/// Installs the crate for this process: configures the global registry, which trackers use by
/// default, and returns the handle.
///
/// May be called inside or outside a tokio runtime; only healing needs one.
///
/// # Errors
/// All faults of the configuration; a metric of the application that clashes with one of this
/// crate; a thread or healing engine that cannot be started; a second installation. See
/// [`InstallError`].
pub fn install(config: Config) -> Result<Selfheal, InstallError> {
    let config = config.checked()?;
    let mut installed = INSTALLED.lock();
    if *installed {
        return Err(InstallError::Twice);
    }
    let registry = Registry::global().clone();
    let handle = Selfheal::wire(config, registry, Clock::system())?;
    *installed = true;
    Ok(handle)
}

impl Selfheal {
    /// Creates a handle with its own registry, for tests or several handles in one process.
    ///
    /// # Errors
    /// All faults of the configuration; a thread or the healing engine that cannot be started. See
    /// [`InstallError`].
    pub fn new(config: Config) -> Result<Self, InstallError> {
        Self::with_clock(config, Clock::system())
    }

    /// Creates a handle with its own registry and this clock.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_clock(config: Config, clock: Clock) -> Result<Self, InstallError> {
        let registry = Registry::with_clock(Settings::default(), clock.clone());
        Self::wire(config.checked()?, registry, clock)
    }

    fn wire(config: Config, registry: Registry, clock: Clock) -> Result<Self, InstallError> {
        registry.configure(settings(&config));
        let health = Arc::new(Health::new(&config, clock.clone()));
        health::expose(&health, &registry)?;
        let taken = Arc::default();
        unused::report(&config, &registry, &clock, &health, &taken);
        collect::start(&config, &registry, &clock)?;
        #[cfg(feature = "http")]
        recent::start(&config, &registry, &clock)?;
        #[cfg(feature = "tokio-metrics")]
        runtime::start(&registry)?;
        #[cfg(feature = "prometheus")]
        interop::start(&registry)?;
        let handle = Self {
            inner: Arc::new(Inner {
                _expiry: expiry::start(&registry, &clock),
                #[cfg(feature = "files")]
                files: files::Declared::default(),
                #[cfg(feature = "grpc")]
                grpc: grpc::Asked::default(),
                #[cfg(feature = "healing")]
                healing: healing::Lazy::new(&health),
                #[cfg(all(feature = "healing", feature = "server"))]
                log_level: Arc::default(),
                #[cfg(feature = "http")]
                http: http::Lazy::default(),
                #[cfg(feature = "rules")]
                rules: rules::Lazy::default(),
                #[cfg(feature = "rules")]
                received: rules::Receives::default(),
                #[cfg(feature = "system")]
                _system: system::start(&config, &registry, &clock)?,
                config,
                registry,
                clock,
                health,
                taken,
            }),
        };
        #[cfg(feature = "healing")]
        handle.heal_if_possible()?;
        Ok(handle)
    }

    /// The registry, in which metrics are declared; trackers take it too.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The clock of the handle.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

impl AsRef<Registry> for Selfheal {
    fn as_ref(&self) -> &Registry {
        self.registry()
    }
}

/// The registry settings of the configuration.
fn settings(config: &Config) -> Settings {
    #[cfg_attr(
        not(feature = "http"),
        expect(unused_mut, reason = "extended by the HTTP module")
    )]
    let mut settings = Settings {
        namespace: config.namespace_in_force().to_owned(),
        global_labels: config.global_labels.clone(),
        metrics: config.metrics.clone(),
        profiles: config.profiles_on().map(profile).collect(),
        instance: instance(config),
    };
    #[cfg(feature = "http")]
    http::settings(config, &mut settings);
    settings
}

/// Converts a profile to the registry's form.
fn profile(known: &config::Known) -> Profile {
    let profile = Profile::new(known.word).namespace(known.namespace);
    let groups = known.groups.iter();
    groups.fold(profile, |profile, group| profile.group(*group))
}

/// The name of this instance, for older metrics that label it: the label `pod` of the service or of
/// all series, or else the host name, which in Kubernetes is that of the pod.
fn instance(config: &Config) -> String {
    let declared = [&config.service.labels, &config.global_labels];
    let declared = declared.into_iter().find_map(|labels| labels.get("pod"));
    let host = || {
        let variables = ["POD_NAME", "HOSTNAME"].into_iter();
        let variable = variables.filter_map(|name| std::env::var(name).ok());
        let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let mut names = variable.chain(file).map(|name| name.trim().to_owned());
        names.find(|name| !name.is_empty())
    };
    declared
        .cloned()
        .or_else(host)
        .unwrap_or_else(|| "unknown".to_owned())
}

impl fmt::Debug for Selfheal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selfheal")
            .field("config", &self.inner.config)
            .field("registry", &self.inner.registry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Native;
    use crate::config::{FamilySettings, Metrics};
    use crate::registry::{self, DEFAULT_BUCKETS};

    #[test]
    fn label_values_are_cut_as_configured() {
        let metrics = Metrics::new()
            .max_label_value(20)
            .family("own_total", FamilySettings::new().max_label_value(30));
        let handle = Selfheal::with_clock(Config::new().metrics(metrics), Clock::manual().0);
        let handle = handle.unwrap();
        let registry = handle.registry();
        for (name, kept) in [("all_total", 20), ("own_total", 30)] {
            let family: registry::Family<registry::Counter, [registry::Text; 1]> =
                registry.counter(name, "").labels(["a"]).unwrap();
            family.inc(&["x".repeat(300)]);
            let labels = format!("a=\"{}\"", "x".repeat(kept));
            assert_eq!(*family.snapshot().series[0].labels, labels, "{name}");
        }
    }

    #[test]
    fn native_buckets_and_created_times_are_as_configured() {
        let off = Native::new().enabled(false);
        let alone = Native::growth(2.0).classic(false);
        let metrics = Metrics::new()
            .created_times(true)
            .family("beside", FamilySettings::new().native(Native::new()))
            .family("alone", FamilySettings::new().native(alone))
            .family("off", FamilySettings::new().native(off));
        let config = Config {
            metrics,
            ..Config::default()
        };
        let handle = Selfheal::with_clock(config, Clock::manual().0).unwrap();
        let registry = handle.registry();
        assert!(registry.settings().metrics.created_times);
        let def = |name: &'static str| {
            let declared = registry
                .histogram(name, "")
                .native_only(Native::default())
                .labels::<()>([]);
            declared.unwrap().def().clone()
        };
        assert_eq!(def("beside").native, Some(Native::default()));
        assert_eq!(def("alone").native, Some(Native::schema(0)));
        assert_eq!(def("declared").native, Some(Native::default()));
        let without = def("off");
        assert_eq!(
            (without.native, &*without.buckets),
            (None, &DEFAULT_BUCKETS[..])
        );
    }
}
