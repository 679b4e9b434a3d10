//! One consistent copy of all numbers, for a scrape.

use super::State;
use crate::config::HealingPolicy;
use crate::healing::core::tally::{
    ActionCounts, ActionLabels, ActionTimes, Counts, DetectedLabels, Observations,
};
use crate::healing::core::{
    Alert, AttemptResult, Closed, Issue, IssueKey, Name, ParkReason, Phase, ServiceEscalation,
    Severity, Stamp,
};

/// All numbers of the core at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a gauge of its own, and all combinations occur"
)]
pub struct Snapshot {
    /// The time of the last step.
    pub stamp: Stamp,
    /// What became of the observations.
    pub observations: Observations,
    /// Issues opened.
    pub opened: u64,
    /// Issues taken up again from a journal.
    pub restored: u64,
    /// Issues closed, by outcome.
    pub closed: Counts<Closed>,
    /// Open issues, by phase.
    pub open: Counts<Phase>,
    /// Attempts started.
    pub attempts_started: u64,
    /// Attempts finished, by result.
    pub attempts_finished: Counts<AttemptResult>,
    /// Attempts that run; zombies are finished, though they have not ended.
    pub attempts_running: u64,
    /// Rollbacks started.
    pub rollbacks_started: u64,
    /// Rollbacks finished, by result.
    pub rollbacks_finished: Counts<AttemptResult>,
    /// Attempts and rollbacks that were given up and have not ended.
    pub zombies: u64,
    /// Issues that gave way to a more severe one; they are closed as superseded.
    pub evicted: u64,
    /// Answers to questions that were no longer open.
    pub late: u64,
    /// Steps that panicked, which is a bug of this crate.
    pub panics: u64,
    /// Issues that are due and wait for a guard to let them through.
    pub queue: u64,
    /// Whether the engine is paused.
    pub paused: bool,
    /// Whether the kill switch is on.
    pub killed: bool,
    /// Whether so many components are bad that nothing starts.
    pub storm: bool,
    /// Whether the journal can be written.
    pub journal_healthy: bool,
    /// Whether the engine shuts down.
    pub shutting_down: bool,
    /// How many more attempts the global budget allows now.
    pub budget_left: u64,
    /// How many more attempts each component's budget allows now.
    pub component_budget_left: Vec<(Name, u64)>,
    /// Components that were seen or declared.
    pub components_known: u64,
    /// Components with a confirmed issue.
    pub components_bad: u64,
    /// Mutes in force.
    pub mutes: u64,
    /// Keys that are remembered.
    pub keys_remembered: u64,
    /// Alerts that fire, by severity.
    pub alerts: Counts<Severity>,
    /// Alerts that could not fire because there were too many.
    pub alerts_refused: u64,
    /// How often a fault was taken further than an alert, by how far.
    pub escalations: Counts<ServiceEscalation>,
    /// Faults that keep the service from being ready for traffic.
    pub not_ready: u64,
    /// Whether the process was asked to end.
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
    /// Copies all numbers. It takes no longer than the number of label combinations, which is
    /// bounded, asks for; the open issues are not gone through.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let tally = &self.tally;
        let (now, budget) = (self.now.at, &self.policy.budget);
        let other = || Name::new("other");
        let mut alerts = Counts::default();
        for (severity, count) in Severity::ALL.into_iter().zip(self.alerts.by_severity()) {
            alerts.add_many(severity, count);
        }
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
            keys_remembered: number(self.memories.len()),
            alerts,
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

    /// The open issue of a key, and where it stands.
    #[must_use]
    pub fn issue(&self, key: &IssueKey) -> Option<(&Issue, Phase, Option<ParkReason>)> {
        let entry = self.open.get(*self.keys.get(key)?)?;
        Some((&entry.issue, entry.phase, entry.reason))
    }

    /// All open issues, in no particular order.
    pub fn issues(&self) -> impl Iterator<Item = (&Issue, Phase, Option<ParkReason>)> {
        self.open
            .iter()
            .map(|(_, entry)| (&entry.issue, entry.phase, entry.reason))
    }

    /// The alerts that fire.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }
}
