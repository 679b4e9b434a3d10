//! [`HealingEngine`] with boxed futures, for lists of engines of any type.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{Context, HealError, HealingEngine, Precondition};
use crate::healing::core::{Issue, Name, Observation, Plan, Verdict};

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) trait DynEngine: Send + Sync + 'static {
    fn name(&self) -> &str;
    fn components(&self) -> Vec<Name>;
    fn every(&self) -> Option<Duration>;
    fn plan(&self, issue: &Issue) -> Plan;
    fn detect<'a>(&'a self, cx: &'a Context) -> Boxed<'a, Result<Vec<Observation>, HealError>>;
    fn precondition<'a>(&'a self, cx: &'a Context, issue: &'a Issue) -> Boxed<'a, Precondition>;
    fn heal<'a>(
        &'a self,
        cx: &'a Context,
        issue: &'a Issue,
        action: &'a str,
    ) -> Boxed<'a, Result<(), HealError>>;
    fn verify<'a>(&'a self, cx: &'a Context, issue: &'a Issue) -> Boxed<'a, Verdict>;
    fn rollback<'a>(
        &'a self,
        cx: &'a Context,
        issue: &'a Issue,
        action: &'a str,
    ) -> Boxed<'a, Result<(), HealError>>;
    fn close<'a>(&'a self, cx: &'a Context) -> Boxed<'a, ()>;
}

impl<E: HealingEngine> DynEngine for E {
    fn name(&self) -> &str {
        HealingEngine::name(self)
    }

    fn components(&self) -> Vec<Name> {
        HealingEngine::components(self)
    }

    fn every(&self) -> Option<Duration> {
        HealingEngine::every(self)
    }

    fn plan(&self, issue: &Issue) -> Plan {
        HealingEngine::plan(self, issue)
    }

    fn detect<'a>(&'a self, cx: &'a Context) -> Boxed<'a, Result<Vec<Observation>, HealError>> {
        Box::pin(HealingEngine::detect(self, cx))
    }

    fn precondition<'a>(&'a self, cx: &'a Context, issue: &'a Issue) -> Boxed<'a, Precondition> {
        Box::pin(HealingEngine::precondition(self, cx, issue))
    }

    fn heal<'a>(
        &'a self,
        cx: &'a Context,
        issue: &'a Issue,
        action: &'a str,
    ) -> Boxed<'a, Result<(), HealError>> {
        Box::pin(HealingEngine::heal(self, cx, issue, action))
    }

    fn verify<'a>(&'a self, cx: &'a Context, issue: &'a Issue) -> Boxed<'a, Verdict> {
        Box::pin(HealingEngine::verify(self, cx, issue))
    }

    fn rollback<'a>(
        &'a self,
        cx: &'a Context,
        issue: &'a Issue,
        action: &'a str,
    ) -> Boxed<'a, Result<(), HealError>> {
        Box::pin(HealingEngine::rollback(self, cx, issue, action))
    }

    fn close<'a>(&'a self, cx: &'a Context) -> Boxed<'a, ()> {
        Box::pin(HealingEngine::close(self, cx))
    }
}
