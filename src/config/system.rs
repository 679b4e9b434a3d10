//! Settings of the collector of machine metrics.

use std::time::Duration;

use super::faults::Faults;
use super::range::check_duration;
use super::settings::settings;

/// Below it, CPU usage is noise: Linux counts CPU time in ticks of 10 ms.
const MIN_REFRESH: Duration = Duration::from_millis(200);
const MAX_REFRESH: Duration = Duration::from_secs(3_600);

settings! {
    /// `[system]`: CPU, memory, disks and network of the machine. Metrics of the process itself are
    /// always collected.
    #[non_exhaustive]
    pub struct System {
        /// Whether they are collected. Default: `true`.
        pub enabled: bool = true,
        /// The maximum age of the values, 200 ms to 1 h. Default: 5 s.
        #[serde(with = "super::duration")]
        pub refresh: Duration = Duration::from_secs(5),
    }
}

impl System {
    pub(super) fn check(&self, faults: &mut Faults) {
        let hint = "give the maximum age of the figures";
        let range = MIN_REFRESH..=MAX_REFRESH;
        check_duration("refresh", self.refresh, &range, hint, faults);
    }
}
