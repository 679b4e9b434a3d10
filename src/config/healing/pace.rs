//! How often and how fast: windows, waits and repetitions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::duration;

/// At most `max` attempts in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// How many attempts, 1 to 10,000.
    pub max: u32,
    /// The length of the sliding window.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Budget {
    /// The most attempts that a budget can allow, since each is remembered for exactness.
    pub const MOST: u32 = 10_000;

    /// At most `max` attempts in any `window`.
    #[must_use]
    pub const fn new(max: u32, window: Duration) -> Self {
        Self { max, window }
    }
}

/// The budgets that every attempt draws on, and how much of them is kept for whom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Budgets {
    /// For each component. Default: 10 in 10 min.
    pub component: Budget,
    /// For all components together. Default: 60 in 10 min.
    pub global: Budget,
    /// The share of each budget, 0 to 1, that is kept for each higher severity: what is milder
    /// cannot draw on it. Default: 0.1.
    pub kept_per_severity: f64,
    /// The share of the global budget, 0 to 1, that is kept for components that have spent nothing
    /// in its window, so that a few that keep failing leave some for the rest. Default: 0.2.
    pub kept_for_unspent: f64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            component: Budget::new(10, Duration::from_secs(600)),
            global: Budget::new(60, Duration::from_secs(600)),
            kept_per_severity: 0.1,
            kept_for_unspent: 0.2,
        }
    }
}

/// The wait between two attempts: drawn evenly from zero to `base · 2ⁿ`, at most `cap`.
///
/// This is the "full jitter" of Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015):
/// of the variants measured there, it spreads the load best. `n` counts the attempts since the
/// key was last healthy for `reset_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The longest wait before the second attempt. Default: 1 s.
    #[serde(with = "duration")]
    pub base: Duration,
    /// The longest wait of all. Default: 5 min.
    #[serde(with = "duration")]
    pub cap: Duration,
    /// How long a key must be healthy before its next fault is the first again. Default: 10 min.
    #[serde(with = "duration")]
    pub reset_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(300),
            reset_after: Duration::from_secs(600),
        }
    }
}

/// A fault counts once `bad` of the last `of` detection runs found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// How many detection runs must find it, at least 1.
    pub bad: u32,
    /// Of how many, at most 64.
    pub of: u32,
}

impl Confirm {
    /// The most detection runs that are remembered.
    pub const MOST: u32 = 64;

    /// The first sight is enough, for detectors that cannot be mistaken: a task did panic.
    #[must_use]
    pub const fn at_once() -> Self {
        Self { bad: 1, of: 1 }
    }

    /// `bad` of the last `of` detection runs.
    #[must_use]
    pub const fn of(bad: u32, of: u32) -> Self {
        Self { bad, of }
    }
}

impl Default for Confirm {
    fn default() -> Self {
        Self { bad: 2, of: 3 }
    }
}

/// How often a verification that comes to no verdict is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Verify {
    /// How long one may take. Default: 10 s.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How many may end without a verdict before the attempt counts as not verified. Default: 3.
    pub tries: u32,
    /// The wait between two. Default: 1 s.
    #[serde(with = "duration")]
    pub every: Duration,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            tries: 3,
            every: Duration::from_secs(1),
        }
    }
}
