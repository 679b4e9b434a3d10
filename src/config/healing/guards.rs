//! Guards and limits of the healing engine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::duration;
use crate::config::settings::settings;

/// How a due action is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Run the action.
    Run,
    /// Wait for a person's approval.
    Approval,
    /// Report the action without running it.
    DryRun,
}

settings! {
    /// The mode for each risk of an action.
    #[derive(Copy, Eq)]
    pub struct Modes {
        /// For actions that can be undone unnoticed. Default: `run`.
        pub reversible: Mode = Mode::Run,
        /// For actions that users may notice, such as a restart. Default: `dry_run`.
        pub disruptive: Mode = Mode::DryRun,
        /// For actions that cannot be undone, such as deleting. Default: `approval`.
        pub destructive: Mode = Mode::Approval,
    }
}

settings! {
    /// A ratio from 0 to 1 for each risk of an action.
    #[derive(Copy)]
    pub struct ByRisk {
        /// For actions that can be undone unnoticed. Default: 0.05; 19 verified failures in a row
        /// bring an action below it.
        pub reversible: f64 = 0.05,
        /// For actions that users may notice. Default: 0.2, just reached by 1 confirming sample of
        /// 1.
        pub disruptive: f64 = 0.2,
        /// For actions that cannot be undone. Default: 0.4, which takes 3 confirming samples of 3.
        pub destructive: f64 = 0.4,
    }
}

/// A mode for one component, one issue type, or one issue type of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The component it applies to; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The issue type it applies to; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_type: Option<String>,
    /// The mode to use.
    pub mode: Mode,
}

impl Override {
    /// Creates an override of every component and issue type; narrow it with the setters.
    #[must_use]
    pub const fn new(mode: Mode) -> Self {
        Self {
            component: None,
            issue_type: None,
            mode,
        }
    }

    /// Sets the component it applies to. Default: all.
    #[must_use]
    pub fn component(mut self, component: impl Into<String>) -> Self {
        self.component = Some(component.into());
        self
    }

    /// Sets the issue type it applies to. Default: all.
    #[must_use]
    pub fn issue_type(mut self, issue_type: impl Into<String>) -> Self {
        self.issue_type = Some(issue_type.into());
        self
    }
}

settings! {
    /// The storm guard: starts no action while so many components are bad that the cause is
    /// elsewhere.
    #[derive(Copy)]
    pub struct Storm {
        /// The share of bad components that is a storm, 0 to 1. Default: 0.5.
        pub share: f64 = 0.5,
        /// The minimum number of bad components for a storm, since with fewer the share means
        /// little. Default: 5.
        pub min_components: u32 = 5,
        /// How long the share must stay below the limit before actions start again. Default: 30 s.
        #[serde(with = "duration")]
        pub hold: Duration = Duration::from_secs(30),
    }
}

settings! {
    /// The flap guard: a fault healed this often waits until acknowledged, since healing hides it.
    #[derive(Copy, Eq)]
    pub struct Flap {
        /// The number of heals of one key within the window. Default: 3.
        pub heals: u32 = 3,
        /// The window. Default: 30 min.
        #[serde(with = "duration")]
        pub window: Duration = Duration::from_secs(1800),
    }
}

settings! {
    /// The recurrence alert: raised for a fault healed so often that its cause should be found.
    #[derive(Copy, Eq)]
    pub struct Recurrence {
        /// The number of heals of one key within the window that raises the alert. Default: 5.
        pub heals: u32 = 5,
        /// The window. Default: 24 h.
        #[serde(with = "duration")]
        pub window: Duration = Duration::from_secs(86_400),
    }
}

settings! {
    /// The lifetime of a request for approval.
    #[derive(Copy, Eq)]
    pub struct Approval {
        /// The time after which the issue is parked. Default: 24 h.
        #[serde(with = "duration")]
        pub expires: Duration = Duration::from_secs(86_400),
    }
}

settings! {
    /// The memory limits of the engine. What exceeds them is refused, counted and reported by name.
    #[derive(Copy, Eq)]
    pub struct Limits {
        /// Open issues. At the limit a more severe issue replaces a waiting one. Default: 10,000.
        pub open: u32 = 10_000,
        /// Open issues of one engine, so that a faulty engine cannot use the whole limit. Default:
        /// 2,000.
        pub open_per_engine: u32 = 2_000,
        /// Engines. Default: 256.
        pub engines: u32 = 256,
        /// Components registered in advance. One with an issue always has its own entry and budget;
        /// one idle for the longest budget window is forgotten. Default: 1,024.
        pub components: u32 = 1_024,
        /// Keys whose past attempts, heals and blocks are kept. Default: 8,192.
        pub keys: u32 = 8_192,
        /// Mutes. Default: 1,024.
        pub mutes: u32 = 1_024,
        /// Alerts that fire at the same time. Default: 1,024.
        pub alerts: u32 = 1_024,
        /// Label combinations counted for each metric; further ones count as `other`. Default: 512.
        pub series: u32 = 512,
    }
}
