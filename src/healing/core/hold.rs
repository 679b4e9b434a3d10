//! The guards that hold an attempt back.

use std::fmt;

use super::attempt::AttemptId;
use super::issue::Name;
use super::moment::Moment;

/// A guard that holds an attempt back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Hold {
    /// The engine shuts down.
    ShuttingDown,
    /// The kill switch is on.
    Killed,
    /// The engine is paused.
    Paused,
    /// So many components are bad at once that the cause is elsewhere.
    Storm {
        /// When it ends if it stays calm; none while it is not calm.
        until: Option<Moment>,
    },
    /// So many attempts hang that nothing starts.
    Zombies {
        /// Hung attempts.
        count: usize,
        /// The limit from which nothing starts.
        limit: u32,
    },
    /// The limit of concurrent attempts is reached.
    Concurrency {
        /// Running attempts, zombies included.
        running: usize,
        /// The current limit: lower for a while after a pause, a storm or a restart.
        limit: u32,
    },
    /// The global budget is spent, as far as this issue may draw on it.
    GlobalBudget {
        /// When it is available again.
        until: Moment,
        /// Attempts reserved for worse faults, and for components that have spent nothing.
        kept: u32,
    },
    /// The engine has supplied no plan.
    NoPlan,
    /// The key or its component is muted.
    Muted {
        /// When the mute ends.
        until: Moment,
    },
    /// A component that it depends on is healed first.
    Parent {
        /// The parent component.
        component: Name,
    },
    /// The journal is not writable, and the action is not reversible.
    Journal,
    /// The mode is dry-run.
    DryRun,
    /// A person must approve.
    Approval,
    /// The confidence is too low to act without approval.
    Confidence {
        /// The confidence.
        gate: f64,
        /// The confidence that the policy requires.
        needed: f64,
    },
    /// The key used too many attempts within a window.
    Intensity {
        /// When an attempt is allowed again.
        until: Moment,
    },
    /// The component's budget is spent, as far as this issue may draw on it.
    ComponentBudget {
        /// When it is available again.
        until: Moment,
        /// Attempts reserved for worse faults.
        kept: u32,
    },
    /// The process was already asked to end.
    Exiting,
    /// The process was asked to end too often within a window.
    Exits {
        /// When an exit is allowed again.
        until: Moment,
    },
    /// Another attempt, or a zombie, holds the lock.
    Lock {
        /// The lock.
        lock: Name,
        /// The attempt that holds it.
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
                write!(
                    f,
                    "{count} attempts have not ended in time, the limit is {limit}"
                )
            }
            Self::Concurrency { running, limit } => {
                write!(f, "{running} attempts are running, the limit is {limit}")
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
            Self::Intensity { .. } => f.write_str("it had too many attempts in too short a time"),
            Self::ComponentBudget { kept: 0, .. } => f.write_str("the component's budget is spent"),
            Self::ComponentBudget { kept, .. } => write!(
                f,
                "the component's budget is spent but for {kept}, kept for worse faults"
            ),
            Self::Exiting => f.write_str("the process was asked to exit"),
            Self::Exits { .. } => f.write_str("the process was asked to exit too often"),
            Self::Lock { lock, holder } => write!(f, "attempt {} holds {lock}", holder.0),
        }
    }
}

impl Hold {
    /// When the hold ends, if known.
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
