//! The healing policy: when to act, how often, and when to leave a fault to a person.
//!
//! All defaults are safe in production. The whole policy can be replaced at run time: later
//! decisions use the new one, and an attempt in progress keeps the values it started with.

mod check;
mod escalation;
mod guards;
mod pace;

use std::time::Duration;

pub use escalation::{Escalation, Severity};
pub use guards::{Approval, ByRisk, Flap, Limits, Mode, Modes, Override, Recurrence, Storm};
pub use pace::{Backoff, Budget, Budgets, Confirm, Verify};

use super::duration;
use crate::config::Faults;
use crate::config::settings::settings;

settings! {
    /// The policy of the healing engine, as data.
    ///
    /// ```
    /// use selfheal::config::{HealingPolicy, Mode, Modes};
    ///
    /// let policy = HealingPolicy::new().modes(Modes::new().disruptive(Mode::Run));
    /// assert!(policy.validate().is_ok());
    /// assert_eq!(policy.attempts, 3);
    /// ```
    #[non_exhaustive]
    pub struct HealingPolicy {
        /// Whether actions are only reported, regardless of all modes. Default: false.
        pub dry_run: bool,
        /// The mode by the risk of an action, unless its plan or an override sets one. Default:
        /// reversible actions run, disruptive ones are reported, destructive ones wait for
        /// approval.
        pub modes: Modes,
        /// The operator's modes for single components or issue types. The first match applies and
        /// overrides the plan. Default: none.
        pub overrides(): Vec<Override>,
        /// The confidence below which an action waits for approval, by its risk.
        /// Default: 0.05, 0.2 and 0.4.
        pub min_confidence: ByRisk,
        /// The longest interval between two detection runs of an engine; hints add runs. Default:
        /// 10 s.
        #[serde(with = "duration")]
        pub detect_every: Duration = Duration::from_secs(10),
        /// How many of the last detection runs must find a fault before it counts. Default: 2 of 3.
        pub confirm: Confirm,
        /// How many consecutive detection runs must find nothing before an issue counts as cleared.
        /// Default: 2.
        pub clear: u32 = 2,
        /// How long verification must stay good before an issue counts as healed. Default: 10 s.
        #[serde(with = "duration")]
        pub settle: Duration = Duration::from_secs(10),
        /// The time limit of an attempt, after which it is cancelled. Default: 30 s.
        #[serde(with = "duration")]
        pub timeout: Duration = Duration::from_secs(30),
        /// How long a cancelled attempt may take to end before it counts as a zombie. Default: 5 s.
        #[serde(with = "duration")]
        pub grace: Duration = Duration::from_secs(5),
        /// The attempts of a step whose plan sets no number. Default: 3.
        pub attempts: u32 = 3,
        /// The delay between attempts. Default: up to 1 s, doubling, at most 5 min.
        pub backoff: Backoff,
        /// The attempts allowed in a window, per component and in total, and the shares reserved
        /// for higher severities and for components that have spent nothing. Default: 10 and 60 in
        /// 10 min; a tenth for each higher severity, and a fifth.
        pub budget: Budgets,
        /// The restart intensity: the attempts that one key may take in a window before it is left
        /// to a person. Default: 5 in 10 min.
        pub intensity: Budget = Budget::new(5, Duration::from_secs(600)),
        /// The interval at which reversible actions are retried after healing has given up, while
        /// the alert fires; other actions wait for a person. Default: 15 min.
        #[serde(with = "duration")]
        pub retry_every: Duration = Duration::from_secs(900),
        /// The number of attempts that may run at once, including zombies. Default: 4.
        pub max_running: u32 = 4,
        /// The number of zombies at which no attempt starts any more. Default: 3.
        pub max_zombies: u32 = 3,
        /// The retries of verification. Default: 3 tries, 1 s apart, 10 s each.
        pub verify: Verify,
        /// The storm guard. Default: half of the components, at least 5, and 30 s of calm to end
        /// it.
        pub storm: Storm,
        /// The time over which the number of attempts that may run rises evenly from one to
        /// [`max_running`](Self::max_running) after a pause, a storm or a restart. Default: 30 s.
        #[serde(with = "duration")]
        pub ramp: Duration = Duration::from_secs(30),
        /// The flap guard. Default: 3 heals of one key in 30 min.
        pub flap: Flap,
        /// The recurrence alert. Default: 5 heals in 24 h.
        pub recurrence: Recurrence,
        /// The lifetime of a request for approval. Default: 24 h.
        pub approval: Approval,
        /// How long an issue may wait for confirmation or start before it is parked with an alert.
        /// Default: 1 h.
        #[serde(with = "duration")]
        pub patience: Duration = Duration::from_secs(3600),
        /// The escalation beyond an alert after healing has given up. Default: none.
        pub escalation: Escalation,
        /// The head start in the queue of each severity over the next lower one; an issue that has
        /// waited this much longer goes first. Default: 30 s.
        #[serde(with = "duration")]
        pub ageing: Duration = Duration::from_secs(30),
        /// The memory limits of the engine. Default: [`Limits::default`].
        pub limits: Limits,
    }
}

impl HealingPolicy {
    /// Appends a mode for a component or issue type; the first match applies. Default: none.
    #[must_use]
    pub fn override_mode(mut self, word: Override) -> Self {
        self.overrides.push(word);
        self
    }

    /// Reports every fault of the policy, with the path of its field.
    pub fn validate(&self) -> Result<(), Faults> {
        let mut faults = Faults::new();
        self.check(&mut faults);
        faults.into_result()
    }
}
