//! Counts of the core: plain numbers, changed only by `step`.

mod counts;
mod distribution;
mod series;

pub use counts::Counts;
pub use distribution::{CONFIDENCE_BUCKETS, DURATION_BUCKETS, Distribution};
pub(super) use series::Series;

use std::time::Duration;

use super::escalate::ServiceEscalation;
use super::issue::{IssueKey, Name, Severity};
use super::outcome::{AttemptResult, Closed, Dropped, Phase};

/// Counts of observations, by result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    /// All observations.
    pub total: u64,
    /// Observations that opened an issue.
    pub opened: u64,
    /// Observations that added to an open issue.
    pub coalesced: u64,
    /// Muted observations.
    pub muted: u64,
    /// Dropped observations, by reason.
    pub dropped: Counts<Dropped>,
}

/// The labels of detected issues.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DetectedLabels {
    /// The kind of fault.
    pub issue_type: Name,
    /// Severity when it opened.
    pub severity: Severity,
    /// The component.
    pub component: Name,
}

/// The labels of actions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionLabels {
    /// The kind of fault.
    pub issue_type: Name,
    /// The action.
    pub action: Name,
}

impl ActionLabels {
    pub(super) fn new(key: &IssueKey, action: &Name) -> Self {
        Self {
            issue_type: key.issue_type.clone(),
            action: action.clone(),
        }
    }
}

/// The attempts of one action for one issue type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionCounts {
    /// Started attempts.
    pub attempts: u64,
    /// Attempts verified as healed.
    pub successes: u64,
    /// Attempts that failed, timed out, panicked, or returned ok without healing.
    pub failures: u64,
}

/// The distributions of one action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionTimes {
    /// Duration of an attempt in seconds.
    pub duration: Distribution,
    /// The confidence with which it ran.
    pub confidence: Distribution,
}

impl Default for ActionTimes {
    fn default() -> Self {
        Self {
            duration: Distribution::new(&DURATION_BUCKETS),
            confidence: Distribution::new(&CONFIDENCE_BUCKETS),
        }
    }
}

/// The counters of the core.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) observations: Observations,
    pub(super) opened: u64,
    pub(super) restored: u64,
    pub(super) closed: Counts<Closed>,
    pub(super) open: Counts<Phase>,
    pub(super) started: u64,
    pub(super) finished: Counts<AttemptResult>,
    pub(super) running: u64,
    pub(super) rollbacks_started: u64,
    pub(super) rollbacks_finished: Counts<AttemptResult>,
    pub(super) evicted: u64,
    pub(super) late: u64,
    pub(super) panics: u64,
    pub(super) escalations: Counts<ServiceEscalation>,
    pub(super) detected: Series<DetectedLabels, u64>,
    pub(super) actions: Series<ActionLabels, ActionCounts>,
    pub(super) times: Series<Name, ActionTimes>,
}

impl Tally {
    pub(super) fn attempt_started(&mut self, labels: ActionLabels, gate: f64, limit: u32) {
        self.started += 1;
        self.running += 1;
        let times = self.times.entry(labels.action.clone(), limit);
        times.confidence.observe(gate);
        self.actions.entry(labels, limit).attempts += 1;
    }

    pub(super) fn attempt_finished(
        &mut self,
        action: &Name,
        result: AttemptResult,
        took: Duration,
        limit: u32,
    ) {
        self.running = self.running.saturating_sub(1);
        self.finished.add(result);
        let times = self.times.entry(action.clone(), limit);
        times.duration.observe(took.as_secs_f64());
    }

    pub(super) fn attempt_judged(&mut self, labels: ActionLabels, good: bool, limit: u32) {
        let counts = self.actions.entry(labels, limit);
        if good {
            counts.successes += 1;
        } else {
            counts.failures += 1;
        }
    }
}
