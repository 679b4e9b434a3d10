//! The report on how each rule of a file is treated in this process.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::evaluator::{GroupStatus, RuleHealth};
use super::fault::RuleFileError;
use super::scope::Scope;
use crate::util::Printable;

/// The treatment of each rule: evaluated, a fleet rule, or without series. It implements `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the files.
    pub rules: Vec<ReportedRule>,
    /// The error of the last refused reload, if any; the rules are then the previous ones.
    pub refused: Option<String>,
}

/// The treatment of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedRule {
    /// The path of its file.
    pub file: Arc<PathBuf>,
    /// Its line in the file.
    pub line: usize,
    /// Its group.
    pub group: Arc<str>,
    /// The name of the alert or of the recorded series.
    pub name: Arc<str>,
    /// Whether it is an alerting rule.
    pub alerts: bool,
    /// Whether it can be evaluated here.
    pub scope: Scope,
    /// The result of its last evaluation.
    pub health: RuleHealth,
}

impl Report {
    /// Creates a report from an evaluator's groups.
    #[must_use]
    pub fn new(groups: &[GroupStatus]) -> Self {
        let rules = groups.iter().flat_map(|status| {
            let rules = status.group.rules.iter().zip(&status.rules);
            rules.map(|(rule, known)| ReportedRule {
                file: Arc::clone(&status.file),
                line: rule.place.line,
                group: Arc::clone(&status.group.name),
                name: Arc::clone(&rule.name),
                alerts: rule.alerting.is_some(),
                scope: known.scope.clone(),
                health: known.health.clone(),
            })
        });
        Self {
            rules: rules.collect(),
            refused: None,
        }
    }

    /// Adds the error of a refused reload.
    #[must_use]
    pub(crate) fn refused(mut self, why: &RuleFileError) -> Self {
        self.refused = Some(why.to_string());
        self
    }

    fn count(&self, file: &PathBuf, is: impl Fn(&Scope) -> bool) -> usize {
        let of_file = self.rules.iter().filter(|rule| *rule.file == *file);
        of_file.filter(|rule| is(&rule.scope)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.refused {
            // The lines of the faults are escaped already.
            writeln!(f, "the last valid rules stay in force: {why}")?;
        }
        let mut last: Option<&PathBuf> = None;
        for rule in &self.rules {
            let file = &*rule.file;
            if last != Some(file) {
                let here = self.count(file, |scope| *scope == Scope::Here);
                let fleet = self.count(file, |scope| *scope == Scope::Fleet);
                let missing = self.count(file, |scope| !scope.is_evaluated());
                writeln!(
                    f,
                    "{}: evaluated here: {here}, fleet rules: {fleet}, no such series here: \
                     {missing}",
                    Printable(file.display())
                )?;
                last = Some(file);
            }
            let kind = if rule.alerts { "alert" } else { "record" };
            let (group, name) = (Printable(&rule.group), Printable(&rule.name));
            let scope = rule.scope.to_string();
            write!(
                f,
                "  {group}: {kind} {name} (line {}): {}",
                rule.line,
                Printable(scope)
            )?;
            if let RuleHealth::Failed(why) = &rule.health {
                write!(f, "; failed: {}", Printable(why))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
