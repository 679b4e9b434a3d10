use std::error::Error;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::*;
use crate::health::{Report, score};
use crate::promql::{METRIC_NAME, PointValue, Queryable, Sample, Selection, Series, Sink};
use crate::registry::{Family, Gauge, Registry, Text};
use crate::rules::{Evaluator, GroupStatus, RuleFile, RulesOptions};
use crate::server::router;
use crate::util::Clock;

/// A counter in two zones, every ten seconds, that grows by 1 and 2 per second.
struct Shop(Arc<[GroupStatus]>);

fn shop() -> Vec<Series> {
    let series = |zone: &str, rate: f64| Series {
        labels: LabelSet::new([(METRIC_NAME, "orders_total"), ("zone", zone)]),
        samples: (0..61)
            .map(|n| Sample {
                time: n * 10_000,
                value: PointValue::Float(rate * 10.0 * n as f64),
            })
            .collect(),
    };
    vec![series("a", 1.0), series("b", 2.0)]
}

impl Queryable for Shop {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        shop()[..].select(selection, sink)
    }
}

impl QuerySource for Shop {
    fn groups(&self) -> Arc<[GroupStatus]> {
        Arc::clone(&self.0)
    }
}

fn api_with(groups: Arc<[GroupStatus]>) -> Router {
    let registry = Registry::new();
    registry
        .counter("orders_total", "Orders that came in")
        .build()
        .unwrap();
    let (clock, time) = Clock::manual();
    time.set_wall(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(600));
    let endpoints = Endpoints::new(registry, || Report::new(score(None, &[]), Vec::new()));
    router(
        endpoints
            .clock(clock)
            .page_path("/")
            .unwrap()
            .queries(Shop(groups)),
    )
}

fn api() -> Router {
    api_with(Arc::default())
}

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn get(router: &Router, path: &str) -> (u16, Value) {
    let uri = format!("/api/v1/{path}");
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let (status, value) = ask(router, request).await;
    (status.as_u16(), value)
}

async fn federate(query: &str) -> (u16, String) {
    let request = Request::get(format!("/federate{query}"));
    let request = request.body(Body::empty()).unwrap();
    let answer = api().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn another_prometheus_gets_the_newest_sample_of_what_it_asks_for() {
    let a = "orders_total{zone=\"a\",instance=\"\"} 600 600000\n";
    let b = "orders_total{zone=\"b\",instance=\"\"} 1200 600000\n";
    let head = "# TYPE orders_total untyped\n";
    let one = federate("?match[]=orders_total%7Bzone%3D%22a%22%7D").await;
    assert_eq!(one, (200, format!("{head}{a}")));
    // Each once, even if several selectors match.
    let both = federate("?match[]=%7Bzone%3D~%22.%22%7D&match[]=orders_total").await;
    assert_eq!(both, (200, format!("{head}{a}{b}")));
    assert_eq!(federate("?match[]=none").await, (200, String::new()));
    for wrong in ["", "?match[]=", "?match[]=1%2B1", "?match[]=%7B"] {
        assert_eq!(federate(wrong).await.0, 400, "{wrong}");
    }
}

/// Names with other characters have the same form as in a scrape.
#[tokio::test]
async fn a_federated_name_is_that_of_the_scrape() {
    struct Odd;
    const NAMES: [&str; 3] = ["9.lives", "a.b.c", "ä"];
    impl Queryable for Odd {
        fn select(
            &self,
            selection: &Selection,
            sink: Sink<'_>,
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            let series = NAMES.map(|name| Series {
                labels: LabelSet::new([(METRIC_NAME, name), ("1.of", "y")]),
                samples: vec![Sample {
                    time: 600_000,
                    value: PointValue::Float(1.0),
                }],
            });
            series[..].select(selection, sink)
        }
    }
    impl QuerySource for Odd {}
    let registry = Registry::new();
    for name in NAMES {
        let family = registry.gauge(name, "").utf8_names();
        let family: Family<Gauge, [Text; 1]> = family.labels(["1.of"]).unwrap();
        family.set(&["y"], 1);
    }
    let (clock, time) = Clock::manual();
    time.set_wall(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(600));
    let health = || Report::new(score(None, &[]), Vec::new());
    let endpoints = Endpoints::new(registry, health).clock(clock);
    let router: Router = router(endpoints.queries(Odd));
    let lines = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let ours = |line: &&str| line.contains("=\"y\"");
        let shown = |line: &str| line.split("=\"y\"").next().unwrap().to_owned();
        let mut lines: Vec<String> = text.lines().filter(ours).map(shown).collect();
        lines.sort();
        lines
    };
    let federated = lines("/selfheal/federate?match[]=%7B__name__%3D~%22.%2B%22%7D").await;
    assert_eq!(federated, ["__lives{__of", "_{__of", "a_b_c{__of"]);
    assert_eq!(federated, lines("/metrics").await);
}

#[tokio::test]
async fn an_instant_query_is_answered_as_prometheus_answers() {
    let expected = json!({
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [{ "metric": {}, "value": [600, "3"] }],
        },
    });
    let query = "query?query=sum(rate(orders_total%5B1m%5D))";
    assert_eq!(get(&api(), query).await, (200, expected.clone()));
    // By POST, as Grafana does.
    let request = Request::post("/api/v1/query")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("query=sum(rate(orders_total%5B1m%5D))&time=600"));
    assert_eq!(
        ask(&api(), request.unwrap()).await,
        (StatusCode::OK, expected)
    );
    let (_, scalar) = get(&api(), "query?query=1%2B1&time=12.5").await;
    assert_eq!(
        scalar["data"],
        json!({ "resultType": "scalar", "result": [12.5, "2"] })
    );
    let (_, infinite) = get(&api(), "query?query=-1%2F0").await;
    assert_eq!(infinite["data"]["result"][1], "-Inf");
    let (_, text) = get(&api(), "query?query=%22hi%22").await;
    assert_eq!(
        text["data"],
        json!({ "resultType": "string", "result": [600, "hi"] })
    );
    let (_, few) = get(&api(), "query?query=orders_total&limit=1").await;
    assert_eq!(few["data"]["result"].as_array().unwrap().len(), 1);
    assert_eq!(few["warnings"], json!(["results truncated due to limit"]));
}

#[tokio::test]
async fn a_range_query_is_answered_as_prometheus_answers() {
    let (status, answer) = get(
        &api(),
        "query_range?query=orders_total%7Bzone%3D%22b%22%7D&start=500&end=510.5&step=5s",
    )
    .await;
    let series = json!([{
        "metric": { "__name__": "orders_total", "zone": "b" },
        "values": [[500, "1000"], [505, "1000"], [510, "1020"]],
    }]);
    assert_eq!((status, &answer["data"]["result"]), (200, &series));
    assert_eq!(answer["data"]["resultType"], "matrix");
}

#[tokio::test]
async fn what_there_is_is_listed() {
    let (_, all) = get(&api(), "labels").await;
    assert_eq!(all["data"], json!(["__name__", "zone"]));
    let (_, zones) = get(&api(), "label/zone/values").await;
    assert_eq!(zones["data"], json!(["a", "b"]));
    let (_, some) = get(
        &api(),
        "series?match[]=orders_total%7Bzone%3D~%22b%7Cc%22%7D",
    )
    .await;
    assert_eq!(
        some["data"],
        json!([{ "__name__": "orders_total", "zone": "b" }])
    );
    let (_, known) = get(&api(), "metadata?metric=orders_total").await;
    let about = json!({
        "orders_total": [{ "type": "counter", "help": "Orders that came in", "unit": "" }],
    });
    assert_eq!(known["data"], about);
    let (_, build) = get(&api(), "status/buildinfo").await;
    assert_eq!(build["data"]["application"], "selfheal");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_its_envelope() {
    for (path, status, kind, text) in [
        ("query", 400, "bad_data", "`query` is missing"),
        ("query?query=sum(up", 400, "bad_data", "1:7: parse error"),
        (
            "query?query=1&time=never",
            400,
            "bad_data",
            "`time` is neither",
        ),
        (
            "query?query=1&timeout=soon",
            400,
            "bad_data",
            "`timeout` is not a duration",
        ),
        (
            "query_range?query=1&start=0&end=9",
            400,
            "bad_data",
            "`step`",
        ),
        (
            "query_range?query=1&start=9&end=0&step=1",
            400,
            "bad_data",
            "before",
        ),
        (
            "query_range?query=1&start=0&end=99999999&step=1",
            400,
            "bad_data",
            "longer `step`",
        ),
        (
            "query?query=orders_total%2Bon(x)orders_total",
            422,
            "execution",
            "",
        ),
        ("series", 400, "bad_data", "match[]"),
        ("series?match[]=1%2B1", 400, "bad_data", "selector"),
        ("labels?limit=few", 400, "bad_data", "`limit`"),
    ] {
        let (found, answer) = get(&api(), path).await;
        assert_eq!(
            (found, &answer["errorType"]),
            (status, &json!(kind)),
            "{path}: {answer}"
        );
        assert_eq!(answer["status"], "error");
        assert!(
            answer["error"].as_str().unwrap().contains(text),
            "{path}: {answer}"
        );
    }
}

/// Queries beyond the limit are refused at once, with a time to retry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_queries_is_bounded() {
    struct Blocks(Arc<Semaphore>);
    impl Queryable for Blocks {
        fn select(&self, _: &Selection, _: Sink<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
            let handle = tokio::runtime::Handle::current();
            handle.block_on(self.0.acquire())?.forget();
            Ok(())
        }
    }
    impl QuerySource for Blocks {}
    let gate = Arc::new(Semaphore::new(0));
    let endpoints = Endpoints::new(Registry::new(), || {
        Report::new(score(None, &[]), Vec::new())
    });
    let router: Router = router(
        endpoints
            .page_path("/")
            .unwrap()
            .queries(Blocks(Arc::clone(&gate))),
    );
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let router = router.clone();
        all.spawn(async move {
            let request = http::Request::get("/api/v1/query?query=up");
            let request = request.body(axum::body::Body::empty()).unwrap();
            let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
            let later = response.headers().contains_key("retry-after");
            assert_eq!(later, response.status() == 503);
            response.status()
        });
    }
    let mut refused = 0;
    while refused < 20 {
        assert_eq!(all.join_next().await.unwrap().unwrap(), 503);
        refused += 1;
    }
    gate.add_permits(10);
    while let Some(status) = all.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}

#[tokio::test]
async fn rules_and_alerts_are_listed() {
    let text = "groups:\n- name: shop\n  interval: 30s\n  rules:\n  - record: orders:rate\n    expr: sum(rate(orders_total[1m]))\n  - alert: Busy\n    expr: orders_total > 1000\n    for: 1m\n    labels: {severity: page}\n    annotations: {summary: 'busy in {{ $labels.zone }}'}\n";
    let file = RuleFile::parse(FilePath::new("shop.yml"), text).unwrap();
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[file], 0);
    let source = Shop(Arc::default());
    for time in [540_000, 570_000, 600_000] {
        evaluator.evaluate(0, time, &source);
    }
    let router = api_with(evaluator.status().into());
    let (_, listed) = get(&router, "rules").await;
    let group = &listed["data"]["groups"][0];
    assert_eq!(
        (&group["name"], &group["interval"]),
        (&json!("shop"), &json!(30.0))
    );
    assert_eq!(group["rules"][0]["type"], "recording");
    let alerting = &group["rules"][1];
    assert_eq!(
        (&alerting["state"], &alerting["duration"]),
        (&json!("firing"), &json!(60.0))
    );
    let (_, alerts) = get(&router, "alerts").await;
    let alert = &alerts["data"]["alerts"][0];
    assert_eq!(alert["labels"]["zone"], "b");
    assert_eq!(alert["annotations"]["summary"], "busy in b");
    assert_eq!(alert["activeAt"], "1970-01-01T00:09:00.000Z");
}
