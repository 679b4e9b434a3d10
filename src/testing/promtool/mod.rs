//! Runs test files of `promtool test rules`.

mod fields;
mod suite;

use std::fmt;
use std::path::{Path, PathBuf};

use self::suite::Suite;
use crate::rules::{RuleFile, RuleFileError, yaml};

/// The error of a test file or of the tests in it. `{:?}` prints the same text as `{}`, so that a
/// failing `unwrap` is readable.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PromtoolError {
    /// The test file cannot be read.
    #[error("cannot read the tests in `{}`; check the path", .path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A field of the test file is invalid.
    #[error("{}:{text}", .path.display())]
    Syntax {
        /// The path of the file.
        path: PathBuf,
        /// The line, column and problem.
        text: String,
    },
    /// A rule file that it names has faults.
    #[error(transparent)]
    Rules(#[from] RuleFileError),
    /// Some tests fail.
    #[error("{} of the tests fail:\n{}", .failures.len(), .failures.join("\n"))]
    Failed {
        /// The failures, each with the expected and the actual result.
        failures: Vec<String>,
    },
}

impl fmt::Debug for PromtoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs a test file for rule files, as `promtool test rules` does, with this crate's evaluator:
/// `rule_files` (relative to the test file), `evaluation_interval`, `group_eval_order` and `tests`
/// with `input_series`, `alert_rule_test` and `promql_expr_test`.
///
/// ```no_run
/// #[test]
/// fn the_alerts_are_as_expected() -> Result<(), selfheal::testing::PromtoolError> {
///     selfheal::testing::promtool("alerts_test.yml")
/// }
/// ```
///
/// # Errors
/// The test file or a rule file cannot be read or has faults; or tests fail, with the expected and
/// the actual results.
pub fn promtool(file: impl AsRef<Path>) -> Result<(), PromtoolError> {
    let path = file.as_ref();
    let text = std::fs::read_to_string(path).map_err(|source| PromtoolError::Io {
        path: path.to_owned(),
        source,
    })?;
    let wrong = |text: String| PromtoolError::Syntax {
        path: path.to_owned(),
        text,
    };
    let tree = yaml::read(&text).map_err(|fault| wrong(fault.to_string()))?;
    let tree = tree.ok_or_else(|| wrong("1:1: the file is empty".to_owned()))?;
    let suite = Suite::read(&tree).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = suite.rule_files.iter();
    let files: Result<Vec<_>, _> = files
        .map(|name| RuleFile::read(folder.join(name)))
        .collect();
    let mut files = files?;
    for file in &mut files {
        file.groups.sort_by_key(|group| {
            let at = suite.order.iter().position(|name| **name == *group.name);
            at.map_or(0, |at| at + 1)
        });
    }
    let mut failures = Vec::new();
    for (number, test) in suite.tests.iter().enumerate() {
        let name = match &test.name {
            Some(name) => format!("test {} `{name}`", number + 1),
            None => format!("test {}", number + 1),
        };
        let run = test
            .run(&files, suite.interval, suite.fuzzy)
            .map_err(wrong)?;
        failures.extend(run.into_iter().map(|failure| format!("{name}, {failure}")));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(PromtoolError::Failed { failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "
groups:
- name: g
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
  - alert: Errors
    expr: job:errors:rate5m > 0.5
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }}: {{ $value | humanize }}/s'}
";

    const TESTS: &str = "
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
- name: errors
  interval: 1m
  input_series:
  - series: errors_total{job=\"shop\"}
    values: 0+60x20
  alert_rule_test:
  - {eval_time: 2m, alertname: Errors}
  - eval_time: 5m
    alertname: Errors
    exp_alerts:
    - exp_labels: {job: shop, severity: page}
      exp_annotations: {summary: 'shop: 1/s'}
  promql_expr_test:
  - expr: job:errors:rate5m
    eval_time: 10m
    exp_samples: [{labels: 'job:errors:rate5m{job=\"shop\"}', value: 1}]
";

    fn run(tests: &str) -> Result<(), PromtoolError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("alerts.yml"), RULES).unwrap();
        let file = folder.path().join("tests.yml");
        std::fs::write(&file, tests).unwrap();
        promtool(file)
    }

    #[test]
    fn a_file_of_tests_passes_or_shows_expected_against_got() {
        run(TESTS).unwrap();
        let wrong = TESTS
            .replace("shop: 1/s", "shop: 2/s")
            .replace("value: 1}", "value: 2}");
        assert_eq!(
            run(&wrong).unwrap_err().to_string(),
            "2 of the tests fail:\n\
             test 1 `errors`, alert Errors at 5m:\n    expected:\n      \
             {alertname=\"Errors\", job=\"shop\", severity=\"page\"} [(\"summary\", \"shop: 2/s\")]\n    got:\n      \
             {alertname=\"Errors\", job=\"shop\", severity=\"page\"} [(\"summary\", \"shop: 1/s\")]\n\
             test 1 `errors`, `job:errors:rate5m` at 10m:\n    expected:\n      \
             job:errors:rate5m{job=\"shop\"} 2\n    got:\n      job:errors:rate5m{job=\"shop\"} 1"
        );
    }

    #[test]
    fn a_test_starts_at_its_time_and_what_is_not_given_has_its_default() {
        run("
tests:
- start_timestamp: 2024-01-01T00:00:00Z
  input_series:
  - {series: x, values: 1 2 3}
  - {series: none}
  promql_expr_test:
  - {expr: time(), eval_time: 5m, exp_samples: [{value: 1704067500}]}
  - {expr: x @ 1704067260, eval_time: 5m, exp_samples: [{labels: x, value: 2}]}
  - {expr: 'none or absent(none)', exp_samples: [{labels: '', value: 1}]}
  - {expr: vector(-1) / 0, exp_samples: [{value: -.Inf}]}
  - {expr: vector(0) / 0, exp_samples: [{labels: '{}', value: .nan}]}
  - {expr: vector(0), exp_samples: [{}]}
- start_timestamp: 1609459200
  promql_expr_test:
  - {expr: timestamp(ALERTS) or vector(time()), exp_samples: [{value: 1609459200}]}
")
        .unwrap();
        let error = run("tests:\n- start_timestamp: soon\n").unwrap_err();
        assert!(
            error.to_string().contains("`start_timestamp` is a time"),
            "{error}"
        );
    }

    #[test]
    fn a_fault_of_the_file_is_said_with_its_place() {
        for (text, wrong) in [
            ("rule_files: [none.yml]\n", "cannot read the rule file"),
            ("testss: []\n", "tests.yml:1:1: there is no field `testss`"),
            (
                "tests:\n- interval: soon\n",
                "tests.yml:2:3: `soon` of `interval` is not a duration",
            ),
            (
                "tests:\n- input_series:\n  - values: 1 2\n",
                "`series` is missing",
            ),
            ("", "the file is empty"),
        ] {
            let error = run(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
