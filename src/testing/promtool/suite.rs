//! Parses and runs a test file.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::fields::{Read, at, duration, known_fields, list, map, needed, text, texts};
use crate::promql::{
    LabelSet, PointValue, Query, QueryOptions, QueryResult, Queryable, Sample, Series,
};
use crate::rules::yaml::Node;
use crate::rules::{ALERT_NAME, AlertState, Evaluator, RuleFile, RulesOptions};
use crate::testing::promqltest::notation;
use crate::util::{from_rfc_3339, millis};

/// The limit of evaluations of one test.
const MOST: i64 = 1_000_000;

/// A test file.
pub(super) struct Suite {
    pub(super) rule_files: Vec<String>,
    pub(super) interval: i64,
    pub(super) order: Vec<String>,
    pub(super) fuzzy: bool,
    pub(super) tests: Vec<Test>,
}

/// A test of the file.
pub(super) struct Test {
    pub(super) name: Option<String>,
    /// The time from which the others are counted, in milliseconds since 1970.
    start: i64,
    series: Vec<Series>,
    alerts: Vec<AlertTest>,
    expressions: Vec<ExpressionTest>,
    options: RulesOptions,
}

struct AlertTest {
    time: i64,
    name: String,
    /// Labels and annotations, one per line.
    expected: Vec<String>,
}

struct ExpressionTest {
    time: i64,
    text: String,
    query: Query,
    expected: Vec<(LabelSet, PointValue)>,
}

impl Suite {
    pub(super) fn read(tree: &Node) -> Read<Self> {
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
        let start = start(node)?;
        let mut series = Vec::new();
        for one in list(node, "input_series")? {
            known_fields(one, &["series", "values"])?;
            let labels = needed(one, "series")?;
            let values = text(one, "values")?.unwrap_or_default();
            let line = notation::line(&format!("{labels} {values}"));
            let line = line.map_err(|wrong| at(one, &wrong))?;
            let samples = (start..)
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
            // Keeps all samples of a test.
            keep: Duration::from_secs(u64::from(u32::MAX)),
            ..RulesOptions::default()
        };
        options.external_labels = LabelSet::new(map(node, "external_labels")?);
        options.external_url = text(node, "external_url")?.unwrap_or_default().into();
        let alerts = list(node, "alert_rule_test")?.iter().map(AlertTest::read);
        let expressions = list(node, "promql_expr_test")?.iter();
        Ok(Self {
            name: text(node, "name")?,
            start,
            series,
            alerts: alerts.collect::<Result<_, _>>()?,
            expressions: expressions
                .map(ExpressionTest::read)
                .collect::<Result<_, _>>()?,
            options,
        })
    }

    /// Runs it and returns the failures.
    pub(super) fn run(&self, files: &[RuleFile], interval: i64, fuzzy: bool) -> Read<Vec<String>> {
        let times = self.alerts.iter().map(|test| test.time);
        let times = times.chain(self.expressions.iter().map(|test| test.time));
        let last = times.max().unwrap_or(0);
        if last / interval > MOST {
            return Err(format!("1:1: a test has more than {MOST} evaluations"));
        }
        let mut failures = Vec::new();
        let mut evaluator = Evaluator::new(self.options.clone());
        evaluator.load(files, self.start);
        let groups = evaluator.status().len();
        let mut now = 0;
        while now <= last {
            for group in 0..groups {
                evaluator.evaluate(group, self.start + now, &self.series[..]);
            }
            let due = self.alerts.iter();
            for test in due.filter(|test| (now..now + interval).contains(&test.time)) {
                failures.extend(test.check(&evaluator));
            }
            now += interval;
        }
        let recorded = evaluator.series();
        for test in &self.expressions {
            let source = recorded.beside(&self.series[..]);
            failures.extend(test.check(&source, self.start, fuzzy));
        }
        Ok(failures)
    }
}

/// A number of YAML in PromQL's notation.
fn number(text: &str) -> &str {
    match &*text.to_ascii_lowercase() {
        "" => "0",
        ".nan" => "NaN",
        ".inf" | "+.inf" => "+Inf",
        "-.inf" => "-Inf",
        _ => text,
    }
}

/// The start of a test, in milliseconds since 1970: a time in RFC 3339 or in seconds.
fn start(node: &Node) -> Read<i64> {
    let Some(text) = text(node, "start_timestamp")? else {
        return Ok(0);
    };
    let seconds = || {
        let seconds = text.parse::<f64>().ok()?;
        let time = Duration::try_from_secs_f64(seconds.abs()).ok()?;
        Some(if seconds < 0.0 {
            -millis(time)
        } else {
            millis(time)
        })
    };
    from_rfc_3339(&text).or_else(seconds).ok_or_else(|| {
        let wrong =
            "`start_timestamp` is a time such as 2026-01-31T12:00:00Z, or in seconds since 1970";
        at(node, wrong)
    })
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
            let labels = if labels.trim().is_empty() {
                "{}"
            } else {
                &labels
            };
            let value = match self::text(one, "histogram")? {
                Some(histogram) => histogram,
                None => number(&self::text(one, "value")?.unwrap_or_default()).to_owned(),
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

    fn check(&self, source: &impl Queryable, start: i64, fuzzy: bool) -> Option<String> {
        let what = format!("`{}` at {}", self.text, time(self.time));
        let answer = self
            .query
            .instant(source, start + self.time, &QueryOptions::default());
        let found = match answer.map(|answer| answer.result) {
            Ok(QueryResult::Vector(found)) => found
                .into_iter()
                .map(|sample| (sample.labels, sample.value))
                .collect(),
            Ok(QueryResult::Scalar(value)) => vec![(LabelSet::empty(), value.into())],
            Ok(_) => return Some(format!("{what}: the result is not a vector")),
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

#[expect(clippy::float_cmp, reason = "promtool compares exactly by default")]
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
