//! Alerts: conditions that a person should know about now.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::issue::{IssueKey, Severity, ShortText};
use super::moment::Stamp;

/// The kind of condition an alert reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// All steps of a plan were tried.
    Exhausted,
    /// A key was healed too often within a window: only reversible steps are retried, slowly.
    Flapping,
    /// A key used too many attempts within a window: only reversible steps are retried, slowly.
    Intensity,
    /// A key is healed again and again: its cause persists.
    Recurring,
    /// An issue waited longer than the policy's patience.
    Waited,
    /// A plan cannot be followed.
    BadPlan,
    /// A person's approval is requested, or was not given in time.
    Approval,
    /// So many components are bad that no attempt starts.
    Storm,
    /// So many attempts hang that no attempt starts.
    Zombies,
    /// The journal cannot be written: disruptive actions are refused.
    Journal,
    /// Observations were dropped because there are too many open issues.
    Overflow,
    /// A detector fails repeatedly, so its faults go unseen. The key is the engine's name and
    /// `detector`.
    Blind,
    /// The engine itself panicked, which is a bug of this crate: it continues, and the issue being
    /// processed is left to a person. Resolves an hour after the last panic.
    Internal,
    /// An action would run if its mode were not dry-run; the text names the setting.
    DryRun,
    /// A fault whose plan only reports it.
    ReportOnly,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Exhausted,
        Self::Flapping,
        Self::Intensity,
        Self::Recurring,
        Self::Waited,
        Self::BadPlan,
        Self::Approval,
        Self::Storm,
        Self::Zombies,
        Self::Journal,
        Self::Overflow,
        Self::Blind,
        Self::Internal,
        Self::DryRun,
        Self::ReportOnly,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Flapping => "flapping",
            Self::Intensity => "intensity",
            Self::Recurring => "recurring",
            Self::Waited => "waited",
            Self::BadPlan => "bad_plan",
            Self::Approval => "approval",
            Self::Storm => "storm",
            Self::Zombies => "zombies",
            Self::Journal => "journal",
            Self::Overflow => "overflow",
            Self::Blind => "blind",
            Self::Internal => "internal",
            Self::DryRun => "dry_run",
            Self::ReportOnly => "report_only",
        }
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
