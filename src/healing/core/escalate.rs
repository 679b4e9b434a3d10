//! What follows an alert.

use serde::{Deserialize, Serialize};

use super::alert::AlertId;
use super::hold::Hold;
use super::issue::{Severity, ShortText};
use super::moment::{Moment, Stamp};

/// How far a fault is taken, once healing has given up on it and an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceEscalation {
    /// The service is not ready for traffic, until the fault is gone or a person acknowledges it.
    NotReady,
    /// The process is asked to end in order, for whatever started it to start it anew.
    Exit,
}

impl ServiceEscalation {
    /// Both, in their order.
    pub const ALL: [Self; 2] = [Self::NotReady, Self::Exit];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotReady => "not_ready",
            Self::Exit => "exit",
        }
    }
}

/// Why the process should end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExitRequest {
    /// What healing has given up on.
    pub id: AlertId,
    /// How bad it is.
    pub severity: Severity,
    /// In words.
    pub why: ShortText,
    /// When it was asked for.
    pub stamp: Stamp,
}

/// Where the escalation of a fault stands that healing has given up on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EscalationState {
    /// Since when healing has given up.
    pub since: Moment,
    /// How far it was taken beyond the alert.
    pub reached: Option<ServiceEscalation>,
    /// What is next, and when; none where the policy takes it no further.
    pub next: Option<(ServiceEscalation, Moment)>,
    /// What would hold the next level back now.
    pub hold: Option<Hold>,
}
