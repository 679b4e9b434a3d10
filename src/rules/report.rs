//! What becomes of each rule of a file in this process, for people.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::evaluator::{GroupStatus, RuleHealth};
use super::fault::RuleFileError;
use super::scope::Scope;
use crate::util::Printable;

/// Rule by rule: evaluated here, a fleet rule, or no such series here. It prints as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the files.
    pub rules: Vec<ReportedRule>,
    /// Why the last reload was refused; the rules are those from before.
    pub refused: Option<String>,
}

/// The treatment of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedRule {
    /// The file that it stands in.
    pub file: Arc<PathBuf>,
    /// The line in it.
    pub line: usize,
    /// Its group.
    pub group: Arc<str>,
    /// The alert, or the series that it records.
    pub name: Arc<str>,
    /// Whether it raises alerts.
    pub alerts: bool,
    /// Whether it can be evaluated here.
    pub scope: Scope,
    /// How its last evaluation ended.
    pub health: RuleHealth,
}

impl Report {
    /// The report on groups that an evaluator has.
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

    /// The report after a reload that was refused.
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
            // Its lines are those of the faults, each escaped already.
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
                    "{}: {here} rules are evaluated here, {fleet} are fleet rules, {missing} have \
                     no such series here",
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
