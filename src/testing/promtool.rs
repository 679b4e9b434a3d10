//! Runs the files of `promtool test rules`.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::promqltest::notation;
use crate::promql::{LabelSet, PointValue, Query, QueryOptions, QueryResult, Sample, Series};
use crate::rules::yaml::{self, Kind, Node};
use crate::rules::{
    ALERT_NAME, AlertState, Evaluator, RuleFile, RuleFileError, RulesOptions, parse_duration,
};

/// The most evaluations of one test.
const MOST: i64 = 1_000_000;

/// What is wrong with a file of tests, or with what it tests. It prints as text, also as `{:?}`, so
/// that a failing `unwrap` can be read.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PromtoolError {
    /// The file of tests cannot be read.
    #[error("cannot read the tests in `{}`; check the path", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
    /// A field of the file of tests is wrong.
    #[error("{}:{text}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column, and what is wrong.
        text: String,
    },
    /// A rule file that it names has faults.
    #[error(transparent)]
    Rules(#[from] RuleFileError),
    /// Some tests do not give what is expected.
    #[error("{} of the tests fail:\n{}", .failures.len(), .failures.join("\n"))]
    Failed {
        /// Each with what was expected and what there was.
        failures: Vec<String>,
    },
}

impl fmt::Debug for PromtoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs a file of tests for rule files, as `promtool test rules` does, with this crate's own
/// evaluator: `rule_files` (by their paths from the file of tests), `evaluation_interval`,
/// `group_eval_order` and `tests` with `input_series`, `alert_rule_test` and `promql_expr_test`.
///
/// ```no_run
/// #[test]
/// fn the_alerts_are_as_expected() -> Result<(), selfheal::testing::PromtoolError> {
///     selfheal::testing::promtool("alerts_test.yml")
/// }
/// ```
///
/// # Errors
/// The file, or a rule file, cannot be read or has faults; or tests fail, and what was expected
/// and what there was instead.
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

struct Suite {
    rule_files: Vec<String>,
    interval: i64,
    order: Vec<String>,
    fuzzy: bool,
    tests: Vec<Test>,
}

struct Test {
    name: Option<String>,
    series: Vec<Series>,
    alerts: Vec<AlertTest>,
    expressions: Vec<ExpressionTest>,
    options: RulesOptions,
}

struct AlertTest {
    time: i64,
    name: String,
    /// Labels and annotations, a line each.
    expected: Vec<String>,
}

struct ExpressionTest {
    time: i64,
    text: String,
    query: Query,
    expected: Vec<(LabelSet, PointValue)>,
}

type Read<T> = Result<T, String>;

impl Suite {
    fn read(tree: &Node) -> Read<Self> {
        let known = [
            "rule_files",
            "evaluation_interval",
            "group_eval_order",
            "fuzzy_compare",
            "tests",
        ];
        known_fields(tree, &known)?;
        let interval = duration(tree, "evaluation_interval")?.unwrap_or(60_000);
        let tests = list(tree, "tests")?.iter();
        Ok(Self {
            rule_files: texts(tree, "rule_files")?,
            interval: interval.max(1),
            order: texts(tree, "group_eval_order")?,
            fuzzy: text(tree, "fuzzy_compare")?.as_deref() == Some("true"),
            tests: tests
                .map(|test| Test::read(test, interval.max(1)))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Test {
    fn read(node: &Node, default: i64) -> Read<Self> {
        let known = [
            "name",
            "interval",
            "input_series",
            "alert_rule_test",
            "promql_expr_test",
            "external_labels",
            "external_url",
            "start_timestamp",
        ];
        known_fields(node, &known)?;
        let step = duration(node, "interval")?.unwrap_or(default).max(1);
        let mut series = Vec::new();
        for one in list(node, "input_series")? {
            known_fields(one, &["series", "values"])?;
            let (labels, values) = (needed(one, "series")?, needed(one, "values")?);
            let line = notation::line(&format!("{labels} {values}"));
            let line = line.map_err(|wrong| at(one, &wrong))?;
            let samples = (0..)
                .step_by(usize::try_from(step).unwrap_or(1))
                .zip(line.values);
            series.push(Series {
                labels: line.labels,
                samples: samples
                    .filter_map(|(time, value)| {
                        let value = value?;
                        Some(Sample { time, value })
                    })
                    .collect(),
            });
        }
        let mut options = RulesOptions {
            // All of a test is kept.
            keep: Duration::from_secs(u64::from(u32::MAX)),
            ..RulesOptions::default()
        };
        options.external_labels = LabelSet::new(map(node, "external_labels")?);
        options.external_url = text(node, "external_url")?.unwrap_or_default().into();
        let alerts = list(node, "alert_rule_test")?.iter().map(AlertTest::read);
        let expressions = list(node, "promql_expr_test")?.iter();
        Ok(Self {
            name: text(node, "name")?,
            series,
            alerts: alerts.collect::<Result<_, _>>()?,
            expressions: expressions
                .map(ExpressionTest::read)
                .collect::<Result<_, _>>()?,
            options,
        })
    }

    /// Runs it, and gives what is not as expected.
    fn run(&self, files: &[RuleFile], interval: i64, fuzzy: bool) -> Read<Vec<String>> {
        let times = self.alerts.iter().map(|test| test.time);
        let times = times.chain(self.expressions.iter().map(|test| test.time));
        let last = times.max().unwrap_or(0);
        if last / interval > MOST {
            return Err(format!("1:1: a test has more than {MOST} evaluations"));
        }
        let mut failures = Vec::new();
        let mut evaluator = Evaluator::new(self.options.clone());
        evaluator.load(files, 0);
        let groups = evaluator.status().len();
        let mut now = 0;
        while now <= last {
            for group in 0..groups {
                evaluator.evaluate(group, now, &self.series[..]);
            }
            let due = self.alerts.iter();
            for test in due.filter(|test| (now..now + interval).contains(&test.time)) {
                failures.extend(test.check(&evaluator));
            }
            now += interval;
        }
        let recorded = evaluator.series();
        for test in &self.expressions {
            failures.extend(test.check(&recorded.beside(&self.series[..]), fuzzy));
        }
        Ok(failures)
    }
}

impl AlertTest {
    fn read(node: &Node) -> Read<Self> {
        known_fields(node, &["eval_time", "alertname", "exp_alerts"])?;
        let name = needed(node, "alertname")?;
        let mut expected = Vec::new();
        for one in list(node, "exp_alerts")? {
            known_fields(one, &["exp_labels", "exp_annotations"])?;
            let labels = LabelSet::new(map(one, "exp_labels")?);
            let annotations = map(one, "exp_annotations")?;
            expected.push(shown(&labels.with(ALERT_NAME, &*name), &annotations));
        }
        expected.sort();
        Ok(Self {
            time: duration(node, "eval_time")?.unwrap_or(0),
            name,
            expected,
        })
    }

    fn check(&self, evaluator: &Evaluator) -> Option<String> {
        let status = evaluator.status();
        let rules = status.iter().flat_map(|group| &group.rules);
        let alerts = rules.flat_map(|rule| &rule.alerts).filter(|alert| {
            let named = alert.labels.get(ALERT_NAME) == Some(&*self.name);
            named && alert.state == AlertState::Firing
        });
        let texts = |annotations: &[(Arc<str>, Arc<str>)]| -> Vec<(String, String)> {
            let pairs = annotations.iter();
            pairs
                .map(|(name, text)| (name.to_string(), text.to_string()))
                .collect()
        };
        let mut got: Vec<_> = alerts
            .map(|alert| shown(&alert.labels, &texts(&alert.annotations)))
            .collect();
        got.sort();
        let what = format!("alert {} at {}", self.name, time(self.time));
        (got != self.expected).then(|| difference(&what, &self.expected, &got))
    }
}

impl ExpressionTest {
    fn read(node: &Node) -> Read<Self> {
        known_fields(node, &["expr", "eval_time", "exp_samples"])?;
        let text = needed(node, "expr")?;
        let query = Query::parse(&text).map_err(|error| at(node, &error.to_string()))?;
        let mut expected = Vec::new();
        for one in list(node, "exp_samples")? {
            known_fields(one, &["labels", "value", "histogram"])?;
            let labels = self::text(one, "labels")?.unwrap_or_default();
            let value = match self::text(one, "histogram")? {
                Some(histogram) => histogram,
                None => self::text(one, "value")?.unwrap_or_else(|| "0".to_owned()),
            };
            let line = notation::line(&format!("{labels} {value}"));
            let line = line.map_err(|wrong| at(one, &wrong))?;
            let value = line.values.into_iter().flatten().next();
            let value = value.ok_or_else(|| at(one, "the value is missing"))?;
            expected.push((line.labels, value));
        }
        Ok(Self {
            time: duration(node, "eval_time")?.unwrap_or(0),
            text,
            query,
            expected,
        })
    }

    fn check(&self, source: &impl crate::promql::Queryable, fuzzy: bool) -> Option<String> {
        let what = format!("`{}` at {}", self.text, time(self.time));
        let answer = self
            .query
            .instant(source, self.time, &QueryOptions::default());
        let found = match answer.map(|answer| answer.result) {
            Ok(QueryResult::Vector(found)) => found
                .into_iter()
                .map(|sample| (sample.labels, sample.value))
                .collect(),
            Ok(QueryResult::Scalar(value)) => vec![(LabelSet::empty(), value.into())],
            Ok(_) => return Some(format!("{what}: the result is no vector")),
            Err(error) => return Some(format!("{what}: {error}")),
        };
        let same = |(a, b): (&(LabelSet, PointValue), &(LabelSet, PointValue))| {
            a.0 == b.0
                && match (&a.1, &b.1) {
                    (PointValue::Float(a), PointValue::Float(b)) => equal(*a, *b, fuzzy),
                    (a, b) => a == b,
                }
        };
        let sorted = |mut list: Vec<(LabelSet, PointValue)>| {
            list.sort_by(|a, b| a.0.cmp(&b.0));
            list
        };
        let (expected, got) = (sorted(self.expected.clone()), sorted(found));
        if expected.len() == got.len() && expected.iter().zip(&got).all(same) {
            return None;
        }
        let lines = |list: &[(LabelSet, PointValue)]| -> Vec<String> {
            let pairs = list.iter();
            pairs
                .map(|(labels, value)| match value {
                    PointValue::Float(value) => format!("{labels} {value}"),
                    PointValue::Histogram(histogram) => format!("{labels} {histogram:?}"),
                })
                .collect()
        };
        Some(difference(&what, &lines(&expected), &lines(&got)))
    }
}

#[expect(
    clippy::float_cmp,
    reason = "as promtool compares, unless it is asked not to"
)]
fn equal(expected: f64, got: f64, fuzzy: bool) -> bool {
    let near = || (expected - got).abs() <= 1e-12 * expected.abs().max(got.abs());
    expected == got || expected.is_nan() && got.is_nan() || fuzzy && near()
}

fn difference(what: &str, expected: &[String], got: &[String]) -> String {
    let lines = |lines: &[String]| match lines {
        [] => "\n      nothing".to_owned(),
        lines => lines.iter().fold(String::new(), |mut all, line| {
            let _ = write!(all, "\n      {line}");
            all
        }),
    };
    format!(
        "{what}:\n    expected:{}\n    got:{}",
        lines(expected),
        lines(got)
    )
}

fn shown(labels: &LabelSet, annotations: &[(String, String)]) -> String {
    let mut annotations = annotations.to_vec();
    annotations.sort();
    format!("{labels} {annotations:?}")
}

fn time(millis: i64) -> String {
    let millis = u64::try_from(millis).unwrap_or(0);
    crate::rules::format_duration(Duration::from_millis(millis))
}

fn at(node: &Node, wrong: &str) -> String {
    format!("{}: {wrong}", node.place)
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else {
        return None;
    };
    let found = entries.iter().find(|(key, _)| &*key.text == name);
    let found = found.map(|(_, node)| node);
    found.filter(|node| !matches!(&node.kind, Kind::Scalar(text) if text.is_null()))
}

fn known_fields(node: &Node, known: &[&str]) -> Read<()> {
    let Kind::Map(entries) = &node.kind else {
        return Err(at(node, "this is a map of fields"));
    };
    match entries.iter().find(|(key, _)| !known.contains(&&*key.text)) {
        None => Ok(()),
        Some((key, _)) => Err(format!(
            "{}: there is no field `{}`; the fields are {}",
            key.place,
            key.text,
            known.join(", ")
        )),
    }
}

fn list<'n>(node: &'n Node, name: &str) -> Read<&'n [Node]> {
    match field(node, name) {
        None => Ok(&[]),
        Some(node) => match &node.kind {
            Kind::List(list) => Ok(list),
            _ => Err(at(node, &format!("`{name}` is a list"))),
        },
    }
}

fn text(node: &Node, name: &str) -> Read<Option<String>> {
    match field(node, name) {
        None => Ok(None),
        Some(node) => match &node.kind {
            Kind::Scalar(text) => Ok(Some(text.text.to_string())),
            _ => Err(at(node, &format!("`{name}` is a text"))),
        },
    }
}

fn needed(node: &Node, name: &str) -> Read<String> {
    text(node, name)?.ok_or_else(|| at(node, &format!("`{name}` is missing")))
}

fn texts(node: &Node, name: &str) -> Read<Vec<String>> {
    let each = list(node, name)?.iter().map(|node| match &node.kind {
        Kind::Scalar(text) => Ok(text.text.to_string()),
        _ => Err(at(node, &format!("`{name}` is a list of texts"))),
    });
    each.collect()
}

/// A duration in milliseconds.
fn duration(node: &Node, name: &str) -> Read<Option<i64>> {
    let Some(written) = text(node, name)? else {
        return Ok(None);
    };
    let parsed = parse_duration(&written);
    let millis = parsed.and_then(|duration| i64::try_from(duration.as_millis()).ok());
    match millis {
        Some(millis) => Ok(Some(millis)),
        None => Err(at(node, &format!("`{written}` of `{name}` is no duration"))),
    }
}

fn map(node: &Node, name: &str) -> Read<Vec<(String, String)>> {
    let Some(node) = field(node, name) else {
        return Ok(Vec::new());
    };
    let Kind::Map(entries) = &node.kind else {
        return Err(at(node, &format!("`{name}` is a map of texts")));
    };
    let each = entries.iter().map(|(key, value)| match &value.kind {
        Kind::Scalar(text) => Ok((key.text.to_string(), text.text.to_string())),
        _ => Err(at(value, "this is a text")),
    });
    each.collect()
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
    fn a_fault_of_the_file_is_said_with_its_place() {
        for (text, wrong) in [
            ("rule_files: [none.yml]\n", "cannot read the rule file"),
            ("testss: []\n", "tests.yml:1:1: there is no field `testss`"),
            (
                "tests:\n- interval: soon\n",
                "tests.yml:2:3: `soon` of `interval` is no duration",
            ),
            (
                "tests:\n- input_series:\n  - series: up\n",
                "`values` is missing",
            ),
            ("", "the file is empty"),
        ] {
            let error = run(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
