//! The options of evaluation.

use std::sync::Arc;
use std::time::Duration;

use crate::promql::{LabelSet, QueryOptions};

/// Options of evaluation, and limits of the resulting series.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RulesOptions {
    /// The interval of groups that set none. Default: 1 min.
    pub interval: Duration,
    /// `$externalLabels` of templates. Default: none.
    pub external_labels: LabelSet,
    /// `$externalURL` of templates. Default: empty.
    pub external_url: Arc<str>,
    /// The limits of each query. Default: those of [`QueryOptions`].
    pub query: QueryOptions,
    /// The retention of the series of rules. Default: 2 h.
    pub keep: Duration,
    /// The limit of samples of those series. Default: 250,000.
    pub max_samples: usize,
    /// The limit of those series. Default: 10,000.
    pub max_series: usize,
}

impl Default for RulesOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            external_labels: LabelSet::empty(),
            external_url: Arc::from(""),
            query: QueryOptions::default(),
            keep: Duration::from_secs(7_200),
            max_samples: 250_000,
            max_series: 10_000,
        }
    }
}
