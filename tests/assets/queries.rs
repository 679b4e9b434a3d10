//! Every query of every dashboard and rule, by a real Prometheus that scrapes a process with every
//! group in use and has the generated configuration, and by this crate's own evaluator on the same
//! samples.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use selfheal::catalog::{Allowed, Kind, MetricDef};
use selfheal::config::{Assets, Server};
use selfheal::promql::{LabelSet, MatchOp, Query, QueryOptions, Sample, Series};
use selfheal::registry::{Declared, Registry};
use selfheal::rules::RuleFile;
use selfheal::{Config, Selfheal};
use serde_json::Value;

use super::support::prometheus::Prometheus;
use super::{compare, promtool, shop};

const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration whose windows are short.
pub(super) fn quick(assets: Assets) -> Config {
    let second = Duration::from_secs(1);
    shop()
        .server(Server::new().listen("127.0.0.1:0".parse().unwrap()))
        .assets(assets.scrape_interval(second).window(second * 10))
}

/// Keeps every metric that nothing else records here in motion, until it is dropped.
struct Touched {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Touched {
    fn all(registry: &Registry) -> Self {
        let there: Vec<String> = registry
            .catalog()
            .iter()
            .map(|def| def.name.to_string())
            .collect();
        let defs = selfheal::catalogue().unwrap().into_iter();
        let defs = defs.filter(|def| !there.contains(&def.name.to_string()));
        let defs =
            defs.filter(|def| [Kind::Counter, Kind::Gauge, Kind::Histogram].contains(&def.kind));
        let metrics: Vec<(Declared, Vec<Vec<String>>)> = defs
            .map(|def| {
                let rows = rows(&def);
                (registry.declare(def).unwrap(), rows)
            })
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for (metric, rows) in &metrics {
                    for row in rows {
                        let labels: Vec<&str> = row.iter().map(String::as_str).collect();
                        metric.record(
                            &labels,
                            if metric.def().kind == Kind::Histogram {
                                0.03
                            } else {
                                1.0
                            },
                        );
                    }
                }
                // The scraper is another process; no injected clock reaches it.
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(std::thread::JoinHandle::join));
    }
}

/// Label values for some series of a metric, so that each value of a closed set is there.
fn rows(def: &MetricDef) -> Vec<Vec<String>> {
    let values = |label: &str| -> Vec<String> {
        let plain = match (label, def.allowed.get(label)) {
            (_, Some(Allowed::These(values))) => {
                return values.iter().map(ToString::to_string).collect();
            }
            ("status", _) if def.name.starts_with("grpc") => ["OK", "INTERNAL"],
            ("status", _) => ["200", "500"],
            ("severity", _) => ["critical", "warning"],
            _ => ["a", "b"],
        };
        plain.map(str::to_owned).to_vec()
    };
    let columns: Vec<Vec<String>> = def.labels.iter().map(|label| values(label)).collect();
    let most = columns.iter().map(Vec::len).max().unwrap_or(1);
    let row = |at: usize| {
        columns
            .iter()
            .map(|column| column[at % column.len()].clone())
            .collect()
    };
    (0..most).map(row).collect()
}

/// A query, where it comes from, and why it may have no answer; empty where it must have one.
struct Asked {
    expr: String,
    from: String,
    reason: String,
}

/// The queries of the dashboards, with their variables filled in.
fn of_dashboards(folder: &Path) -> Vec<Asked> {
    let mut all = Vec::new();
    let filled = |expr: &str| {
        let expr = expr.replace("$__rate_interval", "10s");
        ["job", "instance", "namespace", "env"]
            .into_iter()
            .fold(expr, |expr, name| expr.replace(&format!("${name}"), ".*"))
    };
    for file in promtool::files(folder) {
        let dashboard: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                all.push(Asked {
                    expr: filled(target["expr"].as_str().unwrap()),
                    from: format!("{}: {}", dashboard["title"], panel["title"]),
                    reason: panel["description"].as_str().unwrap().to_owned(),
                });
            }
        }
        for mark in dashboard["annotations"]["list"].as_array().unwrap() {
            all.push(Asked {
                expr: filled(mark["target"]["expr"].as_str().unwrap()),
                from: format!("{}: marks", dashboard["title"]),
                reason: String::new(),
            });
        }
    }
    all
}

/// What only other exporters have, and what is only there once something was lost.
fn may_be_absent(name: &str) -> &'static str {
    let absent = [
        ("kube_", "kube-state-metrics is not there"),
        ("probe_", "the blackbox exporter is not there"),
        ("selfheal_", "nothing was lost"),
        ("container_", "there is no container with limits"),
    ];
    absent
        .into_iter()
        .find_map(|(prefix, why)| {
            let name = name.strip_prefix("shop_").unwrap_or(name);
            name.starts_with(prefix).then_some(why)
        })
        .unwrap_or_default()
}

/// The queries of the recording rules, and each selector of the alerts: an alert itself has no
/// answer while all is well.
fn of_rules(folder: &Path) -> Vec<Asked> {
    let mut all = Vec::new();
    for file in promtool::files(folder) {
        let file = RuleFile::read(file).unwrap();
        for rule in file.groups.iter().flat_map(|group| &group.rules) {
            if rule.alerting.is_none() {
                all.push(Asked {
                    expr: rule.expr.text().to_owned(),
                    from: format!("rule {}", rule.name),
                    reason: String::new(),
                });
                continue;
            }
            for matchers in rule.expr.selectors() {
                let name = matchers
                    .iter()
                    .find(|matcher| matcher.name() == "__name__")
                    .unwrap();
                let parts = matchers.iter().map(|matcher| {
                    let op = match matcher.op() {
                        MatchOp::Equal => "=",
                        MatchOp::NotEqual => "!=",
                        MatchOp::Regex => "=~",
                        MatchOp::NotRegex => "!~",
                    };
                    format!("{}{op}{:?}", matcher.name(), matcher.value())
                });
                all.push(Asked {
                    expr: format!("{{{}}}", parts.collect::<Vec<_>>().join(",")),
                    from: format!("alert {}", rule.name),
                    reason: may_be_absent(name.value()).to_owned(),
                });
            }
            all.push(Asked {
                expr: rule.expr.text().to_owned(),
                from: format!("alert {}", rule.name),
                reason: "it may be silent".to_owned(),
            });
        }
    }
    all
}

fn is_empty(answer: &Value) -> bool {
    answer["result"].as_array().is_some_and(Vec::is_empty)
}

/// All samples of a server up to a time in milliseconds.
fn samples(server: &Prometheus, time: i64) -> Vec<Series> {
    let all = server
        .try_query_at("{__name__=~\".+\"}[30m]", time as f64 / 1_000.0)
        .unwrap();
    let series = all["result"].as_array().unwrap().iter().map(|series| {
        let labels: BTreeMap<String, String> =
            serde_json::from_value(series["metric"].clone()).unwrap();
        let samples = series["values"].as_array().unwrap().iter().map(|pair| {
            #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
            let time = (pair[0].as_f64().unwrap() * 1_000.0).round() as i64;
            let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
            Sample {
                time,
                value: value.into(),
            }
        });
        Series {
            labels: LabelSet::new(labels),
            samples: samples.collect(),
        }
    });
    series.collect()
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh assets"]
fn every_query_has_an_answer_and_ours_is_that_of_prometheus() {
    let heal = Selfheal::new(quick(Assets::new())).unwrap();
    let listener = heal.listen().unwrap();
    let touched = Touched::all(heal.registry());
    let target = listener.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    Selfheal::new(quick(Assets::new().target(target)))
        .unwrap()
        .write_assets(folder.path())
        .unwrap();
    let server = Prometheus::with_config(&folder.path().join("prometheus/prometheus.yml"));
    server.wait_until_up("shop");

    let mut asked = of_dashboards(&folder.path().join("grafana/dashboards"));
    asked.extend(of_rules(&folder.path().join("prometheus/rules")));
    assert!(asked.len() > 300, "{}", asked.len());
    let begin = Instant::now();
    let mut silent: Vec<&Asked> = asked
        .iter()
        .filter(|asked| asked.reason.is_empty())
        .collect();
    // Asked of the moment that is compared below: of a moment ago, so that all of it is there.
    let a_moment_ago = || server.value("time()").unwrap() - 1.5;
    while !silent.is_empty() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_secs(1));
        let time = a_moment_ago();
        let answer = |asked: &Asked| server.try_query_at(&asked.expr, time).unwrap();
        silent.retain(|asked| is_empty(&answer(asked)));
    }
    let silent: Vec<String> = silent
        .iter()
        .map(|asked| format!("{}: {}", asked.from, asked.expr))
        .collect();
    assert!(silent.is_empty(), "no answer to:\n{}", silent.join("\n"));
    for rule in server
        .rule_groups()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
    {
        assert!(
            rule["health"] == "ok" || rule["health"] == "unknown",
            "{rule}"
        );
    }

    let time = a_moment_ago();
    drop(touched);
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    let time = (time * 1_000.0) as i64;
    let series = samples(&server, time);
    let (mut values, mut differences) = (0, Vec::new());
    for asked in &asked {
        let ours = Query::parse(&asked.expr)
            .and_then(|query| query.instant(&series[..], time, &QueryOptions::default()));
        let theirs = server.try_query_at(&asked.expr, time as f64 / 1_000.0);
        match compare::answers(ours, theirs) {
            Ok(0) if asked.reason.is_empty() => {
                differences.push(format!("{}: {}\n  both are empty", asked.from, asked.expr));
            }
            Ok(compared) => values += compared,
            Err(difference) => {
                differences.push(format!("{}: {}\n  {difference}", asked.from, asked.expr));
            }
        }
    }
    println!("{} queries, {values} values compared", asked.len());
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        asked.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}
