use std::future::Future;
use std::time::Duration;

use super::{Context, HealError};
use crate::healing::core::{Issue, Name, Observation, Plan, ShortText, Verdict};

/// Finds faults of one kind and knows how to mend them. The run-time does the rest: when to
/// detect, whether to act, how often, what to count and what to write down.
///
/// Implement it with plain `async fn`; only [`name`](Self::name), [`detect`](Self::detect),
/// [`plan`](Self::plan) and [`heal`](Self::heal) have no default. An engine made of closures is
/// a [`Rule`](super::Rule).
///
/// # What is asked when
/// | call | when | at once |
/// |---|---|---|
/// | `detect` | every [`every`](Self::every), and soon after a hint | one |
/// | `plan` | an observation opens an issue or makes it worse | several |
/// | `precondition`, then `heal` | a step of the plan is due and every guard lets it through | one for each lock of the plan |
/// | `verify` | `heal` said ok | one for each issue |
/// | `rollback` | an attempt did not heal and its step asks for it | one for each lock |
/// | `close` | the engine was removed, or the run-time shuts down | one, the last |
///
/// Each call is a task of its own, but for `plan`, which is called where the observation is handed
/// over. A call that panics or takes too long is contained, counted
/// and, where it is an attempt, the attempt's result. Futures may be dropped at any await, as
/// everywhere in async Rust: what must not be cut in half belongs in
/// [`Context::blocking`] or a task of its own that is awaited.
///
/// The documentation of [the module](crate::healing) shows an engine.
pub trait HealingEngine: Send + Sync + 'static {
    /// What it is called: unique among the engines, at most 64 bytes. Asked for once.
    fn name(&self) -> &str;

    /// The components it watches, as far as they are known beforehand: the storm guard weighs
    /// what is broken against what is known. Asked for once. Default: those it reports on.
    fn components(&self) -> Vec<Name> {
        Vec::new()
    }

    /// How often [`detect`](Self::detect) is called when nothing hints at a fault. Asked for
    /// once. Default: the policy's `detect_every`.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// Checks everything it watches and reports every fault there is now. What is not
    /// reported is good.
    ///
    /// # Errors
    /// It could not detect. That says nothing about any component: no issue opens or goes away.
    fn detect(
        &self,
        cx: &Context,
    ) -> impl Future<Output = Result<Vec<Observation>, HealError>> + Send;

    /// What is to be done about an issue. It only computes: no I/O, no waiting, no change. An
    /// issue that is taken up from a journal is planned for when it is seen again. An issue with
    /// a plan that panicked is parked until a person acknowledges it or it gets worse.
    fn plan(&self, issue: &Issue) -> Plan;

    /// Checks once more, right before [`heal`](Self::heal) is called: time has passed since the
    /// fault was seen. Default: proceed.
    fn precondition(
        &self,
        cx: &Context,
        issue: &Issue,
    ) -> impl Future<Output = Precondition> + Send {
        let _ = (cx, issue);
        async { Precondition::Proceed }
    }

    /// Does what one step of the plan says. That it returns ok does not count as healed: a
    /// verification decides.
    ///
    /// # Errors
    /// It did not work; see [`HealErrorKind`](super::HealErrorKind) for what comes next.
    fn heal(
        &self,
        cx: &Context,
        issue: &Issue,
        action: &str,
    ) -> impl Future<Output = Result<(), HealError>> + Send;

    /// Verifies that the fault is gone, on data that are newer than the end of the attempt, and
    /// better by another signal than the one that detected it.
    /// Default: detects again, and searches for the issue's key.
    fn verify(&self, cx: &Context, issue: &Issue) -> impl Future<Output = Verdict> + Send {
        detect_again(self, cx, issue)
    }

    /// Undoes what an attempt did that did not heal; called only for steps
    /// [`with_rollback`](Plan::with_rollback). Default: does nothing.
    ///
    /// # Errors
    /// It did not work: recorded, and the next attempt goes on regardless.
    fn rollback(
        &self,
        cx: &Context,
        issue: &Issue,
        action: &str,
    ) -> impl Future<Output = Result<(), HealError>> + Send {
        let _ = (cx, issue, action);
        async { Ok(()) }
    }

    /// The last call: let go of watchers, tasks and connections. Default: does nothing.
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
    /// The fault is gone, or is no longer what it was: detect again instead of acting. It uses up
    /// no attempt of the step.
    Stale,
    /// The action must not run now. The attempt counts as failed, with this message.
    Refuse(ShortText),
}

impl Precondition {
    /// The action must not run now, and why.
    #[must_use]
    pub fn refuse(why: impl Into<ShortText>) -> Self {
        Self::Refuse(why.into())
    }
}

/// The verification of an engine that has no other signal than its detector.
pub(super) async fn detect_again<E: HealingEngine + ?Sized>(
    engine: &E,
    cx: &Context,
    issue: &Issue,
) -> Verdict {
    match engine.detect(cx).await {
        Ok(found) if found.iter().any(|seen| seen.key == issue.key) => Verdict::Bad,
        Ok(_) => Verdict::Good,
        Err(_) => Verdict::Unknown,
    }
}
