//! Every query of every dashboard and rule that the storefront wrote, by a real Prometheus that
//! scrapes it while every group is in use and things break and are healed, and by this crate's own
//! evaluator on the same samples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use selfheal::promql::{LabelSet, MatchOp, Query, QueryOptions, Sample, Series};
use selfheal::rules::RuleFile;
use serde_json::Value;

use super::served::Served;
use super::support::prometheus::Prometheus;
use super::{compare, picture, promtool};

const PATIENCE: Duration = Duration::from_secs(120);
/// How often what differs is asked again, of a later moment.
const TRIES: usize = 3;
/// A series of which nothing came for so long, in milliseconds, is stale: it is scraped every second.
const STALE_AFTER: i64 = 2_500;
/// The value of a marker that a series ends.
const STALE: u64 = 0x7ff0_0000_0000_0002;

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
        // The application's own groups, all of which are in use here.
        let is_own = file.to_string_lossy().contains("/own-");
        for panel in dashboard["panels"].as_array().unwrap() {
            let reason = panel["description"].as_str().unwrap_or_default();
            for target in panel["targets"].as_array().into_iter().flatten() {
                all.push(Asked {
                    expr: filled(target["expr"].as_str().unwrap()),
                    from: format!("{}: {}", dashboard["title"], panel["title"]),
                    reason: if is_own { "" } else { reason }.to_owned(),
                });
            }
        }
        for mark in dashboard["annotations"]["list"].as_array().unwrap() {
            // Whether an annotation has a mark depends on chance; the series that it counts must
            // exist.
            let expr = filled(mark["target"]["expr"].as_str().unwrap());
            let counted = expr
                .strip_suffix(" > 0")
                .expect("a mark is what is more than 0");
            for (expr, reason) in [(counted, ""), (&*expr, "nothing of it happened lately")] {
                all.push(Asked {
                    expr: expr.to_owned(),
                    from: format!("{}: marks", dashboard["title"]),
                    reason: reason.to_owned(),
                });
            }
        }
    }
    all
}

/// The metrics of other exporters, and those that exist only once something was lost.
fn may_be_absent(name: &str) -> &'static str {
    let absent = [
        ("kube_", "kube-state-metrics does not run"),
        ("probe_", "the blackbox exporter does not run"),
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
    let at = |selector: &str| {
        let found = server.try_query_at(selector, time as f64 / 1_000.0);
        found.unwrap()
    };
    let now = at("{__name__=~\".+\"}");
    let now = now["result"].as_array().unwrap().iter();
    let now: BTreeSet<String> = now.map(|series| series["metric"].to_string()).collect();
    let all = at("{__name__=~\".+\"}[30m]");
    let series = all["result"].as_array().unwrap().iter().map(|series| {
        let labels: BTreeMap<String, String> =
            serde_json::from_value(series["metric"].clone()).unwrap();
        let samples = series["values"].as_array().unwrap().iter();
        let samples = samples.map(|pair| {
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
            samples: with_ends(
                samples.collect(),
                now.contains(&series["metric"].to_string()),
            ),
        }
    });
    series.collect()
}

/// The API leaves out the markers that a series ends. There is one where a series is not there at
/// the last moment, and one where nothing came for a while.
fn with_ends(samples: Vec<Sample>, is_there: bool) -> Vec<Sample> {
    let end_after = |sample: &Sample| Sample {
        time: sample.time + 1_000,
        value: f64::from_bits(STALE).into(),
    };
    let next: Vec<i64> = samples.iter().skip(1).map(|next| next.time).collect();
    let mut next = next.into_iter();
    let mut all = Vec::with_capacity(samples.len());
    for sample in samples {
        let end = match next.next() {
            Some(next) => (next - sample.time > STALE_AFTER).then(|| end_after(&sample)),
            None => (!is_there).then(|| Sample {
                time: sample.time + 1,
                ..end_after(&sample)
            }),
        };
        all.push(sample);
        all.extend(end);
    }
    all
}

/// Queries that have no answer of which one is due, after each was asked for a while.
fn silent<'a>(server: &Prometheus, asked: &'a [Asked]) -> Vec<&'a Asked> {
    let begin = Instant::now();
    let mut silent: Vec<&Asked> = asked
        .iter()
        .filter(|asked| asked.reason.is_empty())
        .collect();
    while !silent.is_empty() && begin.elapsed() < PATIENCE {
        // The storefront and the server are other processes, which no injected clock reaches.
        std::thread::sleep(Duration::from_secs(1));
        let time = a_moment_ago(server);
        silent.retain(|asked| is_empty(&server.try_query_at(&asked.expr, time).unwrap()));
    }
    silent
}

/// So that all of what is compared is there.
fn a_moment_ago(server: &Prometheus) -> f64 {
    (server.value("time()").unwrap() - 1.5).floor()
}

/// The differences of the two answers at one moment, and the number of equal values.
fn different<'a>(
    server: &Prometheus,
    asked: &[&'a Asked],
    values: &mut usize,
) -> Vec<(&'a Asked, String)> {
    let time = a_moment_ago(server);
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    let millis = (time * 1_000.0) as i64;
    let series = samples(server, millis);
    let compared = asked.iter().filter_map(|asked| {
        let ours = Query::parse(&asked.expr)
            .and_then(|query| query.instant(&series[..], millis, &QueryOptions::default()));
        let theirs = server.try_query_at(&asked.expr, time);
        match compare::answers(ours, theirs, false) {
            Ok(compared) => {
                *values += compared;
                None
            }
            Err(difference) => Some((*asked, difference)),
        }
    });
    compared.collect()
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh assets"]
fn every_query_has_an_answer_and_ours_is_that_of_prometheus() {
    let shop = Served::start(&["--groups", "--chaos", "--load", "50"]);
    let server = shop.prometheus();
    let mut asked = of_dashboards(&shop.path().join("grafana/dashboards"));
    assert!(
        asked
            .iter()
            .any(|asked| asked.from.contains("storefront: supplier"))
    );
    asked.extend(of_rules(&shop.path().join("prometheus/rules")));
    assert!(asked.len() > 300, "{}", asked.len());
    let lines = |asked: &[&Asked]| -> String {
        let lines = asked
            .iter()
            .map(|asked| format!("{}: {}\n", asked.from, asked.expr));
        lines.collect()
    };
    let silent = silent(&server, &asked);
    assert!(silent.is_empty(), "no answer to:\n{}", lines(&silent));
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

    let (mut values, mut rest): (usize, Vec<&Asked>) = (0, asked.iter().collect());
    let mut differences = Vec::new();
    for _ in 0..TRIES {
        // A late scrape makes one difference, a fault makes one each time.
        differences = different(&server, &rest, &mut values);
        rest = differences.iter().map(|(asked, _)| *asked).collect();
        if rest.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    println!("{} queries, {values} values compared", asked.len());
    let said = differences.iter().take(20);
    let said = said.map(|(asked, why)| format!("{}: {}\n  {why}\n", asked.from, asked.expr));
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        asked.len(),
        said.collect::<String>()
    );
    picture::draw(
        &server,
        &shop.path().join("grafana/dashboards/overview.json"),
    );
}
