//! A consistent copy of all counts, for a scrape.

use super::State;
use crate::config::HealingPolicy;
use crate::healing::core::tally::{
    ActionCounts, ActionLabels, ActionTimes, Counts, DetectedLabels, Observations,
};
use crate::healing::core::{
    Alert, AttemptResult, Closed, Issue, IssueKey, Name, ParkReason, Phase, ServiceEscalation,
    Severity, Stamp,
};

/// All counts of the core at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent gauges in all combinations"
)]
pub struct Snapshot {
    /// The time of the last step.
    pub stamp: Stamp,
    /// Observations, by result.
    pub observations: Observations,
    /// Issues opened.
    pub opened: u64,
    /// Issues restored from a journal.
    pub restored: u64,
    /// Issues closed, by outcome.
    pub closed: Counts<Closed>,
    /// Open issues, by phase.
    pub open: Counts<Phase>,
    /// Attempts started.
    pub attempts_started: u64,
    /// Attempts finished, by result.
    pub attempts_finished: Counts<AttemptResult>,
    /// Running attempts; zombies count as finished, though they have not ended.
    pub attempts_running: u64,
    /// Rollbacks started.
    pub rollbacks_started: u64,
    /// Rollbacks finished, by result.
    pub rollbacks_finished: Counts<AttemptResult>,
    /// Attempts and rollbacks that were abandoned and have not ended.
    pub zombies: u64,
    /// Issues evicted by a more severe one; they close as superseded.
    pub evicted: u64,
    /// Answers to requests that were no longer open.
    pub late: u64,
    /// Steps that panicked, which is a bug of this crate.
    pub panics: u64,
    /// Due issues that wait for a guard to let them through.
    pub queue: u64,
    /// Whether the engine is paused.
    pub paused: bool,
    /// Whether the kill switch is on.
    pub killed: bool,
    /// Whether so many components are bad that nothing starts.
    pub storm: bool,
    /// Whether the journal is writable.
    pub journal_healthy: bool,
    /// Whether the engine is shutting down.
    pub shutting_down: bool,
    /// Attempts left in the global budget.
    pub budget_left: u64,
    /// Attempts left in each component's budget.
    pub component_budget_left: Vec<(Name, u64)>,
    /// Known components.
    pub components_known: u64,
    /// Components with a confirmed issue.
    pub components_bad: u64,
    /// Mutes in force.
    pub mutes: u64,
    /// Firing alerts, by severity.
    pub alerts: Counts<Severity>,
    /// Alerts refused because too many fire.
    pub alerts_refused: u64,
    /// Escalations of faults beyond an alert, by level.
    pub escalations: Counts<ServiceEscalation>,
    /// Faults that keep the service from being ready.
    pub not_ready: u64,
    /// Whether the process was asked to exit.
    pub exit_asked: bool,
    /// Issues opened, by type, severity and component.
    pub detected: Vec<(DetectedLabels, u64)>,
    /// Attempts, by issue type and action.
    pub actions: Vec<(ActionLabels, ActionCounts)>,
    /// Durations and confidence, by action.
    pub times: Vec<(Name, ActionTimes)>,
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl State {
    /// Copies all counts. The cost depends on the bounded number of label combinations, not on the
    /// number of open issues.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let tally = &self.tally;
        let (now, budget) = (self.now.at, &self.policy.budget);
        let other = || Name::new("other");
        Snapshot {
            stamp: self.now,
            observations: tally.observations.clone(),
            opened: tally.opened,
            restored: tally.restored,
            closed: tally.closed,
            open: tally.open,
            attempts_started: tally.started,
            attempts_finished: tally.finished,
            attempts_running: tally.running,
            rollbacks_started: tally.rollbacks_started,
            rollbacks_finished: tally.rollbacks_finished,
            zombies: number(self.attempts.zombies()),
            evicted: tally.evicted,
            late: tally.late,
            panics: tally.panics,
            queue: tally.open.get(Phase::Pending),
            paused: self.paused,
            killed: self.killed,
            storm: self.storm.is_active(),
            journal_healthy: !self.journal_down,
            shutting_down: self.stopping,
            budget_left: u64::from(self.spent.left(now, &budget.global)),
            component_budget_left: self
                .components
                .iter()
                .map(|one| {
                    let left = one.spent.left(now, &budget.component);
                    (one.name.clone(), u64::from(left))
                })
                .collect(),
            components_known: number(self.components.known()),
            components_bad: number(self.components.bad()),
            mutes: number(self.mutes.len()),
            alerts: self.alerts.by_severity(),
            alerts_refused: self.alerts.refused(),
            escalations: tally.escalations,
            not_ready: number(self.escalations.not_ready().len()),
            exit_asked: self.exit_asked,
            detected: tally.detected.to_vec(|| DetectedLabels {
                issue_type: other(),
                severity: Severity::default(),
                component: other(),
            }),
            actions: tally.actions.to_vec(|| ActionLabels {
                issue_type: other(),
                action: other(),
            }),
            times: tally.times.to_vec(other),
        }
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &HealingPolicy {
        &self.policy
    }

    /// The open issue of a key, its phase, and why it is parked, if it is.
    #[must_use]
    pub fn issue(&self, key: &IssueKey) -> Option<(&Issue, Phase, Option<ParkReason>)> {
        let entry = self.open.get(*self.keys.get(key)?)?;
        Some((&entry.issue, entry.phase, entry.reason))
    }

    /// All open issues with phase and park reason, in no particular order.
    pub fn issues(&self) -> impl Iterator<Item = (&Issue, Phase, Option<ParkReason>)> {
        self.open
            .iter()
            .map(|(_, entry)| (&entry.issue, entry.phase, entry.reason))
    }

    /// The firing alerts.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }
}
