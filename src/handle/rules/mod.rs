//! Rule files that heal: the history of the handle and the rules evaluated over it.

#[cfg(feature = "server")]
mod api;
mod kept;
mod load;
mod measure;
mod metrics;
mod on;
mod received;
mod recent;
mod source;
mod unwired;
mod wiring;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::load::{LoadRules, Rules};
pub(super) use self::metrics::declare_all;
pub use self::on::{AlertRule, OnAlert};
pub use self::received::Alertmanager;
pub(super) use self::received::Lazy as Receives;
use self::recent::Recent;
use super::Selfheal;
use crate::healing::{StartError, SuperviseError};
use crate::promql::{Answer, Query, QueryError};
use crate::rules::RuleFileError;

/// The error of installing rules or of a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// A rule file cannot be read or has faults; all of them are listed.
    #[error(transparent)]
    File(#[from] RuleFileError),
    /// Healing cannot start here.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine that heals an alert cannot be registered.
    #[error(transparent)]
    Register(#[from] SuperviseError),
    /// The expression has a fault or exceeds a limit.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// No rule raises the alert to heal.
    #[error("no rule raises an alert `{wanted}`; the rule files have {known}")]
    NoSuchAlert {
        /// The name or selector given.
        wanted: String,
        /// The names of the existing alerts.
        known: String,
    },
    /// The runtime of the healing engine ended before the answer.
    #[error("the runtime ended before there was an answer; ask again in a new one")]
    Ended,
}

/// The history, started on first use.
#[derive(Default)]
pub(super) struct Lazy(Mutex<Option<Arc<Recent>>>);

#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
impl Selfheal {
    /// Starts building the evaluation of an unmodified Prometheus rule file. Its alerts are raised
    /// here, on the series of this process, seconds after a server would have them pending.
    ///
    /// [`install`](LoadRules::install) starts the history of the metrics, in at most 8 MB by
    /// default; before that nothing runs and nothing is kept.
    ///
    /// ```no_run
    /// # use selfheal::{Selfheal, Config};
    /// # use selfheal::healing::{Context, HealError, Issue, Risk};
    /// # async fn fail_over(_: Context, _: Issue) -> Result<(), HealError> { Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let heal = Selfheal::new(Config::new())?;
    /// let rules = heal.rules("alerts.yml").target("job", "shop").install()?;
    /// println!("{}", rules.report());
    /// rules
    ///     .on("HighErrorRate")
    ///     .run("fail_over", fail_over)
    ///     .plan(|plan| plan.risk(Risk::Reversible))
    ///     .install()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "nothing is read before `install`"]
    pub fn rules(&self, file: impl Into<PathBuf>) -> LoadRules {
        LoadRules::new(self.clone(), file.into())
    }

    /// Evaluates a PromQL expression now, over the history and the results of rules. Without rules,
    /// the first query starts the history and has only the current values.
    ///
    /// Dropping the future does not cancel the evaluation, which has a deadline of 10 s.
    ///
    /// # Errors
    /// The expression has a fault or exceeds a limit; or no tokio runtime is running here.
    pub async fn query(&self, expression: &str) -> Result<Answer, RulesError> {
        let query = Query::parse(expression)?;
        let recent = self.recent()?;
        recent.ask(query).await
    }

    /// Returns the history; starts it if needed.
    fn recent(&self) -> Result<Arc<Recent>, StartError> {
        let healing = self.healing()?;
        let mut lazy = self.inner.rules.0.lock();
        if let Some(recent) = lazy.as_ref().filter(|recent| !recent.has_ended()) {
            return Ok(Arc::clone(recent));
        }
        let recent = Recent::start(
            self.registry(),
            &self.config().history,
            self.clock(),
            &healing,
        );
        *lazy = Some(Arc::clone(&recent));
        Ok(recent)
    }
}

#[cfg(test)]
mod tests;
