use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Native buckets of a histogram: exponential ones that come into being with the values that
/// fall into them (<https://prometheus.io/docs/specs/native_histograms/>).
///
/// A declaration has them, and so has the configuration as `[metrics.family.NAME.native]`, which
/// gives a histogram such buckets whether it is declared with any or not.
///
/// ```
/// use selfheal::catalog::Native;
///
/// let native = Native::growth(1.1).max_buckets(100);
/// assert_eq!(native, Native::schema(3).max_buckets(100)); // the bounds grow by 2^(1/8), or 9 %
/// ```
///
/// When an observation asks for one bucket more than there may be, the zero bucket is widened,
/// where that is allowed, and then the resolution halved until there is room. This is for good:
/// a histogram never gets finer again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
    /// The most buckets of a series, the zero bucket aside; 1 to 10,000. Default: 160.
    ///
    /// At the coarsest resolution, a factor of 65,536, there is no limit: a series has then 264
    /// buckets at the most.
    pub max_buckets: u32,
    /// How far from zero the zero bucket reaches, this value included. Default: 2^-128, as in
    /// other client libraries.
    pub zero_threshold: f64,
    /// How far the zero bucket may be widened when there are too many buckets. Default: 0, not
    /// at all.
    pub max_zero_threshold: f64,
}

impl Native {
    const SCHEMAS: RangeInclusive<i8> = -4..=8;
    pub(crate) const BUCKETS: RangeInclusive<u32> = 1..=10_000;

    /// Native buckets of the default growth beside the classic ones.
    #[must_use]
    pub fn new() -> Self {
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

    /// Buckets of a schema, from -4 to 8: the bounds grow by the factor `2^(2^-schema)` from one
    /// to the next. The default growth is schema 3.
    #[must_use]
    pub fn schema(schema: i8) -> Self {
        // Of another schema there are no buckets, and the check says so.
        let is_known = Self::SCHEMAS.contains(&schema);
        Self::growth(if is_known { base(schema) } else { f64::NAN })
    }

    /// Buckets whose bounds grow by at most `factor` from one to the next, which is above 1:
    /// those of the coarsest schema of which that is true, or of the finest one.
    #[must_use]
    pub fn growth(factor: f64) -> Self {
        Self {
            growth: factor,
            ..Self::new()
        }
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

    /// Sets the most buckets, 1 to 10,000. Default: 160.
    #[must_use]
    pub fn max_buckets(mut self, buckets: u32) -> Self {
        self.max_buckets = buckets;
        self
    }

    /// Sets how far from zero the zero bucket reaches, 0 or above. Default: 2^-128.
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

    /// How fine the buckets are at first; `None` where the bounds do not grow.
    pub(crate) fn finest(&self) -> Option<i8> {
        let finest = *Self::SCHEMAS.end();
        let is_within = |schema: &i8| *schema == finest || base(*schema) <= self.growth;
        let schemas = Self::SCHEMAS.rev().filter(|_| self.growth > 1.0);
        schemas.take_while(is_within).last()
    }

    /// Says what is wrong, in words that follow the name of the metric.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let threshold = |is: f64| is.is_finite() && is >= 0.0;
        if self.finest().is_none() {
            Err("has native buckets of a schema outside of -4 to 8, or that do not grow")
        } else if !Self::BUCKETS.contains(&self.max_buckets) {
            Err("has a limit of native buckets outside of 1 to 10,000")
        } else if !threshold(self.zero_threshold) || !threshold(self.max_zero_threshold) {
            Err("has a zero threshold that is negative or not finite")
        } else {
            Ok(())
        }
    }
}

/// By what factor the bounds of a schema grow.
fn base(schema: i8) -> f64 {
    f64::from(-schema).exp2().exp2()
}

impl Default for Native {
    /// As of [`new`](Native::new).
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Native {
    /// Two factors of which the same schema comes are the same.
    fn eq(&self, other: &Self) -> bool {
        let rest = |of: &Self| {
            let thresholds = (of.zero_threshold, of.max_zero_threshold);
            (of.enabled, of.classic, of.max_buckets, thresholds)
        };
        self.finest() == other.finest() && rest(self) == rest(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growth_is_never_exceeded() {
        for (factor, schema) in [
            (1.000_001, 8),
            (1.002, 8),
            (1.1, 3),
            (2.0, 0),
            (1.999_999, 1),
            (4.0, -1),
            (1e9, -4),
        ] {
            assert_eq!(Native::growth(factor).finest(), Some(schema), "{factor}");
            assert_eq!(Native::growth(factor).check(), Ok(()));
        }
        assert!(Native::growth(1.5) == Native::schema(1));
        for schema in Native::SCHEMAS {
            assert_eq!(Native::schema(schema).finest(), Some(schema));
        }
    }

    #[test]
    fn what_is_no_histogram() {
        let native = Native::default();
        for bad in [
            Native::growth(1.0),
            Native::growth(f64::NAN),
            Native::schema(-5),
            Native::schema(9),
            native.max_buckets(0),
            native.max_buckets(10_001),
            native.zero_threshold(-1.0),
            native.zero_threshold(f64::NAN),
            native.max_zero_threshold(f64::INFINITY),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!((native.zero_threshold.log2() + 128.0).abs() < f64::EPSILON);
    }
}
