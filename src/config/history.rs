//! Settings of the in-memory history that rules, queries and charts read.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::faults::Faults;
use super::range::check_range;
use super::settings::settings;

const BYTES: RangeInclusive<u64> = 64_000..=4_000_000_000;

settings! {
    /// `[history]`: the in-memory history, which starts once rules, the page or a query need it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use selfheal::config::HistorySettings;
    ///
    /// let day = Duration::from_secs(86_400);
    /// let history = HistorySettings::new().max_bytes(16_000_000).coarse_keep(day);
    /// assert_eq!(history.keep, Duration::from_secs(7_200));
    /// ```
    #[derive(Eq)]
    #[non_exhaustive]
    pub struct HistorySettings {
        /// The sampling interval, 100 ms to 1 h. Groups of rules with a shorter interval shorten
        /// it. Default: 15 s.
        #[serde(with = "duration")]
        pub step: Duration = Duration::from_secs(15),
        /// The retention of samples, from `step` to 31 days. Default: 2 h.
        #[serde(with = "duration")]
        pub keep: Duration = Duration::from_secs(7_200),
        /// The interval of the coarse samples, from `step` to 1 h. Default: 1 min.
        #[serde(with = "duration")]
        pub coarse_step: Duration = Duration::from_secs(60),
        /// The retention of coarse samples, longer than `keep`, up to 31 days; they answer queries
        /// beyond `keep`. Default: zero, for no coarse samples.
        #[serde(with = "duration")]
        pub coarse_keep: Duration,
        /// The memory limit of the samples and their index in bytes, 64 kB to 4 GB. Coarse samples,
        /// if any, use half of it. Default: 8 MB.
        pub max_bytes: u64 = 8_000_000,
        /// The series that are sampled. Default: `all`.
        pub only: HistoryScope = HistoryScope::All,
    }
}

/// The series that are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryScope {
    /// All series of the process, for ad-hoc queries.
    #[default]
    All,
    /// The series that rules read, and those that queries and charts have asked for since.
    Rules,
}

impl HistorySettings {
    pub(super) fn check(&self, faults: &mut Faults) {
        const HOUR: Duration = Duration::from_secs(3_600);
        const LONGEST: Duration = Duration::from_secs(31 * 86_400);
        if !(Duration::from_millis(100)..=HOUR).contains(&self.step) {
            faults.add("step", "it is outside 100 ms to 1 h", "give \"15s\", say");
        }
        if !(self.step..=LONGEST).contains(&self.keep) {
            let problem = "it is less than `step`, or more than 31 days";
            faults.add("keep", problem, "give \"2h\", say");
        }
        if !self.coarse_keep.is_zero() {
            if !(self.step..=HOUR).contains(&self.coarse_step) {
                let problem = "it is less than `step`, or more than 1 h";
                faults.add("coarse_step", problem, "give \"1m\", say");
            }
            if self.coarse_keep <= self.keep || self.coarse_keep > LONGEST {
                let problem = "it is not more than `keep`, or more than 31 days";
                faults.add("coarse_keep", problem, "give \"1d\", say, or leave it out");
            }
        }
        let hint = "give the most memory in bytes";
        check_range("max_bytes", &self.max_bytes, &BYTES, hint, faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_reported() {
        let faults_of = |history: HistorySettings| {
            let mut faults = Faults::new();
            history.check(&mut faults);
            faults
        };
        assert!(faults_of(HistorySettings::new()).is_empty());
        let bad = HistorySettings::new()
            .step(Duration::ZERO)
            .keep(Duration::from_secs(40 * 86_400))
            .coarse_step(Duration::from_secs(4_000))
            .coarse_keep(Duration::from_secs(60))
            .max_bytes(1);
        let faults = faults_of(bad);
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            ["step", "keep", "coarse_step", "coarse_keep", "max_bytes"]
        );
    }

    #[test]
    fn reads_what_it_writes() {
        let history = HistorySettings::new().only(HistoryScope::Rules);
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(
            serde_json::from_str::<HistorySettings>(&text).unwrap(),
            history
        );
    }
}
