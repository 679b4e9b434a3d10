//! Confidence, computed from samples and verified outcomes.
//!
//! A detector's confidence is the lower end of the 95 % Wilson score interval of its confirming
//! samples (E. B. Wilson, "Probable inference, the law of succession, and statistical
//! inference", 1927): with few samples it stays low even if all of them confirm. An action's
//! confidence is the mean of the Beta distribution of its verified outcomes for that issue type
//! with the uniform prior Beta(1, 1): `(good + 1) / (good + bad + 2)`, Laplace's rule of
//! succession. The smaller of the two decides; both are shown with their `n`.

use serde::{Deserialize, Serialize};

/// A ratio from 0 to 1, and the number of samples behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The ratio, 0 to 1.
    pub value: f64,
    /// Number of samples.
    pub n: u64,
}

/// Counts of a detector's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Samples {
    /// Samples that confirm the fault.
    pub confirming: u32,
    /// All samples.
    pub total: u32,
}

impl Samples {
    /// `confirming` of `total`.
    #[must_use]
    pub const fn new(confirming: u32, total: u32) -> Self {
        Self { confirming, total }
    }

    /// The lower end of the 95 % Wilson score interval; 0 without samples.
    ///
    /// ```
    /// use selfheal::healing::core::Samples;
    ///
    /// let (few, many) = (Samples::new(1, 1).confidence(), Samples::new(30, 30).confidence());
    /// assert!((few.value - 0.2065).abs() < 1e-4);
    /// assert!((many.value - 0.8865).abs() < 1e-4);
    /// ```
    #[must_use]
    pub fn confidence(self) -> Estimate {
        // The two-sided 95 % quantile of the normal distribution.
        const Z: f64 = 1.959_963_984_540_054;
        let n = f64::from(self.total);
        if self.total == 0 {
            return Estimate { value: 0.0, n: 0 };
        }
        let share = f64::from(self.confirming.min(self.total)) / n;
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let value = (middle - half) / (1.0 + Z * Z / n);
        Estimate {
            value: value.clamp(0.0, 1.0),
            n: u64::from(self.total),
        }
    }
}

/// The verified outcomes of one action for one issue type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// How often the action healed the issue.
    pub good: u64,
    /// How often it did not.
    pub bad: u64,
}

impl Outcomes {
    /// The posterior mean with a uniform prior: one half without outcomes.
    ///
    /// ```
    /// use selfheal::healing::core::Outcomes;
    ///
    /// assert_eq!(Outcomes { good: 0, bad: 0 }.confidence().value, 0.5);
    /// assert_eq!(Outcomes { good: 7, bad: 1 }.confidence().value, 0.8);
    /// ```
    #[must_use]
    pub fn confidence(self) -> Estimate {
        let n = self.good.saturating_add(self.bad);
        Estimate {
            value: (self.good as f64 + 1.0) / (n as f64 + 2.0),
            n,
        }
    }

    /// Adds one verified outcome.
    pub fn add(&mut self, good: bool) {
        let count = if good { &mut self.good } else { &mut self.bad };
        *count = count.saturating_add(1);
    }
}

/// The confidence with which an attempt is decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Confidence of the detector that the fault is real.
    pub detector: Estimate,
    /// Confidence that the action heals it.
    pub action: Estimate,
}

impl Confidence {
    /// The smaller of the two, which decides.
    #[must_use]
    pub fn gate(self) -> f64 {
        self.detector.value.min(self.action.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_published_wilson_intervals() {
        // From Agresti and Coull (1998) and R's `binom::binom.wilson`.
        for (confirming, total, lower) in [
            (0, 10, 0.0),
            (5, 10, 0.236_593),
            (9, 10, 0.595_850),
            (10, 10, 0.722_467),
            (3, 3, 0.438_503),
            (50, 100, 0.403_832),
        ] {
            let found = Samples::new(confirming, total).confidence().value;
            assert!(
                (found - lower).abs() < 1e-5,
                "{confirming}/{total}: {found}"
            );
        }
    }

    #[test]
    fn the_smaller_one_gates() {
        let both = |detector, action| Confidence {
            detector: Estimate {
                value: detector,
                n: 1,
            },
            action: Estimate {
                value: action,
                n: 1,
            },
        };
        assert!((both(0.2, 0.7).gate() - 0.2).abs() < f64::EPSILON);
        assert!((both(0.7, 0.2).gate() - 0.2).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn more_confirmation_never_lowers_it(total in 1u32..1000, confirming in 0u32..1000) {
            let confirming = confirming.min(total);
            let here = Samples::new(confirming, total).confidence().value;
            prop_assert!((0.0..=1.0).contains(&here));
            prop_assert!(here <= f64::from(confirming) / f64::from(total) + 1e-12);
            if confirming < total {
                prop_assert!(Samples::new(confirming + 1, total).confidence().value >= here);
            }
        }

        #[test]
        fn a_good_outcome_raises_and_a_bad_one_lowers(good in 0u64..10_000, bad in 0u64..10_000) {
            let here = Outcomes { good, bad };
            let (mut better, mut worse) = (here, here);
            better.add(true);
            worse.add(false);
            prop_assert!(better.confidence().value > here.confidence().value);
            prop_assert!(worse.confidence().value < here.confidence().value);
            prop_assert_eq!(better.confidence().n, good + bad + 1);
        }
    }
}
