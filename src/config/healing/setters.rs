//! Constructors and setters of the policy and its parts, as a table: each starts from the
//! defaults, and each setter says its own.

use std::time::Duration;

use super::{
    Approval, Backoff, Budget, Budgets, ByRisk, Confirm, Escalation, Flap, HealingPolicy, Limits,
    Mode, Modes, Override, Recurrence, Severity, Storm, Verify,
};

macro_rules! setters {
    ($part:ident { $($(#[$doc:meta])+ $field:ident: $value:ty,)+ }) => {
        impl $part {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$doc])+
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}

setters!(HealingPolicy {
    /// Whether to report what would be done, and do nothing. Default: false.
    dry_run: bool,
    /// Sets what to do by the risk of an action. Default: reversible actions run, disruptive ones
    /// are reported, destructive ones wait for approval.
    modes: Modes,
    /// Sets the confidence below which an action waits for approval. Default: 0.05, 0.2 and 0.4.
    min_confidence: ByRisk,
    /// Sets how often each engine detects. Default: 10 s.
    detect_every: Duration,
    /// Sets how many of the last detection runs must find a fault. Default: 2 of 3.
    confirm: Confirm,
    /// Sets how many detection runs in a row must find nothing before an issue counts as gone by
    /// itself. Default: 2.
    clear: u32,
    /// Sets how long a verification must stay good before an issue is healed. Default: 10 s.
    settle: Duration,
    /// Sets how long an attempt may take before it is cancelled. Default: 30 s.
    timeout: Duration,
    /// Sets how long a cancelled attempt has to end before it is a zombie. Default: 5 s.
    grace: Duration,
    /// Sets the attempts of a step whose plan does not say. Default: 3.
    attempts: u32,
    /// Sets the wait between attempts. Default: up to 1 s, doubling, at most 5 min.
    backoff: Backoff,
    /// Sets how many attempts are allowed per component and in all. Default: 10 and 60 in 10 min.
    budget: Budgets,
    /// Sets how many attempts one key may take before it is left to a person.
    /// Default: 5 in 10 min.
    intensity: Budget,
    /// Sets how often what is reversible is tried again after healing has given up on a fault.
    /// Default: 15 min.
    retry_every: Duration,
    /// Sets how many attempts may run at once. Default: 4.
    max_running: u32,
    /// Sets how many zombies there may be before nothing starts any more. Default: 3.
    max_zombies: u32,
    /// Sets how verification is repeated. Default: 3 tries, 1 s apart, 10 s each.
    verify: Verify,
    /// Sets when so much is broken that acting would make it worse. Default: half of the
    /// components, at least 5, and 30 s of calm to leave it.
    storm: Storm,
    /// Sets how long it takes after a pause, a storm or a restart until
    /// [`max_running`](HealingPolicy::max_running) attempts may run. Default: 30 s.
    ramp: Duration,
    /// Sets when a fault that keeps coming back is left to a person. Default: 3 heals in 30 min.
    flap: Flap,
    /// Sets when a fault that keeps being healed raises an alert. Default: 5 heals in 24 h.
    recurrence: Recurrence,
    /// Sets how long a request for approval stands. Default: 24 h.
    approval: Approval,
    /// Sets how long an issue may wait before it is parked and an alert is raised. Default: 1 h.
    patience: Duration,
    /// Sets what follows an alert, when healing has given up. Default: nothing.
    escalation: Escalation,
    /// Sets the head start of each level of severity over the next lower one. Default: 30 s.
    ageing: Duration,
    /// Sets the bounds of everything the engine remembers. Default: [`Limits::default`].
    limits: Limits,
});

impl HealingPolicy {
    /// Adds the operator's word on a component or issue type, after those that are there: the
    /// first match counts. Default: none.
    #[must_use]
    pub fn override_mode(mut self, word: Override) -> Self {
        self.overrides.push(word);
        self
    }
}

impl Override {
    /// This mode for every component and issue type, until narrowed.
    #[must_use]
    pub const fn new(mode: Mode) -> Self {
        Self {
            component: None,
            issue_type: None,
            mode,
        }
    }

    /// Sets the component that it is about. Default: every one.
    #[must_use]
    pub fn component(mut self, component: impl Into<String>) -> Self {
        self.component = Some(component.into());
        self
    }

    /// Sets the issue type that it is about. Default: every one.
    #[must_use]
    pub fn issue_type(mut self, issue_type: impl Into<String>) -> Self {
        self.issue_type = Some(issue_type.into());
        self
    }
}

setters!(Modes {
    /// Sets the mode for what can be undone unnoticed. Default: [`Mode::Run`].
    reversible: Mode,
    /// Sets the mode for what users may notice. Default: [`Mode::DryRun`].
    disruptive: Mode,
    /// Sets the mode for what cannot be undone. Default: [`Mode::Approval`].
    destructive: Mode,
});

setters!(ByRisk {
    /// Sets the ratio for what can be undone unnoticed, 0 to 1. Default: 0.05.
    reversible: f64,
    /// Sets the ratio for what users may notice, 0 to 1. Default: 0.2.
    disruptive: f64,
    /// Sets the ratio for what cannot be undone, 0 to 1. Default: 0.4.
    destructive: f64,
});

setters!(Budgets {
    /// Sets the budget of each component. Default: 10 in 10 min.
    component: Budget,
    /// Sets the budget of all components together. Default: 60 in 10 min.
    global: Budget,
    /// Sets the share of each budget that is kept for each higher severity. Default: 0.1.
    kept_per_severity: f64,
    /// Sets the share of the global budget that is kept for components that have spent nothing.
    /// Default: 0.2.
    kept_for_unspent: f64,
});

setters!(Backoff {
    /// Sets the longest wait before the second attempt. Default: 1 s.
    base: Duration,
    /// Sets the longest wait of all. Default: 5 min.
    cap: Duration,
    /// Sets how long a key must be healthy before its next fault is the first again.
    /// Default: 10 min.
    reset_after: Duration,
});

setters!(Verify {
    /// Sets how long one verification may take. Default: 10 s.
    timeout: Duration,
    /// Sets how many may end without a verdict. Default: 3.
    tries: u32,
    /// Sets the wait between two. Default: 1 s.
    every: Duration,
});

setters!(Storm {
    /// Sets the share of the known components that may be bad, 0 to 1. Default: 0.5.
    share: f64,
    /// Sets how many components must be bad before it is a storm. Default: 5.
    min_components: u32,
    /// Sets how long the share must stay below before anything starts again. Default: 30 s.
    hold: Duration,
});

setters!(Flap {
    /// Sets how many heals of one key within the window are too many. Default: 3.
    heals: u32,
    /// Sets the window. Default: 30 min.
    window: Duration,
});

setters!(Recurrence {
    /// Sets which heal of one key within the window raises the alert. Default: the 5th.
    heals: u32,
    /// Sets the window. Default: 24 h.
    window: Duration,
});

setters!(Approval {
    /// Sets after how long the issue is parked. Default: 24 h.
    expires: Duration,
});

setters!(Escalation {
    /// Sets the mildest severity that goes further than an alert. Default: critical.
    severity: Severity,
    /// Sets how often the process may be asked to end. Default: 3 in 1 h.
    exits: Budget,
});

impl Escalation {
    /// Turns traffic away so long after healing has given up. Default: never.
    #[must_use]
    pub fn not_ready_after(mut self, wait: Duration) -> Self {
        self.not_ready_after = Some(wait);
        self
    }

    /// Asks the process to end so long after healing has given up. Default: never.
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
    /// Sets the limit of keys that are remembered. Default: 8,192.
    keys: u32,
    /// Sets the limit of mutes. Default: 1,024.
    mutes: u32,
    /// Sets the limit of alerts that fire at once. Default: 1,024.
    alerts: u32,
    /// Sets the limit of label combinations counted for each metric. Default: 512.
    series: u32,
});
