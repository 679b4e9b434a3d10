//! The texts of every alert, filled in by this crate's templates and by those of Prometheus.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use selfheal::promql::{LabelSet, Query, Sample, Series};
use selfheal::rules::{ALERT_NAME, AlertState, Evaluator, RuleFile, RulesOptions};
use serde_json::{Value, json};

use super::promtool::{files, full, passes};
use super::support::prometheus::program;
use super::{generated, shop};

const MINUTE: i64 = 60_000;
/// When the generated tests evaluate.
const EVALUATIONS: i64 = 30;

/// A generated test in which alerts fire: their names, and the series with their values.
struct Fires {
    alerts: Vec<String>,
    inputs: Vec<(String, String)>,
}

/// The tests of a generated file in which something fires.
fn fires(text: &str) -> Vec<Fires> {
    let mut all: Vec<Fires> = Vec::new();
    let mut is_wanted = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("- name: ") {
            let name = name.trim_matches('"');
            let fire = name
                .strip_suffix(" fire")
                .map(|names| names.split(", ").collect());
            let burns = name
                .ends_with(" burns at once")
                .then(|| vec!["SloBudgetBurn"]);
            let alerts: Option<Vec<&str>> = fire.or(burns);
            is_wanted = alerts.is_some();
            all.extend(alerts.map(|alerts| Fires {
                alerts: alerts.into_iter().map(str::to_owned).collect(),
                inputs: Vec::new(),
            }));
        } else if let (true, Some(input)) = (is_wanted, line.strip_prefix("  - {series: ")) {
            let (series, values) = input.split_once(", values: ").unwrap();
            let text = |json: &str| serde_json::from_str::<String>(json).unwrap();
            let input = (text(series), text(values.trim_end_matches('}')));
            all.last_mut().unwrap().inputs.push(input);
        }
    }
    all
}

/// `5x60` and `0+5x60`: a value a minute.
fn values(text: &str) -> Vec<Sample> {
    let (values, times) = text.split_once('x').unwrap();
    let (first, step) = values.split_once('+').unwrap_or((values, "0"));
    let [first, step]: [f64; 2] = [first, step].map(|number| number.parse().unwrap());
    let times: i32 = times.parse().unwrap();
    let sample = |at: i32| Sample {
        time: i64::from(at) * MINUTE,
        value: (first + f64::from(at) * step).into(),
    };
    (0..=times).map(sample).collect()
}

fn series((labels, text): &(String, String)) -> Series {
    let query = Query::parse(labels).unwrap();
    let matchers = query.selectors().flatten();
    Series {
        labels: LabelSet::new(matchers.map(|matcher| (matcher.name(), matcher.value()))),
        samples: values(text),
    }
}

/// The alerts that fire by this crate, as promtool is to find them.
fn expected(rules: &[RuleFile], test: &Fires) -> Vec<(String, Vec<Value>)> {
    let series: Vec<Series> = test.inputs.iter().map(series).collect();
    let mut options = RulesOptions::default();
    options.keep = Duration::from_secs(86_400);
    let mut evaluator = Evaluator::new(options);
    evaluator.load(rules, 0);
    let groups = evaluator.status().len();
    for now in (0..=EVALUATIONS).map(|minutes| minutes * MINUTE) {
        for group in 0..groups {
            evaluator.evaluate(group, now, &series[..]);
        }
    }
    let status = evaluator.status();
    let rules = status.iter().flat_map(|group| &group.rules);
    let firing = rules.flat_map(|rule| &rule.alerts);
    let firing: Vec<_> = firing
        .filter(|alert| alert.state == AlertState::Firing)
        .collect();
    let of = |name: &String| {
        let alerts = firing
            .iter()
            .filter(|alert| alert.labels.get(ALERT_NAME) == Some(name));
        let alerts = alerts.map(|alert| {
            let labels = alert.labels.iter().filter(|(name, _)| *name != ALERT_NAME);
            let labels: BTreeMap<&str, &str> = labels.collect();
            let texts = alert
                .annotations
                .iter()
                .map(|(name, text)| (&**name, &**text));
            let texts: BTreeMap<&str, &str> = texts.collect();
            json!({"exp_labels": labels, "exp_annotations": texts})
        });
        (name.clone(), alerts.collect())
    };
    test.alerts.iter().map(of).collect()
}

/// Writes tests with all labels and annotations for each generated file; how many alerts are in
/// them.
fn write(folder: &Path) -> usize {
    let mut count = 0;
    for file in files(&folder.join("prometheus/tests")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let paths = ["recording.yml", name].map(|name| format!("../rules/{name}"));
        let rules = paths
            .each_ref()
            .map(|path| RuleFile::read(folder.join("prometheus/tests").join(path)).unwrap());
        let tests = fires(&text);
        assert!(!tests.is_empty(), "{name}");
        let tests = tests.iter().map(|test| {
            let expected = expected(&rules, test).into_iter().map(|(name, alerts)| {
                assert!(!alerts.is_empty(), "{name} does not fire here");
                count += alerts.len();
                let time = format!("{EVALUATIONS}m");
                json!({"eval_time": time, "alertname": name, "exp_alerts": alerts})
            });
            let expected: Vec<Value> = expected.collect();
            let inputs = test.inputs.iter();
            let inputs = inputs.map(|(series, values)| json!({"series": series, "values": values}));
            let inputs: Vec<Value> = inputs.collect();
            json!({"interval": "1m", "input_series": inputs, "alert_rule_test": expected})
        });
        let tests: Vec<Value> = tests.collect();
        // Every JSON is YAML.
        let text = json!({"rule_files": paths, "evaluation_interval": "1m", "tests": tests});
        std::fs::write(&file, text.to_string()).unwrap();
    }
    count
}

#[test]
#[ignore = "needs promtool; run tests/all.sh assets"]
fn the_labels_and_annotations_of_every_alert_are_those_of_prometheus() {
    let tool = program("TEST_PROMTOOL");
    for (config, least) in [(shop(), 50), (full(), 50)] {
        let folder = tempfile::tempdir().unwrap();
        generated(config).write(folder.path()).unwrap();
        let count = write(folder.path());
        println!("{count} alerts compared");
        assert!(count > least, "{count}");
        let tests = files(&folder.path().join("prometheus/tests"));
        passes(&tool, &["test", "rules"], &tests);
    }
}
