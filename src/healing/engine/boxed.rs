//! Engines whose type is known only at run time.

use std::fmt;
use std::sync::Arc;

use super::HealingEngine;
use super::dynamic::DynEngine;

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
pub struct BoxedEngine(pub(in crate::healing) Arc<dyn DynEngine>);

impl BoxedEngine {
    /// Hides the type of an engine.
    pub fn new(engine: impl HealingEngine) -> Self {
        Self(Arc::new(engine))
    }
}

/// So that engines of any type can be registered, boxed or not.
impl<E: HealingEngine> From<E> for BoxedEngine {
    fn from(engine: E) -> Self {
        Self::new(engine)
    }
}

impl fmt::Debug for BoxedEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxedEngine").field(&self.0.name()).finish()
    }
}
