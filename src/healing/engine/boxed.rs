//! Engines whose type is known only at run time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::dynamic::DynEngine;
use super::{Context, HealError, HealingEngine, Precondition};
use crate::healing::core::{Issue, Name, Observation, Plan, Verdict};

/// An engine of any type, for plug-ins and for lists of different engines. Cloning is cheap and
/// gives the same engine.
///
/// ```
/// use selfheal::healing::engine::BoxedEngine;
/// use selfheal::healing::{Context, Issue, Observation, RegisterError, Healing, Rule};
///
/// /// What a plug-in exports.
/// fn engines() -> Vec<BoxedEngine> {
///     ["cache", "queue"].map(|component| {
///         let found = |_: Context| async { Ok(Vec::<Observation>::new()) };
///         let rule = Rule::when(component, found).run("clear", |_: Context, _: Issue| async { Ok(()) });
///         BoxedEngine::new(rule)
///     })
///     .into()
/// }
///
/// fn register(healing: &Healing) -> Result<(), RegisterError> {
///     engines().into_iter().try_for_each(|engine| healing.register(engine).map(drop))
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let healing = Healing::builder().start()?;
/// # register(&healing)?;
/// # assert!(format!("{healing:?}").contains("queue"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BoxedEngine(Arc<dyn DynEngine>);

impl BoxedEngine {
    /// Hides the type of an engine.
    pub fn new(engine: impl HealingEngine) -> Self {
        Self(Arc::new(engine))
    }
}

impl HealingEngine for BoxedEngine {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn components(&self) -> Vec<Name> {
        self.0.components()
    }

    fn every(&self) -> Option<Duration> {
        self.0.every()
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        self.0.detect(cx).await
    }

    fn plan(&self, issue: &Issue) -> Plan {
        self.0.plan(issue)
    }

    async fn precondition(&self, cx: &Context, issue: &Issue) -> Precondition {
        self.0.precondition(cx, issue).await
    }

    async fn heal(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        self.0.heal(cx, issue, action).await
    }

    async fn verify(&self, cx: &Context, issue: &Issue) -> Verdict {
        self.0.verify(cx, issue).await
    }

    async fn rollback(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        self.0.rollback(cx, issue, action).await
    }

    async fn close(&self, cx: &Context) {
        self.0.close(cx).await;
    }
}

impl fmt::Debug for BoxedEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxedEngine").field(&self.0.name()).finish()
    }
}
