//! Rule files that heal: what the handle keeps of the recent past, and what rules make of it.

#[cfg(feature = "server")]
mod api;
mod kept;
mod load;
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

/// Why rules could not be installed, or a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// A rule file cannot be read or has faults; all of them are listed.
    #[error(transparent)]
    File(#[from] RuleFileError),
    /// Healing cannot start here.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What heals an alert cannot be registered.
    #[error(transparent)]
    Register(#[from] SuperviseError),
    /// The expression has a fault, or asks for too much.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What was to be healed is no alert of the rule files.
    #[error("no rule raises an alert `{wanted}`; the rule files have {known}")]
    NoSuchAlert {
        /// The name, or what stands for it.
        wanted: String,
        /// The names that there are.
        known: String,
    },
    /// The run-time of the healing engine ended before there was an answer.
    #[error("the run-time ended before there was an answer; ask again in a new one")]
    Ended,
}

/// The recent past: kept from the moment on that something asks for it.
#[derive(Default)]
pub(super) struct Lazy(Mutex<Option<Arc<Recent>>>);

impl Selfheal {
    /// Starts to set up a Prometheus rule file, unchanged. Its alerts are raised here, seconds
    /// after they would be pending at a server, on the series of this process.
    ///
    /// The recent past of the metrics is kept from [`install`](LoadRules::install) on, in 8 MB at
    /// most: nothing runs and nothing is kept before that.
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

    /// Evaluates an expression in PromQL now, over the recent past of the metrics and what rules
    /// make of it. The first query, where there are no rules, has the values of now alone: they are
    /// kept from then on.
    ///
    /// Dropping the future does not end the evaluation, which has a deadline of 10 s.
    ///
    /// # Errors
    /// The expression has a fault or asks for too much; there is no tokio run-time here.
    pub async fn query(&self, expression: &str) -> Result<Answer, RulesError> {
        let query = Query::parse(expression)?;
        let recent = self.recent()?;
        recent.ask(query).await
    }

    /// What is kept of the recent past; begins to keep it.
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
