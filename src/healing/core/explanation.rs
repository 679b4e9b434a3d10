//! What would happen next to an issue, and why.

use std::fmt;

use super::confidence::Confidence;
use super::escalate::{EscalationState, ServiceEscalation};
use super::hold::Hold;
use super::issue::{Generation, IssueKey, Name, Severity};
use super::moment::Moment;
use super::outcome::{ParkReason, Phase};
use super::plan::{Mode, Risk};

/// What would be done next about an issue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NextAction {
    /// What.
    pub action: Name,
    /// The step of the plan, from 0.
    pub step: usize,
    /// Which attempt of the step, from 1.
    pub nth: u32,
    /// Of how many; what is tried again after healing has given up goes beyond.
    pub of: u32,
    /// What can go wrong.
    pub risk: Risk,
    /// What to do when it is due.
    pub mode: Mode,
    /// How sure the detector and the action are.
    pub confidence: Confidence,
}

/// `attempt 2 of 3`, or `attempt 4, beyond the 3 of its plan` of what is tried again though
/// healing has given up.
impl fmt::Display for NextAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nth, of) = (self.nth, self.of);
        if nth > of {
            write!(f, "attempt {nth}, beyond the {of} of its plan")
        } else {
            write!(f, "attempt {nth} of {of}")
        }
    }
}

/// What would happen now about a key, and why.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Which.
    pub key: IssueKey,
    /// Its generation.
    pub generation: Generation,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub phase: Phase,
    /// Why it is left to a person, if it is.
    pub reason: Option<ParkReason>,
    /// When its phase ends by itself, if it does.
    pub until: Option<Moment>,
    /// What would be done next; none without a plan, or when all of it was tried.
    pub next: Option<NextAction>,
    /// The time before which nothing starts for it.
    pub not_before: Moment,
    /// Why healing has given up on it, if it has: a person is needed, though what is reversible
    /// is tried again.
    pub gave_up: Option<ParkReason>,
    /// Everything that would hold it back if it were due now, the first of it first.
    pub holds: Vec<Hold>,
    /// How far it is taken beyond an alert, if healing has given up on it.
    pub escalation: Option<EscalationState>,
}

/// `db/down is pending: restart (attempt 2 of 3) is held back: the engine is paused`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.key, self.phase.as_str())?;
        if let Some(reason) = self.reason {
            write!(f, " ({})", reason.as_str())?;
        }
        if let Some(escalation) = &self.escalation {
            f.write_str(match escalation.reached {
                None => "",
                Some(ServiceEscalation::NotReady) => ", the service is not ready",
                Some(ServiceEscalation::Exit) => ", the process is asked to end",
            })?;
            if let (Some((level, _)), Some(hold)) = (escalation.next, &escalation.hold) {
                write!(f, ", {} is held back: {hold}", level.as_str())?;
            }
        }
        let Some(next) = &self.next else {
            return Ok(());
        };
        let action = &next.action;
        match self.phase {
            Phase::Running | Phase::Verifying | Phase::Settling | Phase::AwaitingRollback => {
                write!(f, ": {action} ({next})")?;
            }
            _ => write!(f, ": next is {action} ({next})")?,
        }
        match self.holds.first() {
            Some(hold) if !matches!(self.phase, Phase::Running) => {
                write!(f, ", held back: {hold}")
            }
            _ => Ok(()),
        }
    }
}

impl Explanation {
    /// Whether the issue is left to a person. What only waits goes on by itself.
    pub(in crate::healing) fn is_left(&self) -> bool {
        let parked = self.reason.is_some_and(|why| why != ParkReason::Waited);
        parked || self.gave_up.is_some()
    }
}
