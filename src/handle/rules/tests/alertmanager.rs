//! From a delivery of an Alertmanager to a heal, in tokio's paused time.

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::config::Secret;
use crate::healing::{AlertChange, HistoryFilter, What};

fn heal(token: bool) -> Selfheal {
    let mut config = Config::new();
    if token {
        config.server.bearer_token = Some(Secret::new("open-sesame"));
    }
    Selfheal::new(config).unwrap()
}

fn message(status: &str, start: &str, end: &str) -> Value {
    json!({"version": "4", "groupKey": "{}", "status": status, "receiver": "shop", "alerts": [{
        "status": status, "fingerprint": "0123456789abcdef",
        "labels": {"alertname": "ZoneDown", "zone": "a", "severity": "critical"},
        "annotations": {"summary": "zone a does not answer"},
        "startsAt": start, "endsAt": end,
    }]})
}

async fn deliver(heal: &Selfheal, token: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let app: Router = heal.router();
    let request = Request::post("/selfheal/api/alertmanager")
        .header("authorization", format!("Bearer {token}"))
        .body(body.into())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

const START: &str = "2026-01-31T12:00:00Z";
const NEVER: &str = "0001-01-01T00:00:00Z";

#[tokio::test(start_paused = true)]
async fn a_delivered_alert_is_acted_on_and_healed_when_it_is_delivered_as_over() {
    let heal = heal(true);
    let actions = Arc::new(AtomicU32::new(0));
    let acted = Arc::clone(&actions);
    heal.alertmanager()
        .unwrap()
        .on("ZoneDown{severity=\"critical\"}")
        .component_label("zone")
        .run("drain", move |_: Context, issue: Issue| {
            assert_eq!(issue.key.to_string(), "a/ZoneDown");
            assert_eq!(issue.severity, Severity::Critical);
            acted.fetch_add(1, SeqCst);
            std::future::ready(Ok(()))
        })
        .plan(|plan| plan.risk(Risk::Reversible).settle(Duration::from_secs(1)))
        .install()
        .unwrap();
    let send = async |status: &str, start: &str, end: &str| {
        deliver(
            &heal,
            "open-sesame",
            message(status, start, end).to_string(),
        )
        .await
    };
    let said = |one: &str| {
        let mut all = json!({"firing": 0, "resolved": 0, "replayed": 0, "refused": 0});
        all[one] = json!(1);
        (StatusCode::OK, all)
    };
    assert_eq!(send("firing", START, NEVER).await, said("firing"));
    seconds(2).await;
    assert_eq!(actions.load(SeqCst), 1);
    assert_eq!(send("firing", START, NEVER).await, said("replayed"));
    let healing = heal.healing().unwrap();
    assert_eq!(healing.snapshot().closed.sum(), 0, "it may not be over yet");
    let over = "2026-01-31T12:05:00Z";
    assert_eq!(send("resolved", START, over).await, said("resolved"));
    seconds(10).await;
    assert_eq!(healing.snapshot().closed.get(Closed::Healed), 1);
    // Delivered late, or replayed by someone who recorded it.
    assert_eq!(send("firing", START, NEVER).await, said("replayed"));
    seconds(10).await;
    assert_eq!(actions.load(SeqCst), 1);
    assert!(healing.issues().is_empty());
    let history = healing.history(HistoryFilter::new()).await;
    let opened = |what: &What| matches!(what, What::Opened { .. });
    assert_eq!(history.iter().filter(|one| opened(&one.what)).count(), 1);
    let app: Router = heal.router();
    let request = Request::get("/metrics").header("authorization", "Bearer open-sesame");
    let page = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let page = page.into_body().collect().await.unwrap().to_bytes();
    let page = String::from_utf8_lossy(&page);
    let counted = "selfheal_alerts_delivered_total{result=\"replayed\"} 2";
    assert!(page.contains(counted), "{page}");
}

#[tokio::test(start_paused = true)]
async fn one_without_an_action_is_reported_with_its_summary() {
    let heal = heal(true);
    let received = heal.alertmanager().unwrap();
    let notified = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&notified);
    heal.healing()
        .unwrap()
        .on_alert(move |change: &AlertChange| all.lock().push(change.to_string()));
    deliver(
        &heal,
        "open-sesame",
        message("firing", START, NEVER).to_string(),
    )
    .await;
    seconds(2).await;
    let issues = heal.healing().unwrap().issues();
    assert_eq!(issues[0].issue.key.to_string(), "ZoneDown/ZoneDown");
    assert_eq!(issues[0].phase, Phase::Parked);
    assert_eq!(received.alerts().len(), 1);
    assert_eq!(
        *notified.lock(),
        [
            "raised report_only ZoneDown/ZoneDown: ZoneDown/ZoneDown: zone a does not answer; its \
          plan only reports it; the alert ends with the fault"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_delivery_without_credentials_or_of_another_form_is_refused() {
    let open = heal(false);
    open.alertmanager().unwrap();
    let body = || message("firing", START, NEVER).to_string();
    let (status, said) = deliver(&open, "", body()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        said["error"]
            .as_str()
            .unwrap()
            .contains("server.bearer_token")
    );
    let closed = heal(true);
    assert_eq!(
        deliver(&closed, "open-sesame", body()).await.0,
        StatusCode::NOT_FOUND
    );
    closed.alertmanager().unwrap();
    assert_eq!(
        deliver(&closed, "open-parsley", body()).await.0,
        StatusCode::UNAUTHORIZED
    );
    let (status, _) = deliver(&closed, "open-sesame", "{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let long = vec![b' '; 1024 * 1024 + 1];
    let (status, _) = deliver(&closed, "open-sesame", long).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(closed.healing().unwrap().issues().is_empty());
}
