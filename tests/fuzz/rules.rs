//! What holds for any rule file, any template and any parameters of the query API: shared by the fuzz
//! targets and the tests of every day.

use std::error::Error;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use selfheal::health::{Report, score};
use selfheal::promql::{LabelSet, Queryable, Sample, Selection, Series, Sink};
use selfheal::registry::Registry;
use selfheal::rules::{Evaluator, RuleFile, RuleFileError, RulesOptions};
use selfheal::server::{Endpoints, QuerySource, router};
use tokio::runtime::Runtime;
use tower_service::Service;

/// The longest text that a template may give.
const LONGEST: usize = 1 << 20;

/// Ten minutes of a counter and a gauge.
struct Shop(Vec<Series>);

impl Shop {
    fn new() -> Self {
        let series = |name: &str, path: &str, step: f64| Series {
            labels: LabelSet::new([("__name__", name), ("path", path)]),
            samples: (0..40)
                .map(|tick| Sample {
                    time: tick * 15_000,
                    value: (step * tick as f64).into(),
                })
                .collect(),
        };
        Self(vec![
            series("a_total", "/", 2.0),
            series("a_total", "/x", 0.5),
            series("g", "/", -1.0),
        ])
    }
}

impl Queryable for Shop {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0[..].select(selection, sink)
    }
}

impl QuerySource for Shop {}

fn options() -> RulesOptions {
    let mut options = RulesOptions::default();
    // Any text ends soon.
    options.query.max_samples = 10_000;
    options.query.max_steps = 100;
    options.query.timeout = Duration::from_secs(2);
    options
}

/// Any text is a rule file, whose rules are evaluated to an end, or its faults are in its lines.
pub(crate) fn rule_file(text: &str) {
    match RuleFile::parse("a.yml", text) {
        Ok(file) => {
            let mut evaluator = Evaluator::new(options());
            evaluator.load(&[file], 0);
            for minute in 1..4 {
                evaluator.evaluate_due(minute * 60_000, &Shop::new());
            }
            for group in evaluator.status() {
                assert!(
                    group.evaluated_at.is_some() || group.rules.is_empty(),
                    "{group:?}"
                );
            }
        }
        Err(RuleFileError::Invalid { faults, .. }) => {
            let lines = text
                .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
                .count();
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(
                    !fault.problem.is_empty() && !fault.hint.is_empty(),
                    "{fault}"
                );
                assert!(
                    (1..=lines + 1).contains(&fault.place.line),
                    "{fault} of {lines}"
                );
            }
        }
        Err(error) => panic!("{error}"),
    }
}

/// Any text is a template that gives a text which is not too long, or a fault with its place.
pub(crate) fn template(text: &str) {
    let quoted = serde_json::to_string(text).expect("a text");
    let file = format!(
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: a_total > 1\n    \
         annotations: {{summary: {quoted}}}\n"
    );
    let Ok(file) = RuleFile::parse("a.yml", &file) else {
        return;
    };
    let mut evaluator = Evaluator::new(options());
    evaluator.load(&[file], 0);
    evaluator.evaluate(0, 600_000, &Shop::new());
    let status = evaluator.status();
    let alerts = &status[0].rules[0].alerts;
    assert_eq!(alerts.len(), 2, "{:?}", status[0].rules[0].health);
    for alert in alerts {
        assert!(alert.annotations[0].1.len() <= LONGEST);
    }
}

static API: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let report = || Report::new(score(None, &[]), Vec::new());
    let endpoints = Endpoints::new(Registry::new(), report).queries(Shop::new());
    (runtime, router(endpoints))
});

/// Any parameters have an answer in JSON, by GET and as a form: data, or what is wrong with them.
pub(crate) fn parameters(text: &str) {
    let (runtime, router) = &*API;
    for path in [
        "query",
        "query_range",
        "series",
        "labels",
        "metadata",
        "rules",
        "label/path/values",
    ] {
        let address = format!("/selfheal/api/v1/{path}");
        let get = Request::get(format!("{address}?{text}")).body(Body::empty());
        let form = Request::post(&address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(text.to_owned()));
        // Not every text is valid in an address.
        for request in [get, form].into_iter().flatten() {
            let answer = runtime.block_on(async {
                let answer = router.clone().call(request).await.expect("it cannot fail");
                let status = answer.status();
                let body = to_bytes(answer.into_body(), 1 << 24).await.expect("a body");
                (status, body)
            });
            assert_answered(path, answer.0, &answer.1);
        }
    }
}

fn assert_answered(path: &str, status: StatusCode, body: &[u8]) {
    if status == StatusCode::METHOD_NOT_ALLOWED {
        return;
    }
    let said: serde_json::Value = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{path}, {status}: {error}: {body:?}"));
    let wanted = if status == StatusCode::OK {
        "success"
    } else {
        "error"
    };
    assert_eq!(said["status"], wanted, "{path}, {status}: {said}");
    let known = [200, 400, 413, 422, 503];
    assert!(known.contains(&status.as_u16()), "{path}, {status}: {said}");
}
