use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use selfheal::config::Secret;
use selfheal::healing::{Closed, Context, Issue, Risk};
use serde_json::json;

use super::Served;
use super::support::alertmanager::Alertmanager;
use super::support::eventually;
use super::support::http::Request;

const TOKEN: &str = "open-sesame";
const SOON: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs a real Alertmanager; run tests/all.sh prometheus"]
fn what_a_real_alertmanager_delivers_is_acted_on_once_and_healed_when_it_is_over() {
    let served = Served::start(|mut config| {
        config.server.bearer_token = Some(Secret::new(TOKEN));
        config
    });
    let actions = Arc::new(AtomicU32::new(0));
    let acted = Arc::clone(&actions);
    let received = served.heal.alertmanager().unwrap();
    received
        .on("ZoneDown")
        .component_label("zone")
        .run("drain", move |_: Context, _: Issue| {
            acted.fetch_add(1, SeqCst);
            std::future::ready(Ok(()))
        })
        .plan(|plan| plan.risk(Risk::Reversible).timeout(SOON))
        .install()
        .unwrap();
    let alertmanager = Alertmanager::start(&served.url("/api/alertmanager"), TOKEN);
    let labels = json!({"alertname": "ZoneDown", "zone": "a", "severity": "critical"});
    let annotations = json!({"summary": "zone a does not answer"});
    alertmanager.send(&json!([{"labels": labels, "annotations": annotations}]));
    eventually(SOON, "the action ran", || match actions.load(SeqCst) {
        0 => Err(format!("{:?}\n{}", received.alerts(), alertmanager.text())),
        _ => Ok(()),
    });
    let alert = received.alerts().remove(0);
    assert_eq!(alert.labels.get("zone"), Some("a"));
    assert_eq!(&*alert.annotations[0].1, "zone a does not answer");
    let counted = |result: &str| {
        let page = Request::get(&served.url("/metrics"))
            .header("authorization", &format!("Bearer {TOKEN}"))
            .send()
            .unwrap();
        let name = format!("selfheal_alerts_delivered_total{{result=\"{result}\"}} ");
        let found = page
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(&*name));
        found.map_or(0, |count| count.parse::<u32>().unwrap())
    };
    eventually(SOON, "it is delivered again", || {
        match counted("replayed") {
            0 => Err(alertmanager.text()),
            _ => Ok(()),
        }
    });
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    alertmanager
        .send(&json!([{"labels": labels, "annotations": annotations, "endsAt": rfc_3339(now)}]));
    let healing = served.heal.healing().unwrap();
    eventually(SOON, "the issue is healed", || {
        match healing.snapshot().closed.get(Closed::Healed) {
            1 => Ok(()),
            _ => Err(format!("{:?}\n{}", healing.issues(), alertmanager.text())),
        }
    });
    assert_eq!(actions.load(SeqCst), 1);
    assert_eq!(
        (counted("firing"), counted("resolved"), counted("refused")),
        (1, 1, 0)
    );
    assert!(received.alerts().is_empty());
}

/// A time of today, as text.
fn rfc_3339(seconds: f64) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%S.%NZ", "-d", &format!("@{seconds}")])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
