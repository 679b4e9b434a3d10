//! Constructors and setters of the policy and its parts.

use std::time::Duration;

use super::{
    Approval, Backoff, Budget, Budgets, ByRisk, Confirm, Escalation, Flap, HealingPolicy, Limits,
    Mode, Modes, Override, Recurrence, Severity, Storm, Verify,
};
use crate::config::setters::setters;

setters!(HealingPolicy {
    /// Whether actions are only reported. Default: false.
    dry_run: bool,
    /// Sets the mode by the risk of an action. Default: reversible actions run, disruptive ones are
    /// reported, destructive ones wait for approval.
    modes: Modes,
    /// Sets the confidence below which an action waits for approval. Default: 0.05, 0.2 and 0.4.
    min_confidence: ByRisk,
    /// Sets the interval between detection runs of an engine. Default: 10 s.
    detect_every: Duration,
    /// Sets how many of the last detection runs must find a fault. Default: 2 of 3.
    confirm: Confirm,
    /// Sets how many consecutive detection runs must find nothing before an issue counts as
    /// cleared. Default: 2.
    clear: u32,
    /// Sets how long verification must stay good before an issue counts as healed. Default: 10 s.
    settle: Duration,
    /// Sets the time limit of an attempt, after which it is cancelled. Default: 30 s.
    timeout: Duration,
    /// Sets how long a cancelled attempt may take to end before it is a zombie. Default: 5 s.
    grace: Duration,
    /// Sets the attempts of a step whose plan sets no number. Default: 3.
    attempts: u32,
    /// Sets the delay between attempts. Default: up to 1 s, doubling, at most 5 min.
    backoff: Backoff,
    /// Sets the attempts allowed per component and in total. Default: 10 and 60 in 10 min.
    budget: Budgets,
    /// Sets how many attempts one key may take before it is left to a person. Default: 5 in 10 min.
    intensity: Budget,
    /// Sets the interval at which reversible actions are retried after healing has given up.
    /// Default: 15 min.
    retry_every: Duration,
    /// Sets how many attempts may run at once. Default: 4.
    max_running: u32,
    /// Sets the number of zombies at which no attempt starts any more. Default: 3.
    max_zombies: u32,
    /// Sets the retries of verification. Default: 3 tries, 1 s apart, 10 s each.
    verify: Verify,
    /// Sets the storm guard. Default: half of the components, at least 5, and 30 s of calm to end
    /// it.
    storm: Storm,
    /// Sets the time over which the number of attempts that may run rises to
    /// [`max_running`](HealingPolicy::max_running). Default: 30 s.
    ramp: Duration,
    /// Sets the flap guard. Default: 3 heals of one key in 30 min.
    flap: Flap,
    /// Sets the recurrence alert. Default: 5 heals in 24 h.
    recurrence: Recurrence,
    /// Sets the lifetime of a request for approval. Default: 24 h.
    approval: Approval,
    /// Sets how long an issue may wait before it is parked and an alert is raised. Default: 1 h.
    patience: Duration,
    /// Sets the escalation beyond an alert. Default: none.
    escalation: Escalation,
    /// Sets the head start of each severity over the next lower one. Default: 30 s.
    ageing: Duration,
    /// Sets the memory limits of the engine. Default: [`Limits::default`].
    limits: Limits,
});

impl HealingPolicy {
    /// Appends a mode for a component or issue type; the first match applies. Default: none.
    #[must_use]
    pub fn override_mode(mut self, word: Override) -> Self {
        self.overrides.push(word);
        self
    }
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

setters!(Modes {
    /// Sets the mode of actions that can be undone unnoticed. Default: [`Mode::Run`].
    reversible: Mode,
    /// Sets the mode of actions that users may notice. Default: [`Mode::DryRun`].
    disruptive: Mode,
    /// Sets the mode of actions that cannot be undone. Default: [`Mode::Approval`].
    destructive: Mode,
});

setters!(ByRisk {
    /// Sets the ratio for actions that can be undone unnoticed, 0 to 1. Default: 0.05.
    reversible: f64,
    /// Sets the ratio for actions that users may notice, 0 to 1. Default: 0.2.
    disruptive: f64,
    /// Sets the ratio for actions that cannot be undone, 0 to 1. Default: 0.4.
    destructive: f64,
});

setters!(Budgets {
    /// Sets the budget of each component. Default: 10 in 10 min.
    component: Budget,
    /// Sets the budget of all components together. Default: 60 in 10 min.
    global: Budget,
    /// Sets the share of each budget reserved for each higher severity. Default: 0.1.
    kept_per_severity: f64,
    /// Sets the share of the global budget reserved for components that have spent nothing.
    /// Default: 0.2.
    kept_for_unspent: f64,
});

setters!(Backoff {
    /// Sets the longest delay before the second attempt. Default: 1 s.
    base: Duration,
    /// Sets the longest delay of all. Default: 5 min.
    cap: Duration,
    /// Sets how long a key must be healthy before the delay restarts at `base`. Default: 10 min.
    reset_after: Duration,
});

setters!(Verify {
    /// Sets the time limit of one try. Default: 10 s.
    timeout: Duration,
    /// Sets the number of tries without a verdict. Default: 3.
    tries: u32,
    /// Sets the interval between two tries. Default: 1 s.
    every: Duration,
});

setters!(Storm {
    /// Sets the share of bad components that is a storm, 0 to 1. Default: 0.5.
    share: f64,
    /// Sets the minimum number of bad components for a storm. Default: 5.
    min_components: u32,
    /// Sets how long the share must stay below before actions start again. Default: 30 s.
    hold: Duration,
});

setters!(Flap {
    /// Sets the number of heals of one key within the window. Default: 3.
    heals: u32,
    /// Sets the window. Default: 30 min.
    window: Duration,
});

setters!(Recurrence {
    /// Sets the number of heals of one key within the window that raises the alert. Default: 5.
    heals: u32,
    /// Sets the window. Default: 24 h.
    window: Duration,
});

setters!(Approval {
    /// Sets the time after which the issue is parked. Default: 24 h.
    expires: Duration,
});

setters!(Escalation {
    /// Sets the lowest severity that escalates beyond an alert. Default: critical.
    severity: Severity,
    /// Sets the budget of requested exits. Default: 3 in 1 h.
    exits: Budget,
});

impl Escalation {
    /// Sets the time from giving up until the service reports not ready. Default: never.
    #[must_use]
    pub fn not_ready_after(mut self, wait: Duration) -> Self {
        self.not_ready_after = Some(wait);
        self
    }

    /// Sets the time from giving up until the process is asked to exit. Default: never.
    #[must_use]
    pub fn exit_after(mut self, wait: Duration) -> Self {
        self.exit_after = Some(wait);
        self
    }
}

setters!(Limits {
    /// Sets the limit of open issues. Default: 10,000.
    open: u32,
    /// Sets the limit of open issues of one engine. Default: 2,000.
    open_per_engine: u32,
    /// Sets the limit of engines. Default: 256.
    engines: u32,
    /// Sets the limit of components. Default: 1,024.
    components: u32,
    /// Sets the limit of keys that are kept. Default: 8,192.
    keys: u32,
    /// Sets the limit of mutes. Default: 1,024.
    mutes: u32,
    /// Sets the limit of alerts that fire at the same time. Default: 1,024.
    alerts: u32,
    /// Sets the limit of label combinations counted for each metric. Default: 512.
    series: u32,
});
