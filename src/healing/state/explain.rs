//! What would happen now, and why.

use std::fmt;

use super::State;
use super::entry::Entry;
use crate::config::Mode;
use crate::healing::{
    AttemptId, Climb, Confidence, Generation, IssueKey, Moment, Name, ParkReason, Phase, Risk,
    Rung, Severity,
};

/// A guard that holds something back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Hold {
    /// The engine shuts down.
    ShuttingDown,
    /// The kill switch is on.
    Killed,
    /// The engine is paused.
    Paused,
    /// So many components are bad at once that the fault is elsewhere.
    Storm {
        /// When it ends if it stays calm; none while it is not calm.
        until: Option<Moment>,
    },
    /// So many attempts do not end that nothing starts.
    Zombies {
        /// How many.
        count: usize,
        /// How many are too many.
        limit: u32,
    },
    /// As many attempts run as may.
    Concurrency {
        /// How many, zombies included.
        running: usize,
        /// How many may now: fewer for a while after a pause, a storm or a restart.
        limit: u32,
    },
    /// The global budget is spent, as far as this issue may draw on it.
    GlobalBudget {
        /// Until when.
        until: Moment,
        /// How many attempts are kept for worse faults, and for components that have spent
        /// nothing.
        kept: u32,
    },
    /// The engine has not said what to do.
    NoPlan,
    /// The key or its component is muted.
    Muted {
        /// Until when.
        until: Moment,
    },
    /// What the component depends on is healed first.
    Parent {
        /// Which.
        component: Name,
    },
    /// The journal cannot be written, and the action is not reversible.
    Journal,
    /// The mode is dry-run.
    DryRun,
    /// A person must approve.
    Approval,
    /// The confidence is too low to act without a person's approval.
    Confidence {
        /// The confidence.
        gate: f64,
        /// What the policy asks for.
        needed: f64,
    },
    /// The key took too many attempts in too short a time.
    Intensity {
        /// Until when.
        until: Moment,
    },
    /// The component's budget is spent, as far as this issue may draw on it.
    ComponentBudget {
        /// Until when.
        until: Moment,
        /// How many attempts are kept for worse faults.
        kept: u32,
    },
    /// The process was asked to end already.
    Exiting,
    /// The process was asked to end too often in too short a time.
    Exits {
        /// Until when.
        until: Moment,
    },
    /// Another attempt, or a zombie, holds the lock.
    Lock {
        /// Which.
        lock: Name,
        /// Who holds it.
        holder: AttemptId,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShuttingDown => f.write_str("the engine shuts down"),
            Self::Killed => f.write_str("the kill switch is on"),
            Self::Paused => f.write_str("the engine is paused"),
            Self::Storm { .. } => f.write_str("too many components are bad at once"),
            Self::Zombies { count, limit } => {
                write!(f, "{count} attempts do not end, the limit is {limit}")
            }
            Self::Concurrency { running, limit } => {
                write!(f, "{running} attempts run, the limit is {limit}")
            }
            Self::GlobalBudget { kept: 0, .. } => f.write_str("the global budget is spent"),
            Self::GlobalBudget { kept, .. } => write!(
                f,
                "the global budget is spent but for {kept}, kept for worse faults and for \
                 components that have spent nothing"
            ),
            Self::NoPlan => f.write_str("there is no plan yet"),
            Self::Muted { .. } => f.write_str("it is muted"),
            Self::Parent { component } => write!(f, "{component} is healed first"),
            Self::Journal => f.write_str("the journal cannot be written"),
            Self::DryRun => f.write_str("the mode is dry-run"),
            Self::Approval => f.write_str("a person must approve"),
            Self::Confidence { gate, needed } => {
                write!(f, "the confidence is {gate:.2}, {needed:.2} is needed")
            }
            Self::Intensity { .. } => f.write_str("it took too many attempts in too short a time"),
            Self::ComponentBudget { kept: 0, .. } => f.write_str("the component's budget is spent"),
            Self::ComponentBudget { kept, .. } => write!(
                f,
                "the component's budget is spent but for {kept}, kept for worse faults"
            ),
            Self::Exiting => f.write_str("the process was asked to end"),
            Self::Exits { .. } => f.write_str("the process was asked to end too often"),
            Self::Lock { lock, holder } => write!(f, "attempt {} holds {lock}", holder.0),
        }
    }
}

impl Hold {
    /// Until when, where that is known.
    #[must_use]
    pub const fn until(&self) -> Option<Moment> {
        match self {
            Self::Storm { until } => *until,
            Self::GlobalBudget { until, .. }
            | Self::Muted { until }
            | Self::Intensity { until }
            | Self::Exits { until }
            | Self::ComponentBudget { until, .. } => Some(*until),
            _ => None,
        }
    }
}

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
    pub climb: Option<Climb>,
}

/// `db/down is pending: restart (attempt 2 of 3) is held back: the engine is paused`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.key, self.phase.as_str())?;
        if let Some(reason) = self.reason {
            write!(f, " ({})", reason.as_str())?;
        }
        if let Some(climb) = &self.climb {
            f.write_str(match climb.reached {
                None => "",
                Some(Rung::NotReady) => ", the service is not ready",
                Some(Rung::Exit) => ", the process is asked to end",
            })?;
            if let (Some((rung, _)), Some(hold)) = (climb.next, &climb.hold) {
                write!(f, ", {} is held back: {hold}", rung.as_str())?;
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

impl State {
    /// Says what would happen now about a key, and which guards hold it back. It looks at the
    /// same guards, by the same code, as the decision itself, and changes nothing.
    ///
    /// `None` if no issue of the key is open.
    #[must_use]
    pub fn explain(&self, key: &IssueKey) -> Option<Explanation> {
        let slot = *self.keys.get(key)?;
        let entry = self.open.get(slot)?;
        let mut holds = self.global_holds(false);
        // A rollback is held back by what holds everything back, and by nothing else.
        if entry.phase != Phase::AwaitingRollback {
            holds.extend(self.holds(slot, false).into_iter().filter(|hold| {
                // An issue is not held back by its own treatment.
                let own = entry.treatment.as_ref().map(|own| own.holder);
                !matches!(hold, Hold::Lock { holder, .. } if Some(*holder) == own)
            }));
        }
        Some(Explanation {
            key: key.clone(),
            generation: entry.issue.generation,
            severity: entry.issue.severity,
            phase: entry.phase,
            reason: entry.reason,
            until: entry.due,
            next: self.next_action(entry),
            not_before: entry.not_before,
            gave_up: entry.gave_up,
            holds,
            climb: self.climb_of(key, entry.gave_up),
        })
    }

    fn next_action(&self, entry: &Entry) -> Option<NextAction> {
        let plan = entry.plan.as_deref()?;
        let parked = entry.gave_up.filter(|_| entry.phase == Phase::Parked);
        let (nth, used) = match parked {
            Some(_) => (self.retry_step(entry)?, entry.used.max(entry.attempts)),
            None => (entry.step, entry.used),
        };
        let step = plan.steps.get(nth)?;
        let risk = step.risk.unwrap_or(plan.risk);
        Some(NextAction {
            action: step.action.clone(),
            step: nth,
            nth: used.saturating_add(1),
            of: step.attempts.unwrap_or(self.policy.attempts),
            risk,
            mode: self.mode(&entry.issue.key, plan, risk),
            confidence: self.confidence(entry, step),
        })
    }
}
