use std::future::Future;
use std::sync::Arc;

use super::dynamic::Boxed;
use super::{Context, HealError};
use crate::healing::core::{Issue, Observation};

/// Finds faults: implement it, or use a closure `Fn(Context) -> Future`.
pub trait Detector: Send + Sync + 'static {
    /// See [`HealingEngine::detect`](super::HealingEngine::detect).
    fn detect(
        &self,
        cx: Context,
    ) -> impl Future<Output = Result<Vec<Observation>, HealError>> + Send;
}

impl<F, Fut> Detector for F
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Observation>, HealError>> + Send,
{
    fn detect(
        &self,
        cx: Context,
    ) -> impl Future<Output = Result<Vec<Observation>, HealError>> + Send {
        self(cx)
    }
}

/// A part of a rule that is run for an issue, such as an action or a verification: implement it, or
/// use a closure `Fn(Context, Issue) -> Future`.
pub trait RulePart<T>: Send + Sync + 'static {
    /// See [`HealingEngine`](super::HealingEngine), whose method this is.
    fn run(&self, cx: Context, issue: Issue) -> impl Future<Output = T> + Send;
}

impl<F, Fut, T> RulePart<T> for F
where
    F: Fn(Context, Issue) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send,
{
    fn run(&self, cx: Context, issue: Issue) -> impl Future<Output = T> + Send {
        self(cx, issue)
    }
}

/// The same with boxed futures, so that a rule can hold any of them.
pub(super) type BoxedDetector =
    Box<dyn Fn(Context) -> Boxed<'static, Result<Vec<Observation>, HealError>> + Send + Sync>;
pub(super) type BoxedPart<T> = Box<dyn Fn(Context, Issue) -> Boxed<'static, T> + Send + Sync>;

pub(super) fn boxed<T>(part: impl RulePart<T>) -> BoxedPart<T> {
    let part = Arc::new(part);
    Box::new(move |cx, issue| {
        let part = Arc::clone(&part);
        Box::pin(async move { part.run(cx, issue).await })
    })
}
