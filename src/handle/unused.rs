//! What of the configuration has no effect, told once it can be known.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Selfheal;
use super::health::Health;
use crate::config::{Config, Faults};
use crate::health::{Contributor, Note};
use crate::registry::{Registry, WeakRegistry};
use crate::util::Clock;

/// By then what a service records has been declared, and a name that nobody knows is told.
const SETTLED: Duration = Duration::from_secs(60);

/// Notes about sections of the configuration that have no effect.
struct Unused {
    /// The registry keeps the health report alive, which has this.
    registry: WeakRegistry,
    clock: Clock,
    from: Instant,
    since: SystemTime,
}

/// Lets the health report tell which settings of families have no effect.
pub(super) fn tell(config: &Config, registry: &Registry, clock: &Clock, health: &Health) {
    if !config.metrics.family.is_empty() {
        health.add(Arc::new(Unused {
            registry: registry.downgrade(),
            clock: clock.clone(),
            from: clock.now() + SETTLED,
            since: clock.wall() + SETTLED,
        }));
    }
}

impl Contributor for Unused {
    fn recent(&self) -> Vec<Note> {
        if self.clock.now() < self.from {
            return Vec::new();
        }
        let Some(registry) = self.registry.upgrade() else {
            return Vec::new();
        };
        let faults = registry.unused_settings();
        let note = |text: String| Note::new(self.since, "configuration", text);
        faults.iter().map(|fault| note(fault.to_string())).collect()
    }
}

impl Selfheal {
    /// The settings of single families, `[metrics.family.NAME]`, that have no effect so far; see
    /// [`Registry::unused_settings`]. The health report tells them from a minute after the
    /// start on.
    #[must_use]
    pub fn unused_settings(&self) -> Faults {
        self.registry().unused_settings()
    }
}
