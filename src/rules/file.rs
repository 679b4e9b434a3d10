//! The model of a rule file: groups of rules, in file order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{RuleFault, RuleFileError};
use super::template::Template;
use super::{read, yaml};
use crate::promql::{Place, Query};

/// The size limit of a rule file, in bytes.
pub(super) const MAX_BYTES: u64 = 4 << 20;

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

impl RuleFile {
    /// Reads a file of at most 4 MiB.
    ///
    /// # Errors
    /// The file cannot be read, or has faults, each with its line and column.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RuleFileError> {
        use std::io::Read as _;
        let path = path.as_ref();
        let io = |source| RuleFileError::Io {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(io)?;
        let bytes = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        if bytes.map_err(io)? as u64 > MAX_BYTES {
            let kind = std::io::ErrorKind::InvalidData;
            return Err(io(std::io::Error::new(
                kind,
                "it is larger than 4 MiB; split it into several files",
            )));
        }
        Self::parse(path, &text)
    }

    /// Parses the text of a file; `path` names it in errors.
    ///
    /// # Errors
    /// Its faults, each with its line and column.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, RuleFileError> {
        let path = path.as_ref();
        let invalid = |faults: Vec<RuleFault>| RuleFileError::invalid(path, faults);
        let tree = yaml::read(text).map_err(|fault| invalid(vec![fault]))?;
        let groups = read::groups(text, tree.as_ref()).map_err(invalid)?;
        Ok(Self {
            path: path.to_owned(),
            groups,
        })
    }
}
