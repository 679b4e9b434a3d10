//! Budgets, backoff, confirmation and verification settings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::duration;
use crate::config::settings::settings;

/// A budget: at most `max` attempts in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The number of attempts, 1 to 10,000.
    pub max: u32,
    /// The length of the sliding window.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Budget {
    /// The largest `max`, since each attempt in the window is remembered.
    pub const MOST: u32 = 10_000;

    /// Creates a budget of at most `max` attempts in any `window`.
    #[must_use]
    pub const fn new(max: u32, window: Duration) -> Self {
        Self { max, window }
    }
}

settings! {
    /// The budgets that every attempt draws on, and the shares of them that are reserved.
    #[derive(Copy)]
    #[non_exhaustive]
    pub struct Budgets {
        /// The budget of each component. Default: 10 in 10 min.
        pub component: Budget = Budget::new(10, Duration::from_secs(600)),
        /// The budget of all components together. Default: 60 in 10 min.
        pub global: Budget = Budget::new(60, Duration::from_secs(600)),
        /// The share of each budget, 0 to 1, that is reserved for each higher severity. Default:
        /// 0.1.
        pub kept_per_severity: f64 = 0.1,
        /// The share of the global budget, 0 to 1, reserved for components that have spent nothing
        /// in its window, so that a few failing ones cannot use it up. Default: 0.2.
        pub kept_for_unspent: f64 = 0.2,
    }
}

settings! {
    /// The delay between two attempts: drawn evenly from zero to `base · 2ⁿ`, at most `cap`.
    ///
    /// This is the "full jitter" of Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015):
    /// of the variants measured there, it spreads the load best. `n` counts the attempts since the
    /// key was last healthy for `reset_after`.
    #[derive(Copy, Eq)]
    pub struct Backoff {
        /// The longest delay before the second attempt. Default: 1 s.
        #[serde(with = "duration")]
        pub base: Duration = Duration::from_secs(1),
        /// The longest delay of all. Default: 5 min.
        #[serde(with = "duration")]
        pub cap: Duration = Duration::from_secs(300),
        /// How long a key must be healthy before `n` restarts at zero. Default: 10 min.
        #[serde(with = "duration")]
        pub reset_after: Duration = Duration::from_secs(600),
    }
}

/// A fault counts once `bad` of the last `of` detection runs found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The number of detection runs that must find it, at least 1.
    pub bad: u32,
    /// The number of runs considered, at most 64.
    pub of: u32,
}

impl Confirm {
    /// The largest number of detection runs considered.
    pub const MOST: u32 = 64;

    /// Confirms at the first detection, for faults that are certain, such as a task panic.
    #[must_use]
    pub const fn at_once() -> Self {
        Self { bad: 1, of: 1 }
    }

    /// Confirms after `bad` of the last `of` detection runs.
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

settings! {
    /// The retries of a verification without a verdict.
    #[derive(Copy, Eq)]
    #[non_exhaustive]
    pub struct Verify {
        /// The time limit of one try. Default: 10 s.
        #[serde(with = "duration")]
        pub timeout: Duration = Duration::from_secs(10),
        /// The tries without a verdict after which the attempt counts as not verified. Default: 3.
        pub tries: u32 = 3,
        /// The interval between two tries. Default: 1 s.
        #[serde(with = "duration")]
        pub every: Duration = Duration::from_secs(1),
    }
}
