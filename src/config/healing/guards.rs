//! What holds the engine back, and how much it remembers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::duration;

/// The treatment of an action that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Run it.
    Run,
    /// Wait until a person approves.
    Approval,
    /// Report what would be done, and do nothing.
    DryRun,
}

/// The mode by the risk of the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Modes {
    /// For what can be undone unnoticed. Default: `run`.
    pub reversible: Mode,
    /// For what users may notice, such as a restart. Default: `dry_run`.
    pub disruptive: Mode,
    /// For what cannot be undone, such as deleting. Default: `approval`.
    pub destructive: Mode,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            reversible: Mode::Run,
            disruptive: Mode::DryRun,
            destructive: Mode::Approval,
        }
    }
}

/// A ratio from 0 to 1 by the risk of the action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByRisk {
    /// For what can be undone unnoticed. Default: 0.05, which an action falls
    /// below after 19 verified failures in a row.
    pub reversible: f64,
    /// For what users may notice. Default: 0.2, which one confirming sample of one just reaches.
    pub disruptive: f64,
    /// For what cannot be undone. Default: 0.4, which takes 3 confirming samples of 3.
    pub destructive: f64,
}

impl Default for ByRisk {
    fn default() -> Self {
        Self {
            reversible: 0.05,
            disruptive: 0.2,
            destructive: 0.4,
        }
    }
}

/// The mode for one component, one issue type, or one issue type of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The component it is about; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The issue type it is about; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_type: Option<String>,
    /// The mode there.
    pub mode: Mode,
}

/// When so many components are bad at once that the fault is elsewhere: nothing starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storm {
    /// The share of the known components that may be bad, 0 to 1. Default: 0.5.
    pub share: f64,
    /// So many components must be bad before it is a storm; with fewer, a share says little.
    /// Default: 5.
    pub min_components: u32,
    /// How long the share must stay below before anything starts again. Default: 30 s.
    #[serde(with = "duration")]
    pub hold: Duration,
}

impl Default for Storm {
    fn default() -> Self {
        Self {
            share: 0.5,
            min_components: 5,
            hold: Duration::from_secs(30),
        }
    }
}

/// When a fault was healed so often that healing hides it: it waits until acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flap {
    /// How many heals of one key within the window. Default: 3.
    pub heals: u32,
    /// The window. Default: 30 min.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Default for Flap {
    fn default() -> Self {
        Self {
            heals: 3,
            window: Duration::from_secs(1800),
        }
    }
}

/// When a fault was healed so often that a person should search for its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recurrence {
    /// The heal of one key within the window that raises the alert. Default: the 5th.
    pub heals: u32,
    /// The window. Default: 24 h.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Default for Recurrence {
    fn default() -> Self {
        Self {
            heals: 5,
            window: Duration::from_secs(86_400),
        }
    }
}

/// How long a request for approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approval {
    /// After so long the issue is parked. Default: 24 h.
    #[serde(with = "duration")]
    pub expires: Duration,
}

impl Default for Approval {
    fn default() -> Self {
        Self {
            expires: Duration::from_secs(86_400),
        }
    }
}

/// How much the engine keeps in memory. What does not fit is refused, counted and named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open issues. Beyond, an issue that waits gives way to one that is more severe.
    /// Default: 10,000.
    pub open: u32,
    /// Open issues of one engine, so that one that runs wild leaves a share to the rest.
    /// Default: 2,000.
    pub open_per_engine: u32,
    /// Engines. Default: 256.
    pub engines: u32,
    /// Components that are named beforehand. One with an issue always has a place and a budget of
    /// its own; one that is idle for as long as the longest budget window is forgotten. Default:
    /// 1,024.
    pub components: u32,
    /// Keys whose past attempts, heals and blocks are remembered. Default: 8,192.
    pub keys: u32,
    /// Mutes. Default: 1,024.
    pub mutes: u32,
    /// Alerts that fire at once. Default: 1,024.
    pub alerts: u32,
    /// Label combinations counted for each metric; those beyond count as `other`. Default: 512.
    pub series: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open: 10_000,
            open_per_engine: 2_000,
            engines: 256,
            components: 1_024,
            keys: 8_192,
            mutes: 1_024,
            alerts: 1_024,
            series: 512,
        }
    }
}
