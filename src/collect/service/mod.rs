//! Identity and uptime of the service.

mod build;

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::catalog::{Alias, Kind, MetricDef, names};
use crate::config::{AUTOMATION, LUMINOUS_NIX, PLATFORM, SERVICE_INFO};
use crate::registry::{DeclareError, Figures, Group, Number, Registry, SeriesSnapshot};
use crate::util::Clock;

pub use build::BuildInfo;

const UPTIME: &str = "system_uptime_seconds";

/// The labels of `service_info` and `build_info`.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceInfo {
    build: BuildInfo,
    version: Option<String>,
    healing_enabled: bool,
    labels: Vec<(String, String)>,
}

impl ServiceInfo {
    /// Labels for this build; see [`build_info!`](crate::build_info).
    pub fn new(build: BuildInfo) -> Self {
        Self {
            build,
            version: None,
            healing_enabled: false,
            labels: Vec::new(),
        }
    }

    /// Sets the version of the service. Default: that of the build.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets whether healing is enabled. Default: no.
    pub fn healing_enabled(mut self, enabled: bool) -> Self {
        self.healing_enabled = enabled;
        self
    }

    /// Adds a label to `service_info`. Default: only `version` and `healing_enabled`.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }
}

/// Exposes `service_info`, `build_info`, and the uptime of the service from now on by `clock`:
/// `uptime_seconds` as a gauge and `uptime_seconds_total` as a counter.
///
/// Calling it again replaces the information, and the uptime starts at zero.
///
/// # Errors
/// A label breaks the rules for names or is duplicate; or one of the four names is already declared
/// elsewhere.
pub fn service(registry: &Registry, clock: &Clock, info: &ServiceInfo) -> Result<(), DeclareError> {
    let Service(running) = &*super::once::<Service>(registry)?;
    let now = Running {
        service: service_series(info)?,
        build: info.build.series(),
        started: clock.now(),
        clock: clock.clone(),
    };
    *running.lock() = Some(Arc::new(now));
    Ok(())
}

struct Service(Arc<Mutex<Option<Arc<Running>>>>);

impl Group for Service {
    const NAME: &'static str = "service";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let running = Arc::new(Mutex::new(None::<Arc<Running>>));
        let latest = Arc::clone(&running);
        registry.collect_figures(figures(), move || latest.lock().clone())?;
        Ok(Self(running))
    }
}

/// The values set by one call of [`service`].
struct Running {
    service: SeriesSnapshot,
    build: SeriesSnapshot,
    clock: Clock,
    started: Instant,
}

impl Running {
    fn uptime(&self) -> Number {
        let uptime = self.clock.now().saturating_duration_since(self.started);
        Number::F64(uptime.as_secs_f64())
    }
}

fn figures() -> Figures<Arc<Running>> {
    let info = |name, help| MetricDef::new(Kind::Info, name, help);
    let service = info(
        SERVICE_INFO,
        "Version of this service, and whether healing is on",
    );
    let build = info("build_info", "Version, commit and time of the build");
    Figures::<Arc<Running>>::new(Service::NAME)
        .gauge(
            "uptime_seconds",
            "For how long the service has been up",
            |running| running.uptime(),
        )
        .alias(Alias::new(LUMINOUS_NIX, UPTIME))
        .alias(Alias::new(PLATFORM, UPTIME))
        .alias(Alias::new(AUTOMATION, UPTIME))
        .counter(
            "uptime_seconds_total",
            "For how long the service has been up, as a counter",
            |running| running.uptime(),
        )
        .metric(service.with_labels(OWN_LABELS), |running| {
            vec![running.service.clone()]
        })
        .metric(build.with_labels(BuildInfo::LABELS), |running| {
            vec![running.build.clone()]
        })
}

/// The labels of every `service_info`; those of the user follow.
const OWN_LABELS: [&str; 2] = ["version", "healing_enabled"];

fn service_series(info: &ServiceInfo) -> Result<SeriesSnapshot, DeclareError> {
    for (at, (label, _)) in info.labels.iter().enumerate() {
        let before = info.labels[..at].iter().map(|(name, _)| &**name);
        let problem = match names::label(label) {
            Err(problem) => problem,
            Ok(()) if before.chain(OWN_LABELS).any(|name| name == label) => "occurs twice",
            Ok(()) => continue,
        };
        return Err(DeclareError::Label {
            name: SERVICE_INFO.to_owned(),
            label: label.clone(),
            problem,
        });
    }
    let version = info.version.as_deref().unwrap_or(info.build.version());
    let healing = if info.healing_enabled {
        "true"
    } else {
        "false"
    };
    let own = OWN_LABELS.into_iter().zip([version, healing]);
    let more = info.labels.iter().map(|(name, value)| (&**name, &**value));
    Ok(SeriesSnapshot::new(own.chain(more), build::ONE))
}
