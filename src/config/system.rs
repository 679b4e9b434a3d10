//! Settings of the collector of machine metrics.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::range::check_duration;
use super::setters::setters;

/// Below it, CPU usage is noise: Linux counts CPU time in ticks of 10 ms.
const MIN_REFRESH: Duration = Duration::from_millis(200);
const MAX_REFRESH: Duration = Duration::from_secs(3_600);

/// `[system]`: CPU, memory, disks and network of the machine. Metrics of the process itself are
/// always collected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct System {
    /// Whether they are collected. Default: `true`.
    pub enabled: bool,
    /// The maximum age of the values, 200 ms to 1 h. Default: 5 s.
    #[serde(with = "super::duration")]
    pub refresh: Duration,
}

impl Default for System {
    fn default() -> Self {
        Self {
            enabled: true,
            refresh: Duration::from_secs(5),
        }
    }
}

setters!(System {
    /// Whether the metrics of the machine are collected. Default: `true`.
    enabled: bool,
    /// Sets the maximum age of the values, 200 ms to 1 h. Default: 5 s.
    refresh: Duration,
});

impl System {
    pub(super) fn check(&self, faults: &mut Faults) {
        let hint = "give the maximum age of the figures";
        let range = MIN_REFRESH..=MAX_REFRESH;
        check_duration("refresh", self.refresh, &range, hint, faults);
    }
}
