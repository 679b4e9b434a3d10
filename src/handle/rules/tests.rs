//! From a rule file to a heal, in tokio's paused time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::sleep;

use crate::config::{HistoryScope, HistorySettings};
use crate::healing::{Alert, Closed, Context, HealError, Issue, Phase, Risk, Severity};
use crate::promql::QueryResult;
use crate::registry::{Counter, Family, Text};
use crate::rules::AlertState;
use crate::{Config, RulesError, Selfheal};

struct Bench {
    heal: Selfheal,
    folder: tempfile::TempDir,
    /// While set, ten errors occur every second.
    broken: Arc<AtomicBool>,
    actions: Arc<AtomicU32>,
}

impl Bench {
    fn new() -> Self {
        let heal = Selfheal::new(Config::new()).unwrap();
        let errors: Family<Counter, [Text; 1]> = heal
            .registry()
            .counter("errors_total", "")
            .labels(["path"])
            .unwrap();
        errors.add(&["/"], 0);
        let broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&broken);
        tokio::spawn(async move {
            loop {
                if breaks.load(SeqCst) {
                    errors.inc(&["/"]);
                }
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self {
            heal,
            folder: tempfile::tempdir().unwrap(),
            broken,
            actions: Arc::default(),
        }
    }

    fn write(&self, rules: &str) -> PathBuf {
        let path = self.folder.path().join("alerts.yml");
        let text = format!("groups:\n- name: g\n  interval: 1s\n  rules:\n{rules}");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An action that repairs the fault, or only seems to.
    fn repair(
        &self,
        helps: bool,
    ) -> impl Fn(Context, Issue) -> std::future::Ready<Result<(), HealError>> + Send + Sync + 'static
    {
        let (broken, actions) = (Arc::clone(&self.broken), Arc::clone(&self.actions));
        move |_, _| {
            actions.fetch_add(1, SeqCst);
            if helps {
                broken.store(false, SeqCst);
            }
            std::future::ready(Ok(()))
        }
    }

    fn closed(&self, how: Closed) -> u64 {
        self.heal.healing().unwrap().snapshot().closed.get(how)
    }
}

const HIGH: &str = "
  - alert: HighErrorRate
    expr: rate(errors_total[10s]) > 1
    for: 2s
    labels: {severity: page, component: shop}
    annotations: {summary: '{{ $labels.path }} fails'}
";

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// A program that installs its rules before its layers reads what is so after them.
#[tokio::test(start_paused = true)]
async fn the_report_knows_what_was_declared_after_the_rules_were_installed() {
    let bench = Bench::new();
    let path = bench.write("  - {alert: Late, expr: late_total > 1}\n");
    let rules = bench.heal.rules(&path).install().unwrap();
    let report = rules.report().to_string();
    assert!(
        report.contains("no such series here: late_total"),
        "{report}"
    );
    let late = bench.heal.registry().counter("late_total", "").build();
    let report = rules.report().to_string();
    assert!(report.contains("Late (line 5): evaluated here"), "{report}");
    late.unwrap().add(2);
    seconds(3).await;
    assert_eq!(rules.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_acted_on_once_and_healed_on_samples_that_are_newer() {
    let bench = Bench::new();
    let path = bench.write(HIGH);
    let rules = bench
        .heal
        .rules(&path)
        .target("job", "test")
        .install()
        .unwrap();
    rules
        .on("HighErrorRate")
        .run("repair", bench.repair(true))
        .plan(|plan| plan.risk(Risk::Reversible).settle(Duration::from_secs(3)))
        .install()
        .unwrap();
    seconds(30).await;
    assert_eq!(
        bench.actions.load(SeqCst),
        0,
        "all is well: {}",
        rules.report()
    );
    bench.broken.store(true, SeqCst);
    seconds(8).await;
    assert_eq!(bench.actions.load(SeqCst), 1, "{:?}", rules.alerts());
    let alerts = rules.alerts();
    assert_eq!(
        alerts[0].state,
        AlertState::Firing,
        "its range still has the errors"
    );
    assert_eq!(&*alerts[0].annotations[0].1, "/ fails");
    assert_eq!(alerts[0].labels.get("job"), Some("test"));
    seconds(60).await;
    assert_eq!(bench.closed(Closed::Healed), 1);
    assert_eq!(
        bench.actions.load(SeqCst),
        1,
        "no second action for old samples"
    );
    assert_eq!(rules.alerts()[0].state, AlertState::Resolved);
    let issue = &bench.heal.healing().unwrap().snapshot();
    assert_eq!(issue.closed.sum(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_action_that_does_not_help_is_not_taken_for_a_heal() {
    let bench = Bench::new();
    let path = bench.write(HIGH);
    let rules = bench.heal.rules(&path).install().unwrap();
    bench.broken.store(true, SeqCst);
    rules
        .on("HighErrorRate")
        .run("pretend", bench.repair(false))
        .then("repair", bench.repair(true))
        .plan(|plan| plan.risk(Risk::Reversible).settle(Duration::from_secs(1)))
        .install()
        .unwrap();
    seconds(300).await;
    assert_eq!(
        bench.closed(Closed::Healed),
        1,
        "{:?}",
        bench.heal.healing().unwrap().issues()
    );
    assert!(bench.actions.load(SeqCst) > 1);
    assert!(!bench.broken.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn actions_wait_until_the_history_is_as_long_as_the_range() {
    let bench = Bench::new();
    let path = bench.write(&HIGH.replace("10s", "1m"));
    let rules = bench.heal.rules(&path).install().unwrap();
    bench.broken.store(true, SeqCst);
    let repair = bench.repair(true);
    let on = rules.on("HighErrorRate").run("repair", repair);
    on.plan(|plan| plan.risk(Risk::Reversible))
        .install()
        .unwrap();
    seconds(50).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing);
    assert_eq!(bench.actions.load(SeqCst), 0);
    seconds(20).await;
    assert_eq!(bench.actions.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_with_faults_keeps_the_last_valid_one_and_says_so() {
    let bench = Bench::new();
    let path = bench.write(HIGH);
    let rules = bench.heal.rules(&path).install().unwrap();
    bench.broken.store(true, SeqCst);
    seconds(15).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing);
    bench.write("  - alert: HighErrorRate\n    exprs: 1\n");
    let error = rules.reload().unwrap_err().to_string();
    assert!(
        error.contains("alerts.yml:6:5: a rule has no field `exprs`"),
        "{error}"
    );
    let report = rules.report().to_string();
    assert!(
        report.starts_with("the last valid rules stay in force: "),
        "{report}"
    );
    seconds(5).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing, "as before");
    bench.write(&HIGH.replace("> 1", "> 2"));
    rules.reload().unwrap();
    assert!(rules.report().refused.is_none());
    seconds(5).await;
    let alert = &rules.alerts()[0];
    assert_eq!(alert.state, AlertState::Firing, "with the state of before");
    let missing = bench.heal.rules("nowhere.yml").install();
    assert!(matches!(missing, Err(RulesError::File(_))));
}

#[tokio::test(start_paused = true)]
async fn history_is_as_it_is_configured() {
    let secs = Duration::from_secs;
    let history = HistorySettings::new()
        .step(secs(5))
        .keep(secs(20))
        .coarse_step(secs(10))
        .coarse_keep(secs(100))
        .only(HistoryScope::Rules);
    let heal = Selfheal::new(Config::new().history(history)).unwrap();
    let jobs = heal.registry().counter("jobs_total", "").build().unwrap();
    let others = heal.registry().counter("others_total", "").build().unwrap();
    let count = async |query: &str| match heal.query(query).await.unwrap().result {
        QueryResult::Vector(found) => found.first().map(|one| format!("{:?}", one.value)),
        _ => panic!("a vector"),
    };
    count("jobs_total").await;
    for _ in 0..60 {
        jobs.inc();
        others.inc();
        seconds(5).await;
    }
    // No query read that series before.
    assert_eq!(count("count_over_time(others_total[1h])").await, None);
    // Four or five in the last 20 s, and one per 10 s in the 80 s before.
    let samples = count("count_over_time(jobs_total[1h]) >= 12 <= 14").await;
    assert!(
        samples.is_some(),
        "{:?}",
        count("count_over_time(jobs_total[1h])").await
    );
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_in_no_file_and_a_selector_with_a_fault_are_refused() {
    let bench = Bench::new();
    let path = bench.write(HIGH);
    let rules = bench.heal.rules(&path).install().unwrap();
    let install = |alert: &str| {
        let on = rules.on(alert).run("repair", bench.repair(true));
        on.install().map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(
        install("HighErorRate").unwrap_err(),
        "no rule raises an alert `HighErorRate`; the rule files have HighErrorRate"
    );
    assert!(
        install("HighErrorRate{")
            .unwrap_err()
            .contains("parse error")
    );
    install("HighErrorRate{severity=\"page\"}").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_query_is_answered_and_begins_to_keep_what_it_reads() {
    let bench = Bench::new();
    bench.broken.store(true, SeqCst);
    let value = async |text: &str| match bench.heal.query(text).await.unwrap().result {
        QueryResult::Vector(found) => found.first().and_then(|sample| sample.value.as_float()),
        QueryResult::Scalar(value) => Some(value),
        _ => None,
    };
    assert_eq!(value("1 + 1").await, Some(2.0));
    assert_eq!(
        value("count(errors_total)").await,
        Some(1.0),
        "values of now"
    );
    assert_eq!(value("up").await, Some(1.0));
    seconds(60).await;
    assert!(value("rate(errors_total[1m])").await.unwrap() > 9.0);
    // Only a collector has it.
    value("process_open_fds").await;
    seconds(20).await;
    assert!(value("process_open_fds").await.unwrap() > 0.0);
    let error = bench.heal.query("sum(").await.unwrap_err();
    assert!(matches!(error, RulesError::Query(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_alert_without_an_action_is_reported_and_left_to_a_person() {
    let bench = Bench::new();
    let watchdog = "  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}\n";
    let path = bench.write(&format!("{HIGH}{watchdog}"));
    let rules = bench.heal.rules(&path).install().unwrap();
    seconds(10).await;
    let healing = bench.heal.healing().unwrap();
    assert!(healing.issues().is_empty(), "{:?}", healing.issues());
    bench.broken.store(true, SeqCst);
    seconds(15).await;
    let issues = healing.issues();
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(issues[0].issue.key.to_string(), "shop/HighErrorRate");
    assert_eq!(issues[0].issue.severity, Severity::Critical);
    assert_eq!(issues[0].phase, Phase::Parked);
    let evidence: Vec<_> = issues[0].issue.evidence.iter().collect();
    assert!(evidence.contains(&("summary", "/ fails")), "{evidence:?}");
    let notified = healing.alerts();
    let about = |alert: &Alert| alert.id.key.as_ref() == Some(&issues[0].issue.key);
    let mut notified = notified.iter().filter(|alert| about(alert));
    let alert = notified.next().unwrap();
    assert!(alert.summary.as_str().contains("/ fails"), "{alert:?}");
    assert!(notified.next().is_none());
    let report = bench.heal.report();
    assert!(report.components.iter().any(|part| part.name == "shop"));
    // It has an action from now on, and is no longer only reported.
    let on = rules.on("HighErrorRate").run("repair", bench.repair(true));
    on.plan(|plan| plan.risk(Risk::Reversible))
        .install()
        .unwrap();
    seconds(60).await;
    assert_eq!(bench.actions.load(SeqCst), 1);
    assert!(healing.issues().is_empty(), "{:?}", healing.issues());
    assert!(healing.alerts().is_empty());
}

#[cfg(feature = "server")]
mod alertmanager;
mod bad_input;
mod restart;
mod series;

#[cfg(feature = "server")]
mod api {
    use axum::Router;
    use axum::body::Body;
    use http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn ask(app: &Router, request: Request<Body>) -> (StatusCode, Value) {
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(app: &Router, path: &str) -> (StatusCode, Value) {
        let path = format!("/selfheal/api/v1/{path}");
        ask(app, Request::get(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_query_api_answers_for_the_series_and_rules_of_the_handle() {
        let bench = Bench::new();
        let path = bench.write(&format!(
            "{HIGH}  - {{record: twice, expr: errors_total * 2}}\n"
        ));
        let rules = bench.heal.rules(&path).target("job", "shop");
        rules.install().unwrap();
        bench.broken.store(true, SeqCst);
        seconds(15).await;
        let app: Router = bench.heal.router();
        // Tokio's time has moved on, and that of the machine has not.
        let time = bench.heal.clock().unix_seconds();
        let (status, body) = get(&app, &format!("query?query=twice&time={time}")).await;
        assert_eq!(
            (status, &body["status"]),
            (StatusCode::OK, &json!("success"))
        );
        let labels = json!({"__name__": "twice", "job": "shop", "path": "/"});
        assert_eq!(body["data"]["result"][0]["metric"], labels);
        let (_, body) = get(&app, "series?match%5B%5D=twice").await;
        assert_eq!(body["data"], json!([labels]));
        let (_, body) = get(&app, "rules").await;
        let rule = &body["data"]["groups"][0]["rules"][0];
        assert_eq!(
            (&rule["type"], &rule["state"]),
            (&json!("alerting"), &json!("firing"))
        );
        let (_, body) = get(&app, "alerts").await;
        assert_eq!(
            body["data"]["alerts"][0]["labels"]["alertname"],
            "HighErrorRate"
        );
    }
}
