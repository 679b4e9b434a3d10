//! The policy of the healing part: when to act, how often, and when to leave it to a person.
//!
//! Every guard has a default that is safe to switch on in production. The whole policy can be
//! replaced while the engine runs: it applies to decisions from then on, and an attempt under
//! way keeps what it started with.

mod check;
mod escalation;
mod guards;
mod pace;
mod setters;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use escalation::{Escalation, Severity};
pub use guards::{Approval, ByRisk, Flap, Limits, Mode, Modes, Override, Recurrence, Storm};
pub use pace::{Backoff, Budget, Budgets, Confirm, Verify};

use super::duration;
use crate::config::Faults;

/// What the healing engine may do, as data.
///
/// ```
/// use selfheal::config::{HealingPolicy, Mode, Modes};
///
/// let policy = HealingPolicy::new().modes(Modes::new().disruptive(Mode::Run));
/// assert!(policy.validate().is_ok());
/// assert_eq!(policy.attempts, 3);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HealingPolicy {
    /// Report what would be done, and do nothing, whatever the modes say. Default: false.
    pub dry_run: bool,
    /// The mode by the risk of an action, where neither its plan nor an override says.
    /// Default: reversible actions run, disruptive ones are reported, destructive ones wait for
    /// approval.
    pub modes: Modes,
    /// The operator's word on single components or issue types; the first match counts, and it
    /// beats the plan. Default: none.
    pub overrides: Vec<Override>,
    /// The confidence below which an action waits for approval, by its risk.
    /// Default: 0.05, 0.2 and 0.4.
    pub min_confidence: ByRisk,
    /// How often the detection of each engine runs, whatever was hinted meanwhile. Default: 10 s.
    #[serde(with = "duration")]
    pub detect_every: Duration,
    /// How many of the last detection runs must find a fault before it is acted on. Default: 2 of 3.
    pub confirm: Confirm,
    /// How many detection runs in a row must find nothing before an issue counts as gone by itself.
    /// Default: 2.
    pub clear: u32,
    /// How long a fresh verification must stay good before an issue is healed. Default: 10 s.
    #[serde(with = "duration")]
    pub settle: Duration,
    /// How long an attempt may take before it is cancelled. Default: 30 s.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long a cancelled attempt has to end before it is a zombie. Default: 5 s.
    #[serde(with = "duration")]
    pub grace: Duration,
    /// The attempts of a step whose plan does not say. Default: 3.
    pub attempts: u32,
    /// The wait between attempts. Default: up to 1 s, doubling, at most 5 min.
    pub backoff: Backoff,
    /// How many attempts are allowed in a window, per component and in all, and the shares of
    /// these that are kept for worse faults and for components that have spent nothing.
    /// Default: 10 and 60 in 10 min; a tenth for each higher severity, and a fifth.
    pub budget: Budgets,
    /// The restart intensity: how many attempts one key may take in a window before it is left
    /// to a person. Default: 5 in 10 min.
    pub intensity: Budget,
    /// How often what is reversible is tried again after healing has given up on a fault, while
    /// its alert stands; what is disruptive or destructive waits for a person. Default: 15 min.
    #[serde(with = "duration")]
    pub retry_every: Duration,
    /// How many attempts may run at once; zombies count. Default: 4.
    pub max_running: u32,
    /// How many zombies there may be before nothing starts any more. Default: 3.
    pub max_zombies: u32,
    /// How verification is repeated. Default: 3 tries, 1 s apart, 10 s each.
    pub verify: Verify,
    /// When so much is broken that acting would make it worse.
    /// Default: half of the components, at least 5, and 30 s of calm to leave it.
    pub storm: Storm,
    /// After a pause, a storm or a restart, one attempt may run, and evenly more until after so
    /// long [`max_running`](Self::max_running) may. Default: 30 s.
    #[serde(with = "duration")]
    pub ramp: Duration,
    /// When a fault that keeps coming back is left to a person.
    /// Default: 3 heals of one key in 30 min.
    pub flap: Flap,
    /// When a fault that keeps being healed raises an alert. Default: 5 heals in 24 h.
    pub recurrence: Recurrence,
    /// How long a request for approval stands. Default: 24 h.
    pub approval: Approval,
    /// How long an issue may wait to be confirmed or started before it is parked and an alert is
    /// raised. Default: 1 h.
    #[serde(with = "duration")]
    pub patience: Duration,
    /// The steps after an alert, when healing has given up. Default: none.
    pub escalation: Escalation,
    /// The head start that each level of severity has over the next lower one in the queue; so
    /// long after it, the lower one goes first. Default: 30 s.
    #[serde(with = "duration")]
    pub ageing: Duration,
    /// The bounds of everything the engine remembers.
    pub limits: Limits,
}

impl Default for HealingPolicy {
    fn default() -> Self {
        Self {
            dry_run: false,
            modes: Modes::default(),
            overrides: Vec::new(),
            min_confidence: ByRisk::default(),
            detect_every: Duration::from_secs(10),
            confirm: Confirm::default(),
            clear: 2,
            settle: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            attempts: 3,
            backoff: Backoff::default(),
            budget: Budgets::default(),
            intensity: Budget::new(5, Duration::from_secs(600)),
            retry_every: Duration::from_secs(900),
            max_running: 4,
            max_zombies: 3,
            verify: Verify::default(),
            storm: Storm::default(),
            ramp: Duration::from_secs(30),
            flap: Flap::default(),
            recurrence: Recurrence::default(),
            approval: Approval::default(),
            patience: Duration::from_secs(3600),
            escalation: Escalation::default(),
            ageing: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

impl HealingPolicy {
    /// Says everything that is wrong with the policy, each fault with the path of its field.
    pub fn validate(&self) -> Result<(), Faults> {
        let mut faults = Faults::new();
        self.check(&mut faults);
        faults.into_result()
    }
}
