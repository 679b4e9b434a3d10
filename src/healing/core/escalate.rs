//! Service escalation: readiness and process exit after an alert.

use serde::{Deserialize, Serialize};

use super::alert::AlertId;
use super::hold::Hold;
use super::issue::{Severity, ShortText};
use super::moment::{Moment, Stamp};
use crate::util::closed_set;

closed_set! {
    /// The levels beyond an alert to which an unhealed fault is escalated.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ServiceEscalation {
        /// The service is not ready for traffic until the fault is gone or acknowledged by a
        /// person.
        NotReady = "not_ready",
        /// The process is asked to end in order, so that its supervisor restarts it.
        Exit = "exit",
    }
}

/// A request to end the process, and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExitRequest {
    /// The alert of the fault that healing has given up on.
    pub id: AlertId,
    /// Severity of the fault.
    pub severity: Severity,
    /// The reason in plain text.
    pub why: ShortText,
    /// Time of the request.
    pub stamp: Stamp,
}

/// The escalation state of a fault that healing has given up on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EscalationState {
    /// When healing gave up.
    pub since: Moment,
    /// The level reached beyond the alert.
    pub reached: Option<ServiceEscalation>,
    /// The next level and its time; none if the policy has no further one.
    pub next: Option<(ServiceEscalation, Moment)>,
    /// The guard that holds the next level back now.
    pub hold: Option<Hold>,
}
