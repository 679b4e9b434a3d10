use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Native buckets of a histogram: exponential ones, created with the first value in them
/// (<https://prometheus.io/docs/specs/native_histograms/>).
///
/// Set by a declaration, or by `[metrics.family.NAME.native]` in the configuration, which gives a
/// histogram such buckets even if it is declared without.
///
/// ```
/// use selfheal::catalog::Native;
///
/// let native = Native::growth(1.1).max_buckets(100);
/// assert_eq!(native, Native::schema(3).max_buckets(100)); // the bounds grow by 2^(1/8), or 9 %
/// ```
///
/// When an observation needs a bucket beyond the limit, the zero bucket is widened, if allowed, and
/// then the resolution halved until the buckets fit. This is permanent: a histogram never regains
/// resolution.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Native {
    /// Whether there are native buckets; `false` removes declared ones. Default: `true`.
    pub enabled: bool,
    /// Whether the classic buckets are kept as well. Default: `true`.
    pub classic: bool,
    /// The maximum growth factor of the bounds from one bucket to the next, above 1. Default: 1.1.
    pub growth: f64,
    /// The maximum number of buckets of a series, without the zero bucket; 1 to 10,000. Default:
    /// 160.
    ///
    /// At the coarsest resolution, a factor of 65,536, there is no limit: a series then has at most
    /// 264 buckets.
    pub max_buckets: u32,
    /// The inclusive bound of the zero bucket. Default: 2^-128, as in other client libraries.
    pub zero_threshold: f64,
    /// How far the zero bucket may be widened at too many buckets. Default: 0, not at all.
    pub max_zero_threshold: f64,
}

impl Native {
    const SCHEMAS: RangeInclusive<i8> = -4..=8;
    pub(crate) const BUCKETS: RangeInclusive<u32> = 1..=10_000;

    /// Native buckets of the default growth in addition to the classic ones.
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

    /// Buckets of a schema, from -4 to 8: the bounds grow by the factor `2^(2^-schema)` from one to
    /// the next. The default growth is schema 3.
    #[must_use]
    pub fn schema(schema: i8) -> Self {
        // Other schemas have no buckets; the check reports them.
        let is_known = Self::SCHEMAS.contains(&schema);
        Self::growth(if is_known { base(schema) } else { f64::NAN })
    }

    /// Buckets whose bounds grow by at most `factor`, above 1, from one to the next: those of the
    /// coarsest schema that satisfies this, or of the finest one.
    #[must_use]
    pub fn growth(factor: f64) -> Self {
        Self {
            growth: factor,
            ..Self::new()
        }
    }

    /// Sets whether there are native buckets. Default: `true`.
    #[must_use]
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// Sets whether the classic buckets are kept as well. Default: `true`.
    #[must_use]
    pub fn classic(mut self, on: bool) -> Self {
        self.classic = on;
        self
    }

    /// Sets the maximum number of buckets, 1 to 10,000. Default: 160.
    #[must_use]
    pub fn max_buckets(mut self, buckets: u32) -> Self {
        self.max_buckets = buckets;
        self
    }

    /// Sets the inclusive bound of the zero bucket, at least 0. Default: 2^-128.
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

    /// The initial schema; `None` if the bounds do not grow.
    pub(crate) fn finest(&self) -> Option<i8> {
        let finest = *Self::SCHEMAS.end();
        let is_within = |schema: &i8| *schema == finest || base(*schema) <= self.growth;
        let schemas = Self::SCHEMAS.rev().filter(|_| self.growth > 1.0);
        schemas.take_while(is_within).last()
    }

    /// Checks the settings; returns the problem, phrased to follow the name of the metric.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let threshold = |is: f64| is.is_finite() && is >= 0.0;
        if self.finest().is_none() {
            Err(
                "has native buckets whose schema is outside of -4 to 8, or whose growth is not \
                 above 1",
            )
        } else if !Self::BUCKETS.contains(&self.max_buckets) {
            Err("has a limit of native buckets outside of 1 to 10,000")
        } else if !threshold(self.zero_threshold) || !threshold(self.max_zero_threshold) {
            Err("has a zero threshold that is negative or not finite")
        } else {
            Ok(())
        }
    }
}

/// The growth factor of a schema's bounds.
fn base(schema: i8) -> f64 {
    f64::from(-schema).exp2().exp2()
}

impl Default for Native {
    /// Same as [`new`](Native::new).
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Native {
    /// Growth factors are equal if they give the same schema.
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
