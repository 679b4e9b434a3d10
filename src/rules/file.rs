//! The model of a rule file: groups of rules, in file order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::template::Template;
use crate::promql::{Place, Query};

/// A Prometheus rule file, validated as a whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleFile {
    /// The path of the file, or the name given to the text.
    pub path: PathBuf,
    /// Its groups, with unique names.
    pub groups: Vec<RuleGroup>,
}

/// A group of rules, which are evaluated in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleGroup {
    /// Its name, unique in the file.
    pub name: Arc<str>,
    /// The interval between two evaluations; the evaluator's default if absent.
    pub interval: Option<Duration>,
    /// How far its rules' queries are shifted into the past. Default: zero.
    pub query_offset: Duration,
    /// The limit of alerts or series that one rule may yield; zero means none.
    pub limit: usize,
    /// Its rules, in the order of evaluation.
    pub rules: Vec<FileRule>,
    /// Its position in the file.
    pub place: Place,
}

/// A recording or alerting rule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileRule {
    /// The name of the alert or of the recorded series.
    pub name: Arc<str>,
    /// How it raises alerts; `None` for a recording rule.
    pub alerting: Option<Alerting>,
    /// The expression.
    pub expr: Query,
    /// The labels to add, including those of the group, sorted by name; plain text for a recording
    /// rule.
    pub labels: Vec<(Arc<str>, Template)>,
    /// Its position in the file.
    pub place: Place,
}

/// The alerting part of a rule.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Alerting {
    /// How long its expression must yield a series before it fires (`for`). Default: zero.
    pub hold: Duration,
    /// How long an alert keeps firing after its expression stops yielding it. Default: zero.
    pub keep_firing_for: Duration,
    /// Its annotations, sorted by name.
    pub annotations: Vec<(Arc<str>, Template)>,
}
