//! A rule file as it is read: groups of rules, in the order of the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{RuleFault, RuleFileError};
use super::template::Template;
use super::{read, yaml};
use crate::promql::{Place, Query};

/// The most bytes of a rule file.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// A rule file of Prometheus, checked as a whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleFile {
    /// Where it was read from, or what its text was called.
    pub path: PathBuf,
    /// Its groups, each name once.
    pub groups: Vec<RuleGroup>,
}

/// Rules that are evaluated one after the other.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleGroup {
    /// Its name, unique in the file.
    pub name: Arc<str>,
    /// The time between two evaluations; the default of whoever evaluates where absent.
    pub interval: Option<Duration>,
    /// How far back of the time of an evaluation its rules look. Default: zero.
    pub query_offset: Duration,
    /// The most alerts or series that one rule may give; zero means any number.
    pub limit: usize,
    /// Its rules, in the order of evaluation.
    pub rules: Vec<FileRule>,
    /// Where it stands in the file.
    pub place: Place,
}

/// A rule: what it computes, and what becomes of that.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileRule {
    /// The alert, or the series that it records.
    pub name: Arc<str>,
    /// Whether it raises alerts, and how; `None` for one that records.
    pub alerting: Option<Alerting>,
    /// The expression.
    pub expr: Query,
    /// The labels that are added, those of the group included; where it records, they are plain
    /// text. In the order of their names.
    pub labels: Vec<(Arc<str>, Template)>,
    /// Where it stands in the file.
    pub place: Place,
}

/// How a rule raises alerts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Alerting {
    /// How long its expression must give a series before that is an alert. Default: zero.
    pub hold: Duration,
    /// How long an alert goes on when its expression gives the series no more. Default: zero.
    pub keep_firing_for: Duration,
    /// The texts that go with it, in the order of their names.
    pub annotations: Vec<(Arc<str>, Template)>,
}

impl RuleFile {
    /// Reads a file of at most 4 MiB.
    ///
    /// # Errors
    /// It cannot be read; or all that is wrong with it, each fault with its line and column.
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

    /// Reads the text of a file; `path` is what it is called in errors.
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
