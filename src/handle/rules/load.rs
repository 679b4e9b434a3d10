use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::on::OnAlert;
use super::recent::Recent;
use super::source::Live;
use super::unwired::Unwired;
use super::{RulesError, Selfheal};
use crate::promql::LabelSet;
use crate::rules::{GroupStatus, Report, RuleAlert, RuleFile, RuleFileError};

/// A builder of rule files; see [`Selfheal::rules`].
#[must_use = "nothing is read before `install`"]
pub struct LoadRules {
    heal: Selfheal,
    files: Vec<PathBuf>,
    target: LabelSet,
}

impl LoadRules {
    pub(super) fn new(heal: Selfheal, file: PathBuf) -> Self {
        Self {
            heal,
            files: vec![file],
            target: LabelSet::empty(),
        }
    }

    /// Adds a file.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.push(file.into());
        self
    }

    /// Sets a label that the Prometheus server adds to all series of this process, such as `job`,
    /// `instance` or `namespace`. Selectors for another value match nothing here. Default: none.
    ///
    /// A rule that selects a label that neither this sets nor the series have is not evaluated; the
    /// [report](Rules::report) then lists the labels that they have.
    pub fn target(mut self, label: &str, value: &str) -> Self {
        self.target = self.target.with(label, value);
        self
    }

    /// Reads the files and starts evaluating their rules.
    ///
    /// A firing alert without an [action](Rules::on) becomes an issue that is only reported, unless
    /// its label `severity` is `none`, as on alerts that always fire.
    ///
    /// # Errors
    /// A file cannot be read or has faults, all of which are listed; or healing cannot start here.
    /// No rule is loaded then.
    pub fn install(self) -> Result<Rules, RulesError> {
        let files = read(&self.files)?;
        let recent = self.heal.recent()?;
        if recent.watchers.is_empty() {
            let unwired = Unwired::new(&Live::Rules(Arc::clone(&recent)));
            recent.watchers.add(self.heal.register(unwired)?, None);
        }
        recent.load(files, &self.target);
        Ok(Rules {
            heal: self.heal,
            recent,
        })
    }
}

impl fmt::Debug for LoadRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadRules")
            .field("files", &self.files)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

fn read(files: &[PathBuf]) -> Result<Vec<RuleFile>, RuleFileError> {
    files.iter().map(RuleFile::read).collect()
}

/// The loaded rules. Clones are cheap; dropping it changes nothing.
#[derive(Clone)]
pub struct Rules {
    pub(super) heal: Selfheal,
    pub(super) recent: Arc<Recent>,
}

impl Rules {
    /// How each rule is treated here: evaluated, a fleet rule, or without series. It implements
    /// `Display`.
    ///
    /// It is about the metrics that are declared when it is asked for, and makes a scrape to know
    /// them: before the layer of HTTP servers is built, say, its metrics are not among them. A rule
    /// without series is evaluated as soon as these are declared.
    #[must_use]
    pub fn report(&self) -> Report {
        self.recent.report()
    }

    /// The state of each group: its last evaluation, and the alerts of its rules.
    #[must_use]
    pub fn status(&self) -> Arc<[GroupStatus]> {
        self.recent.status()
    }

    /// The alerts that are pending, firing, or resolved within the last 15 min.
    #[must_use]
    pub fn alerts(&self) -> Vec<RuleAlert> {
        let status = self.status();
        let rules = status.iter().flat_map(|group| &group.rules);
        rules.flat_map(|rule| rule.alerts.iter().cloned()).collect()
    }

    /// Reads all files again. Rules with unchanged name and labels keep their state.
    ///
    /// # Errors
    /// A file cannot be read or has faults: all current rules stay, and the [report](Self::report)
    /// shows the error.
    pub fn reload(&self) -> Result<(), Arc<RuleFileError>> {
        let files = self.recent.files();
        let paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
        match read(&paths) {
            Ok(files) => {
                self.recent.load(files, &LabelSet::empty());
                Ok(())
            }
            Err(error) => {
                let error = Arc::new(error);
                self.recent.refuse(Arc::clone(&error));
                Err(error)
            }
        }
    }

    /// Starts building an action for an alert, given by name or by a selector with label matchers,
    /// `HighErrorRate{severity="page"}`.
    #[must_use = "nothing is done before `install`"]
    pub fn on(&self, alert: &str) -> OnAlert {
        OnAlert::new(
            self.heal.clone(),
            Live::Rules(Arc::clone(&self.recent)),
            alert,
        )
    }

    /// The loaded files.
    #[must_use]
    pub fn files(&self) -> Vec<RuleFile> {
        self.recent.files()
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.recent.files();
        let paths: Vec<_> = files.iter().map(|file| &file.path).collect();
        f.debug_struct("Rules")
            .field("files", &paths)
            .finish_non_exhaustive()
    }
}
