//! What follows when healing has given up on a fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Budget;
use crate::config::duration;

/// How bad a fault is. An open issue keeps the worst that was seen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Service is not affected yet.
    #[default]
    Warning,
    /// Part of the service is affected.
    Error,
    /// The service is affected as a whole.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// 0 for the mildest to 3.
    #[must_use]
    pub const fn level(self) -> u32 {
        self as u32
    }
}

/// How far a fault is taken beyond an alert, once healing has given up on it: every step of its
/// plan was tried, it flaps, it took too many attempts, or attempts hang that cannot be ended.
///
/// Default: no further than the alert. The service is ready again as soon as the issue closes, or
/// a person acknowledges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Escalation {
    /// What is milder than this goes no further than an alert. Default: critical.
    pub severity: Severity,
    /// So long after healing has given up, the service is not ready for traffic. Default: never.
    #[serde(with = "duration::optional")]
    pub not_ready_after: Option<Duration>,
    /// So long after healing has given up, the process is asked to end, for whatever started it
    /// to start it anew; at least as long as [`not_ready_after`](Self::not_ready_after).
    /// Default: never.
    #[serde(with = "duration::optional")]
    pub exit_after: Option<Duration>,
    /// How often it may be asked to end, counted over restarts by the journal; without a journal
    /// each process counts for itself. Default: 3 in 1 h.
    pub exits: Budget,
}

impl Default for Escalation {
    fn default() -> Self {
        Self {
            severity: Severity::Critical,
            not_ready_after: None,
            exit_after: None,
            exits: Budget::new(3, Duration::from_secs(3600)),
        }
    }
}
