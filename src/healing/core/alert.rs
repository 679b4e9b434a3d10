//! Alerts: conditions that a person should know about now.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::issue::{IssueKey, Severity, ShortText};
use super::moment::Stamp;
use crate::util::closed_set;

closed_set! {
    /// The kind of condition an alert reports.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AlertKind {
        /// All steps of a plan were tried.
        Exhausted = "exhausted",
        /// A key was healed too often within a window: only reversible steps are retried, slowly.
        Flapping = "flapping",
        /// A key used too many attempts within a window: only reversible steps are retried, slowly.
        Intensity = "intensity",
        /// A key is healed again and again: its cause persists.
        Recurring = "recurring",
        /// An issue waited longer than the policy's patience.
        Waited = "waited",
        /// A plan cannot be followed.
        BadPlan = "bad_plan",
        /// A person's approval is requested, or was not given in time.
        Approval = "approval",
        /// So many components are bad that no attempt starts.
        Storm = "storm",
        /// So many attempts hang that no attempt starts.
        Zombies = "zombies",
        /// The journal cannot be written: disruptive actions are refused.
        Journal = "journal",
        /// Observations were dropped because there are too many open issues.
        Overflow = "overflow",
        /// A detector fails repeatedly, so its faults go unseen. The key is the engine's name and
        /// `detector`.
        Blind = "blind",
        /// The engine itself panicked, which is a bug of this crate: it continues, and the issue
        /// being processed is left to a person. Resolves an hour after the last panic.
        Internal = "internal",
        /// An action would run if its mode were not dry-run; the text names the setting.
        DryRun = "dry_run",
        /// A fault whose plan only reports it.
        ReportOnly = "report_only",
    }
}

/// The identity of an alert: at most one fires for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlertId {
    /// The affected key; none if the alert concerns the whole engine.
    pub key: Option<IssueKey>,
    /// The kind of alert.
    pub kind: AlertKind,
}

impl AlertId {
    /// An alert about one key.
    #[must_use]
    pub fn of(key: &IssueKey, kind: AlertKind) -> Self {
        Self {
            key: Some(key.clone()),
            kind,
        }
    }

    /// An alert about the engine as a whole.
    #[must_use]
    pub const fn global(kind: AlertKind) -> Self {
        Self { key: None, kind }
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} {key}", self.kind.as_str()),
            None => f.write_str(self.kind.as_str()),
        }
    }
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// The identity of the alert.
    pub id: AlertId,
    /// Severity of the alert.
    pub severity: Severity,
    /// Description in plain text.
    pub summary: ShortText,
    /// When it began to fire.
    pub since: Stamp,
}
