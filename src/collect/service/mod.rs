//! Identity and uptime of the service.

mod build;

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::figures::{Figures, family, grouped};
use crate::catalog::{Alias, Kind, MetricDef, names};
use crate::config::{AUTOMATION, LUMINOUS_NIX, PLATFORM, SERVICE_INFO};
use crate::registry::{
    Collector, DeclareError, FamilySnapshot, Group, Number, Registry, SeriesSnapshot,
};
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
    let Service(state) = &*super::once::<Service>(registry)?;
    let running = Running {
        service: service_series(&state.service, info)?,
        build: info.build.series(),
        started: clock.now(),
        clock: clock.clone(),
    };
    *state.running.lock() = Some(Arc::new(running));
    Ok(())
}

struct Service(Arc<State>);

impl Group for Service {
    const NAME: &'static str = "service";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let state = Arc::new(State::new(Self::NAME));
        registry.collect_from(state.clone())?;
        Ok(Self(state))
    }
}

struct State {
    service: Arc<MetricDef>,
    build: Arc<MetricDef>,
    uptime: Figures<Running>,
    running: Mutex<Option<Arc<Running>>>,
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

impl State {
    fn new(group: &'static str) -> Self {
        let service = MetricDef::new(
            Kind::Info,
            SERVICE_INFO,
            "Version of this service, and whether healing is on",
        );
        let build = MetricDef::new(
            Kind::Info,
            "build_info",
            "Version, commit and time of the build",
        );
        let uptime = Figures::<Running>::new(group, None)
            .gauge(
                "uptime_seconds",
                "For how long the service has been up",
                |running| Some(running.uptime()),
            )
            .alias(Alias::new(LUMINOUS_NIX, UPTIME))
            .alias(Alias::new(PLATFORM, UPTIME))
            .alias(Alias::new(AUTOMATION, UPTIME))
            .counter(
                "uptime_seconds_total",
                "For how long the service has been up, as a counter",
                |running| Some(running.uptime()),
            );
        Self {
            service: grouped(group, service.with_labels(OWN_LABELS)),
            build: grouped(group, build.with_labels(BuildInfo::LABELS)),
            uptime,
            running: Mutex::default(),
        }
    }
}

impl Collector for State {
    fn describe(&self) -> Vec<MetricDef> {
        let mut defs = self.uptime.describe();
        defs.extend([&self.service, &self.build].map(|def| (**def).clone()));
        defs
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let running = self.running.lock().clone();
        if let Some(running) = running {
            self.uptime.collect(&running, out);
            out.push(family(&self.service, vec![running.service.clone()]));
            out.push(family(&self.build, vec![running.build.clone()]));
        }
    }
}

/// The labels of every `service_info`; those of the user follow.
const OWN_LABELS: [&str; 2] = ["version", "healing_enabled"];

fn service_series(def: &MetricDef, info: &ServiceInfo) -> Result<SeriesSnapshot, DeclareError> {
    for (at, (label, _)) in info.labels.iter().enumerate() {
        let before = info.labels[..at].iter().map(|(name, _)| &**name);
        let problem = match names::label(label) {
            Err(problem) => problem,
            Ok(()) if before.chain(OWN_LABELS).any(|name| name == label) => "occurs twice",
            Ok(()) => continue,
        };
        return Err(DeclareError::Label {
            name: def.name.to_string(),
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
