use super::Selfheal;
use crate::collect::{self, BuildInfo, ServiceInfo};
use crate::config::Config;
use crate::registry::{DeclareError, Registry};
use crate::util::Clock;

/// Starts the collectors of the process and of the service described by the configuration.
pub(super) fn start(
    config: &Config,
    registry: &Registry,
    clock: &Clock,
) -> Result<(), DeclareError> {
    collect::process(registry)?;
    collect::container(registry)?;
    collect::service(registry, clock, &about(config, BuildInfo::new("unknown")))
}

fn about(config: &Config, build: BuildInfo) -> ServiceInfo {
    let mut info = ServiceInfo::new(build).healing_enabled(cfg!(feature = "healing"));
    if let Some(version) = &config.service.version {
        info = info.version(version.as_str());
    }
    for (name, value) in &config.service.labels {
        info = info.label(name.as_str(), value.as_str());
    }
    info
}

impl Selfheal {
    /// Sets the build of the service, for `build_info`, and restarts its uptime; usually
    /// `heal.built_from(selfheal::build_info!())`, right after [`install`](super::install). Its
    /// version is also that of `/health` and the page, unless
    /// [`Service::version`](crate::config::Service::version) is set.
    /// Default: version, commit and time are `unknown`.
    ///
    /// # Errors
    /// See [`collect::service`].
    pub fn built_from(&self, build: BuildInfo) -> Result<(), DeclareError> {
        if self.config().service.version.is_none() {
            self.inner.health.built_from(build.version());
        }
        collect::service(self.registry(), self.clock(), &about(self.config(), build))
    }
}
