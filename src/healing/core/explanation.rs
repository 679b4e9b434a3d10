//! Explanations: the next action for an issue, and the guards that hold it back.

use std::fmt::{self, Write as _};

use super::confidence::Confidence;
use super::escalate::{EscalationState, ServiceEscalation};
use super::hold::Hold;
use super::issue::{Generation, IssueKey, Name, Severity};
use super::moment::Moment;
use super::outcome::{ParkReason, Phase};
use super::plan::{Mode, Risk};
use super::unknown::NotKnown;
use crate::util::{lasting, plain};

/// The next action for an issue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NextAction {
    /// The action.
    pub action: Name,
    /// Step of the plan, from 0.
    pub step: usize,
    /// Attempt number within the step, from 1.
    pub nth: u32,
    /// Attempts of the step; retries after healing has given up exceed it.
    pub of: u32,
    /// Risk of the action.
    pub risk: Risk,
    /// Mode in which it would run.
    pub mode: Mode,
    /// Confidence of the detector and the action.
    pub confidence: Confidence,
}

/// `attempt 2 of 3`, or `attempt 4, beyond the 3 of its plan` for retries after healing has given
/// up.
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

/// The next action for a key, and why it is held back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The key.
    pub key: IssueKey,
    /// Its generation.
    pub generation: Generation,
    /// Severity of the issue.
    pub severity: Severity,
    /// Its phase.
    pub phase: Phase,
    /// Why it is left to a person, if it is.
    pub reason: Option<ParkReason>,
    /// When its phase ends by itself, if it does.
    pub until: Option<Moment>,
    /// The next action; none without a plan, or when all steps were tried.
    pub next: Option<NextAction>,
    /// Nothing starts for it before this time.
    pub not_before: Moment,
    /// Why healing has given up on it, if it has: a person is needed, though reversible steps are
    /// retried.
    pub gave_up: Option<ParkReason>,
    /// Every guard that would hold it back if it were due now, in the order they are checked.
    pub holds: Vec<Hold>,
    /// Its escalation, if healing has given up on it.
    pub escalation: Option<EscalationState>,
    /// Why the last detection run could not determine its state, if so: it stays as it is.
    pub unknown: Option<NotKnown>,
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
                Some(ServiceEscalation::Exit) => ", the process is asked to exit",
            })?;
            if let (Some((level, _)), Some(hold)) = (escalation.next, &escalation.hold) {
                write!(f, ", {} is held back: {hold}", level.as_str())?;
            }
        }
        if let Some(unknown) = &self.unknown {
            write!(f, ", not known now: {}", unknown.why)?;
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
    /// The next step and the state at the time `now`, as a sentence: `restart, attempt 2 of 3; next
    /// in 8.0 s`.
    #[must_use]
    pub fn outlook(&self, now: Moment) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        if let Some(next) = &self.next {
            let _ = write!(text, "{}, {next}; ", next.action);
        }
        let in_time = |at: Moment| lasting(at - now);
        let _ = match (self.phase, self.reason, self.until) {
            (Phase::Backoff, ..) => write!(text, "next in {}", in_time(self.not_before)),
            (Phase::Settling, _, Some(until)) => {
                write!(text, "healed in {} if it stays well", in_time(until))
            }
            (_, Some(reason), until) => {
                let again = until.map(|at| format!(", tried again in {}", in_time(at)));
                let (why, again) = (plain(reason.as_str()), again.unwrap_or_default());
                write!(text, "left to a person ({why}){again}")
            }
            (phase, ..) => write!(text, "{}", plain(phase.as_str())),
        };
        if let Some(unknown) = &self.unknown {
            let _ = write!(text, ". Not known now: {}", unknown.why);
        }
        let is_waiting = !matches!(
            self.phase,
            Phase::Running | Phase::Verifying | Phase::Settling
        );
        // A plan comes with the next observation, which an unknown state explains the lack of.
        let explained = |hold: &&Hold| self.unknown.is_some() && **hold == Hold::NoPlan;
        let mut holds = self.holds.iter().filter(|hold| !explained(hold));
        if let Some(hold) = holds.next().filter(|_| is_waiting) {
            let _ = write!(text, ". Held back: {hold}");
            if let Some(until) = hold.until() {
                let _ = write!(text, ", for {}", in_time(until));
            }
        }
        text
    }

    /// Whether the issue is left to a person. Issues that only wait continue by themselves.
    pub(in crate::healing) fn is_left(&self) -> bool {
        let parked = self.reason.is_some_and(|why| why != ParkReason::Waited);
        parked || self.gave_up.is_some()
    }
}
