use std::future::Future;
use std::time::Duration;

use super::{Context, HealError};
use crate::healing::core::{Issue, Name, Observation, Plan, ShortText, Verdict};

/// Detects faults of one kind, and plans and performs their repair. The runtime decides when to
/// detect, whether and how often to act, and what to count and record.
///
/// Implement it with plain `async fn`; only [`name`](Self::name), [`detect`](Self::detect),
/// [`plan`](Self::plan) and [`heal`](Self::heal) have no default. A [`Rule`](super::Rule) is an
/// engine made of closures.
///
/// # Calls
/// | call | when | concurrency |
/// |---|---|---|
/// | `detect` | every [`every`](Self::every), and soon after a hint | one |
/// | `plan` | an observation opens an issue or makes it worse | several |
/// | `precondition`, then `heal` | a step of the plan is due and every guard lets it through | one for each lock of the plan |
/// | `verify` | `heal` returned ok | one for each issue |
/// | `rollback` | an attempt did not heal and its step asks for it | one for each lock |
/// | `close` | the engine was removed, or the runtime shuts down | one, the last call |
///
/// Each call runs in its own task, except `plan`, which runs where the observation is handed over.
/// A call that panics or times out is contained and counted; for an attempt this is its result.
/// Futures may be dropped at any await, as everywhere in async Rust: work that must not be
/// interrupted belongs in [`Context::blocking`] or a separate task that is awaited.
///
/// The documentation of [the module](crate::healing) shows an engine.
pub trait HealingEngine: Send + Sync + 'static {
    /// The engine's name: unique, at most 64 bytes. Called once.
    fn name(&self) -> &str;

    /// The components it watches, as far as known beforehand: the storm guard compares the bad
    /// components with the known ones. Called once. Default: those it reports on.
    fn components(&self) -> Vec<Name> {
        Vec::new()
    }

    /// The interval of [`detect`](Self::detect) when nothing hints at a fault. Called once.
    /// Default: the policy's `detect_every`.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// Checks everything it watches and reports every current fault. Unreported keys are good, but
    /// for those that it declares [`unknown`](Context::unknown).
    ///
    /// # Errors
    /// Detection failed. That says nothing about any component: no issue opens or goes away.
    fn detect(
        &self,
        cx: &Context,
    ) -> impl Future<Output = Result<Vec<Observation>, HealError>> + Send;

    /// Plans the repair of an issue. It only computes: no I/O, no waiting, no change. An issue
    /// restored from a journal is planned when it is seen again. If the plan panics, the issue is
    /// parked until a person acknowledges it or it worsens.
    fn plan(&self, issue: &Issue) -> Plan;

    /// Checks again, right before [`heal`](Self::heal), as time has passed since the fault was
    /// seen. Default: proceed.
    fn precondition(
        &self,
        cx: &Context,
        issue: &Issue,
    ) -> impl Future<Output = Precondition> + Send {
        let _ = (cx, issue);
        async { Precondition::Proceed }
    }

    /// Performs one step of the plan. An ok return does not count as healed: a verification
    /// decides.
    ///
    /// # Errors
    /// The step failed; see [`HealErrorKind`](super::HealErrorKind) for what comes next.
    fn heal(
        &self,
        cx: &Context,
        issue: &Issue,
        action: &str,
    ) -> impl Future<Output = Result<(), HealError>> + Send;

    /// Verifies that the fault is gone, on data newer than the end of the attempt, preferably by
    /// another signal than the detector's.
    /// Default: detects again, and searches for the issue's key.
    fn verify(&self, cx: &Context, issue: &Issue) -> impl Future<Output = Verdict> + Send {
        detect_again(self, cx, issue)
    }

    /// Undoes an attempt that did not heal; called only for steps
    /// [`with_rollback`](Plan::with_rollback). Default: does nothing.
    ///
    /// # Errors
    /// The rollback failed: recorded, and the next attempt follows regardless.
    fn rollback(
        &self,
        cx: &Context,
        issue: &Issue,
        action: &str,
    ) -> impl Future<Output = Result<(), HealError>> + Send {
        let _ = (cx, issue, action);
        async { Ok(()) }
    }

    /// The last call: release watchers, tasks and connections. Default: does nothing.
    fn close(&self, cx: &Context) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }
}

/// The result of the check right before acting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precondition {
    /// The fault is still there, and the action can run.
    Proceed,
    /// The fault is gone or has changed: detect again instead of acting. It uses no attempt of the
    /// step.
    Stale,
    /// The action must not run now. The attempt counts as failed, with this message.
    Refuse(ShortText),
}

impl Precondition {
    /// Refuses the action, with the reason.
    #[must_use]
    pub fn refuse(why: impl Into<ShortText>) -> Self {
        Self::Refuse(why.into())
    }
}

/// The default verification: detects again.
pub(super) async fn detect_again<E: HealingEngine + ?Sized>(
    engine: &E,
    cx: &Context,
    issue: &Issue,
) -> Verdict {
    match engine.detect(cx).await {
        Ok(found) if found.iter().any(|seen| seen.key == issue.key) => Verdict::Bad,
        Ok(_) if cx.is_known(&issue.key) => Verdict::Good,
        Ok(_) | Err(_) => Verdict::Unknown,
    }
}
