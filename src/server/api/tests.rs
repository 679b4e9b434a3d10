use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::config::{BasicAuth, Secret};
use crate::health::{Report, score};
use crate::registry::Registry;
use crate::server::{Auth, router};

#[derive(Clone, Default)]
struct Desk(Arc<Mutex<Vec<(Details, String)>>>);

impl Operator for Desk {
    fn explain(&self, component: &str, issue_type: &str) -> Option<String> {
        (component == "db").then(|| format!(r#"{{"key":"{component}/{issue_type}"}}"#))
    }

    fn history(&self, component: Option<&str>, most: usize) -> Vec<String> {
        let texts = (0..most.min(3)).map(|n| format!(r#"{{"n":{n},"of":"{component:?}"}}"#));
        texts
            .map(|text| text.replace("\"Some(\"db\")\"", "\"db\""))
            .collect()
    }

    fn verbs(&self) -> &[&str] {
        &["mute"]
    }

    fn control(&self, verb: &str, details: &Details, by: &str) -> Result<(), NotDone> {
        match verb {
            "mute" => self
                .0
                .lock()
                .unwrap()
                .push((details.clone(), by.to_owned())),
            "kill" => return Err(NotDone::Refused("not today".to_owned())),
            _ => return Err(NotDone::Fault("there is no such verb".to_owned())),
        }
        Ok(())
    }
}

#[cfg(feature = "rules")]
impl crate::server::AlertReceiver for Desk {
    fn receive(
        &self,
        alerts: Vec<crate::rules::DeliveredAlert>,
    ) -> Result<Vec<crate::rules::Delivery>, String> {
        Err(format!("none of {} is taken in", alerts.len()))
    }
}

fn endpoints() -> Endpoints {
    Endpoints::new(Registry::new(), || {
        Report::new(score(None, &[]), Vec::new())
    })
}

fn guarded(desk: &Desk) -> Router {
    let auth = Auth::new().basic(BasicAuth {
        username: "ann".to_owned(),
        password: Secret::new("word"),
    });
    router(endpoints().operator(desk.clone()).control(true).auth(auth))
}

/// `ann:word`.
const ANN: (&str, &str) = ("authorization", "Basic YW5uOndvcmQ=");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test(start_paused = true)]
async fn the_description_and_the_routes_are_the_same() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let endpoints = endpoints().operator(Desk::default());
    #[cfg(feature = "rules")]
    let endpoints = endpoints.receiver(Desk::default());
    let router = router::<()>(endpoints);
    for (path, methods) in paths {
        let filled = path
            .replace("{component}", "db")
            .replace("{issue_type}", "down")
            .replace("{verb}", "pause");
        for (method, described) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let path = format!("/selfheal{filled}");
            let (status, _) = ask(&router, &method, &path, &[], "{}").await;
            let known = described["responses"].as_object().unwrap();
            assert!(
                known.contains_key(status.as_str()),
                "{method} {path}: {status}"
            );
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    // As many as there are routes.
    let sources = [include_str!("mod.rs"), include_str!("../webhook.rs")];
    let count = sources.iter().flat_map(|source| source.matches(".route("));
    assert_eq!(count.count(), paths.len());
}

/// The description has exactly the fields of a report.
#[tokio::test]
async fn the_report_is_as_described() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let router = router::<()>(endpoints());
    let (_, report) = ask(&router, "GET", "/selfheal/api/status", &[], "").await;
    let schemas = &document["components"]["schemas"];
    assert_eq!(keys(&report), keys(&schemas["Report"]["properties"]));
    let note = crate::health::Note::new(std::time::SystemTime::UNIX_EPOCH, "a", "b");
    let note = serde_json::to_value(note).unwrap();
    assert_eq!(keys(&note), keys(&schemas["Note"]["properties"]));
}

#[tokio::test]
async fn what_is_asked_is_answered() {
    let router = router::<()>(endpoints().operator(Desk::default()));
    let get = async |path: &str| ask(&router, "GET", path, &[], "").await;
    let (status, explained) = get("/selfheal/api/explain/db/down").await;
    assert_eq!(
        (status, &explained["key"]),
        (StatusCode::OK, &"db/down".into())
    );
    let (status, none) = get("/selfheal/api/explain/mailer/down").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(none["error"], "there is no open issue with this key");
    let (_, records) = get("/selfheal/api/history?component=db&limit=2").await;
    assert_eq!(records.as_array().unwrap().len(), 2);
    let (status, _) = get("/selfheal/api/history?limit=many").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_order_is_followed_with_credentials_and_token_alone() {
    let desk = Desk::default();
    let router = guarded(&desk);
    let post = async |headers: &[(&str, &str)], verb: &str, body: &str| {
        let path = format!("/selfheal/api/control/{verb}");
        ask(&router, "POST", &path, headers, body).await.0.as_u16()
    };
    let (status, control) = ask(&router, "GET", "/selfheal/api/control", &[ANN], "").await;
    assert_eq!(status, StatusCode::OK);
    let token = ("x-selfheal-token", control["token"].as_str().unwrap());
    let evil = ("origin", "https://evil.example");
    let (host, own) = (("host", "shop"), ("origin", "http://shop"));
    let key = r#"{"key":"db/down"}"#;
    for (headers, verb, body, want) in [
        (&[token, JSON][..], "pause", "{}", 401),
        (&[ANN, JSON], "pause", "{}", 403),
        (&[ANN, JSON, ("x-selfheal-token", "0")], "pause", "{}", 403),
        (&[ANN, JSON, token, host, evil], "pause", "{}", 403),
        (
            &[ANN, JSON, token, ("sec-fetch-site", "cross-site")],
            "pause",
            "{}",
            403,
        ),
        (&[ANN, token], "pause", "{}", 415),
        (&[ANN, JSON, token], "pause", &"x".repeat(5_000), 413),
        (&[ANN, JSON, token], "halt", "{}", 400),
        (&[ANN, JSON, token], "mute", r#"{"kee":"db/down"}"#, 400),
        (&[ANN, JSON, token], "kill", "{}", 409),
    ] {
        assert_eq!(post(headers, verb, body).await, want, "{verb} {headers:?}");
    }
    assert!(desk.0.lock().unwrap().is_empty(), "nothing was followed");
    assert_eq!(post(&[ANN, JSON, token, host, own], "mute", key).await, 200);
    let followed = desk.0.lock().unwrap().clone();
    let details = Details {
        key: "db/down".to_owned(),
        ..Details::default()
    };
    assert_eq!(followed, [(details, "ann".to_owned())]);
    assert_eq!(control["verbs"], serde_json::json!(["mute"]));
}

/// Without credentials, any client could give commands.
#[tokio::test]
async fn without_credentials_no_one_decides() {
    let open = router::<()>(endpoints().operator(Desk::default()).control(true));
    let (_, control) = ask(&open, "GET", "/selfheal/api/control", &[], "").await;
    let token = ("x-selfheal-token", control["token"].as_str().unwrap());
    let path = "/selfheal/api/control/pause";
    let (status, _) = ask(&open, "POST", path, &[JSON, token], "{}").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let off = router::<()>(endpoints().operator(Desk::default()));
    let (status, refused) = ask(&off, "POST", path, &[JSON], "{}").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("server.control")
    );
}
