//! The webhook of an Alertmanager, version 4 of its format: firing and resolved alerts.
//!
//! `POST api/alertmanager` below the page. It always requires [credentials](super::Auth), since an
//! alert makes this process act.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::{HeaderValue, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::answer::answer;
use super::auth::Caller;
use super::endpoints::Endpoints;
use crate::promql::LabelSet;
use crate::rules::{DeliveredAlert, Delivery};
use crate::util::from_rfc_3339;

/// The size limit of a delivery, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The limit of alerts in a delivery.
const MOST: usize = 1_000;

/// The only version of the format.
const VERSION: &str = "4";

/// The routes, with `beside` as the prefix of each path.
pub(super) fn routes(beside: &str) -> Router<Endpoints> {
    Router::new().route(&format!("{beside}api/alertmanager"), post(receive))
}

#[derive(Deserialize)]
struct Message {
    version: String,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: Status,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default)]
    fingerprint: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

/// Parses a delivery.
///
/// # Errors
/// The problem with the delivery.
fn read(body: &[u8]) -> Result<Vec<DeliveredAlert>, String> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|error| format!("this is not a delivery of an Alertmanager: {error}"))?;
    if message.version != VERSION {
        return Err(format!(
            "only version {VERSION} of the webhook is supported, and this is {:?}",
            message.version.chars().take(16).collect::<String>()
        ));
    }
    if message.alerts.len() > MOST {
        return Err(format!(
            "more than {MOST} alerts at once; set `max_alerts` of the receiver"
        ));
    }
    message.alerts.into_iter().map(alert).collect()
}

fn alert(alert: Alert) -> Result<DeliveredAlert, String> {
    let time = |name: &str, text: &str| {
        from_rfc_3339(text)
            .ok_or_else(|| format!("`{name}` must be a time such as 2026-01-31T12:00:00Z"))
    };
    let labels = LabelSet::new(alert.labels);
    let mut delivered = DeliveredAlert::new(
        alert.fingerprint,
        labels,
        time("startsAt", &alert.starts_at)?,
    );
    let annotations = alert.annotations.into_iter();
    delivered.annotations = annotations
        .map(|(name, text)| (Arc::from(name), Arc::from(text)))
        .collect();
    if alert.status == Status::Resolved {
        delivered.ends_at = Some(time("endsAt", &alert.ends_at)?);
    }
    Ok(delivered)
}

async fn receive(State(endpoints): State<Endpoints>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Some(receiver) = &endpoints.receiver else {
        return refuse(StatusCode::NOT_FOUND, "no alerts are accepted here");
    };
    if head.extensions.get::<Caller>().is_none() {
        return refuse(
            StatusCode::FORBIDDEN,
            "alerts are accepted only with credentials: set `server.bearer_token` or \
             `server.basic_auth`, and `http_config` of the receiver",
        );
    }
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the delivery is longer than 1 MiB or incomplete; set `max_alerts` of the receiver",
        );
    };
    let alerts = match read(&body) {
        Ok(alerts) => alerts,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, &why),
    };
    match receiver.receive(alerts) {
        Err(why) => refuse(StatusCode::NOT_FOUND, &why),
        // Makes the Alertmanager deliver it again.
        Ok(became) if became.contains(&Delivery::Refused) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many alerts, or one that is too long",
        ),
        Ok(became) => {
            let count = |wanted| became.iter().filter(|one| **one == wanted).count();
            let counts = Delivery::ALL.map(|one| (one.as_str(), count(one)));
            let counts: BTreeMap<_, _> = counts.into_iter().collect();
            answer(
                StatusCode::OK,
                "application/json",
                json!(counts).to_string(),
            )
        }
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    let mut response = answer(
        status,
        "application/json",
        json!({ "error": why }).to_string(),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let later = HeaderValue::from_static("60");
        response.headers_mut().insert(header::RETRY_AFTER, later);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"version":"4","groupKey":"{}:{}","truncatedAlerts":0,"status":"firing",
        "receiver":"shop","groupLabels":{},"commonLabels":{},"commonAnnotations":{},
        "externalURL":"http://am","alerts":[{"status":"firing","labels":{"alertname":"Down","a":"b"},
        "annotations":{"summary":"it is down"},"startsAt":"2026-01-31T12:00:00.25Z",
        "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p","fingerprint":"c2f5a1"}]}"#;

    #[test]
    fn a_delivery_is_read() {
        let alerts = read(ONE.as_bytes()).unwrap();
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].fingerprint, "c2f5a1");
        assert_eq!(alerts[0].labels.get("alertname"), Some("Down"));
        assert_eq!(alerts[0].starts_at, 1_769_860_800_250);
        assert_eq!(alerts[0].ends_at, None);
        assert_eq!(&*alerts[0].annotations[0].1, "it is down");
        let over = ONE
            .replace("firing", "resolved")
            .replace("0001-01-01", "2026-02-01");
        assert_eq!(
            read(over.as_bytes()).unwrap()[0].ends_at,
            Some(1_769_904_000_000)
        );
    }

    #[test]
    fn what_is_no_delivery_is_refused_with_the_reason() {
        let fails = |text: &str| read(text.as_bytes()).unwrap_err();
        assert!(fails("").contains("not a delivery of an Alertmanager: EOF"));
        assert!(fails(&ONE.replace(r#""4""#, r#""3""#)).contains("version 4 "));
        assert!(fails(&ONE.replace("2026-01-31T", "yesterday ")).contains("`startsAt`"));
        assert!(
            fails(&ONE.replace("firing", "resolved").replace("0001-01", "x")).contains("endsAt")
        );
        assert!(fails(&ONE.replace("firing", "burning")).contains("unknown variant"));
        let alert = r#"{"status":"firing","labels":{},"startsAt":"2026-01-31T12:00:00Z"}"#;
        let many = vec![alert; MOST + 1].join(",");
        let many = format!(r#"{{"version":"4","alerts":[{many}]}}"#);
        assert!(fails(&many).contains("max_alerts"));
    }
}
