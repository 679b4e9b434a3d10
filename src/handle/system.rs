use super::InstallError;
use crate::collect::{self, SystemHandle};
use crate::config::Config;
use crate::registry::Registry;
use crate::util::Clock;

/// Samples the machine on a thread of its own, if enabled.
pub(super) fn start(
    config: &Config,
    registry: &Registry,
    clock: &Clock,
) -> Result<Option<SystemHandle>, InstallError> {
    if !config.system.enabled {
        return Ok(None);
    }
    let sampler = collect::system(registry, clock)?.interval(config.system.refresh);
    Ok(Some(sampler.spawn()?))
}
