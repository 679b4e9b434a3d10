use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::range::check_range;

const MAX_BUCKETS: RangeInclusive<u32> = 1..=10_000;

/// `[metrics.family.NAME.native]`: native buckets of a histogram, exponential ones that come into
/// being with the values that fall into them.
///
/// The section gives a histogram such buckets whether it is declared with any or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Native {
    /// Whether there are native buckets; `false` takes away those that are declared.
    /// Default: `true`.
    pub enabled: bool,
    /// Whether the classic buckets stay beside them. Default: `true`.
    pub classic: bool,
    /// By what factor the bounds grow at most from one bucket to the next, above 1.
    /// Default: 1.1.
    pub growth: f64,
    /// The most buckets of a series; beyond them the resolution is halved. Default: 160.
    pub max_buckets: u32,
    /// How far from zero the zero bucket reaches. Default: 2^-128.
    pub zero_threshold: f64,
    /// How far the zero bucket may be widened before the resolution is halved. Default: 0, not
    /// at all.
    pub max_zero_threshold: f64,
}

impl Default for Native {
    fn default() -> Self {
        Self {
            enabled: true,
            classic: true,
            growth: 1.1,
            max_buckets: 160,
            // 2^-128: the exponent of an f64 is 1023 above its own.
            zero_threshold: f64::from_bits((1023 - 128) << 52),
            max_zero_threshold: 0.0,
        }
    }
}

impl Native {
    /// Native buckets of the default growth beside the classic ones.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are native buckets. Default: `true`.
    #[must_use]
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// Whether the classic buckets stay beside them. Default: `true`.
    #[must_use]
    pub fn classic(mut self, on: bool) -> Self {
        self.classic = on;
        self
    }

    /// Sets by what factor the bounds grow at most. Default: 1.1.
    #[must_use]
    pub fn growth(mut self, factor: f64) -> Self {
        self.growth = factor;
        self
    }

    /// Sets the most buckets of a series, 1 to 10 000. Default: 160.
    #[must_use]
    pub fn max_buckets(mut self, buckets: u32) -> Self {
        self.max_buckets = buckets;
        self
    }

    /// Sets how far from zero the zero bucket reaches. Default: 2^-128.
    #[must_use]
    pub fn zero_threshold(mut self, threshold: f64) -> Self {
        self.zero_threshold = threshold;
        self
    }

    /// Sets how far the zero bucket may be widened. Default: 0, not at all.
    #[must_use]
    pub fn max_zero_threshold(mut self, threshold: f64) -> Self {
        self.max_zero_threshold = threshold;
        self
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if !(self.growth.is_finite() && self.growth > 1.0) {
            let problem = format!("{} is not a number above 1", self.growth);
            let hint = "give the factor from one bound to the next, such as 1.1";
            faults.add("growth", problem, hint);
        }
        let hint = "give a limit in that range, or `enabled = false`";
        check_range("max_buckets", &self.max_buckets, &MAX_BUCKETS, hint, faults);
        for (field, threshold) in [
            ("zero_threshold", self.zero_threshold),
            ("max_zero_threshold", self.max_zero_threshold),
        ] {
            if !(threshold.is_finite() && threshold >= 0.0) {
                let problem = format!("{threshold} is not a number of 0 or above");
                faults.add(field, problem, "give the distance from zero, or 0");
            }
        }
    }
}
