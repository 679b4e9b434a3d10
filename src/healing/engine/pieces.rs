use std::future::Future;

use super::dynamic::Boxed;
use super::{Context, HealError, Precondition};
use crate::healing::core::{Issue, Observation, Verdict};

/// Finds faults: implement it, or use a closure `Fn(Context) -> Future`.
pub trait Detector: Send + Sync + 'static {
    /// See [`HealingEngine::detect`](super::HealingEngine::detect).
    fn detect(
        &self,
        cx: Context,
    ) -> impl Future<Output = Result<Vec<Observation>, HealError>> + Send;
}

/// Performs or undoes a step: implement it, or use a closure `Fn(Context, Issue) -> Future`.
pub trait Action: Send + Sync + 'static {
    /// See [`HealingEngine::heal`](super::HealingEngine::heal).
    fn act(&self, cx: Context, issue: Issue) -> impl Future<Output = Result<(), HealError>> + Send;
}

/// Checks whether a fault is gone: implement it, or use a closure `Fn(Context, Issue) -> Future`.
pub trait Verifier: Send + Sync + 'static {
    /// See [`HealingEngine::verify`](super::HealingEngine::verify).
    fn verify(&self, cx: Context, issue: Issue) -> impl Future<Output = Verdict> + Send;
}

/// Checks whether to act: implement it, or use a closure `Fn(Context, Issue) -> Future`.
pub trait Condition: Send + Sync + 'static {
    /// See [`HealingEngine::precondition`](super::HealingEngine::precondition).
    fn check(&self, cx: Context, issue: Issue) -> impl Future<Output = Precondition> + Send;
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

impl<F, Fut> Action for F
where
    F: Fn(Context, Issue) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HealError>> + Send,
{
    fn act(&self, cx: Context, issue: Issue) -> impl Future<Output = Result<(), HealError>> + Send {
        self(cx, issue)
    }
}

impl<F, Fut> Verifier for F
where
    F: Fn(Context, Issue) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Verdict> + Send,
{
    fn verify(&self, cx: Context, issue: Issue) -> impl Future<Output = Verdict> + Send {
        self(cx, issue)
    }
}

impl<F, Fut> Condition for F
where
    F: Fn(Context, Issue) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Precondition> + Send,
{
    fn check(&self, cx: Context, issue: Issue) -> impl Future<Output = Precondition> + Send {
        self(cx, issue)
    }
}

/// The same with boxed futures, so that a rule can hold any of them.
pub(super) type BoxedDetector =
    Box<dyn Fn(Context) -> Boxed<'static, Result<Vec<Observation>, HealError>> + Send + Sync>;
pub(super) type BoxedPiece<T> = Box<dyn Fn(Context, Issue) -> Boxed<'static, T> + Send + Sync>;
