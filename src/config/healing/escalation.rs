//! Escalation after healing has given up on a fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Budget;
use crate::config::duration;
use crate::config::settings::settings;
use crate::util::closed_set;

closed_set! {
    /// The severity of a fault. An open issue keeps the highest severity seen.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Severity {
        /// Worth knowing.
        Info = "info",
        /// Service is not affected yet.
        #[default]
        Warning = "warning",
        /// Part of the service is affected.
        Error = "error",
        /// The service is affected as a whole.
        Critical = "critical",
    }
}

impl Severity {
    /// The numeric level, 0 (info) to 3 (critical).
    #[must_use]
    pub const fn level(self) -> u32 {
        self as u32
    }
}

settings! {
    /// The escalation beyond an alert after healing has given up on a fault: every step of its plan
    /// was tried, it flaps, it took too many attempts, or its attempts hang and cannot be
    /// cancelled.
    ///
    /// Default: an alert only. The service becomes ready again when the issue closes or a person
    /// acknowledges it.
    #[derive(Copy, Eq)]
    #[non_exhaustive]
    pub struct Escalation {
        /// The lowest severity that escalates beyond an alert. Default: critical.
        pub severity: Severity = Severity::Critical,
        /// The time from giving up until the service reports not ready. Default: never.
        #[serde(with = "duration::optional")]
        pub not_ready_after(Duration): Option<Duration>,
        /// The time from giving up until the process is asked to exit, so that its supervisor
        /// restarts it; at least [`not_ready_after`](Self::not_ready_after). Default: never.
        #[serde(with = "duration::optional")]
        pub exit_after(Duration): Option<Duration>,
        /// The budget of requested exits. The journal counts them across restarts; without a
        /// journal each process counts its own. Default: 3 in 1 h.
        pub exits: Budget = Budget::new(3, Duration::from_secs(3600)),
    }
}
