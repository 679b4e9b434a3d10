//! Lists the loaded rules and their alerts, as Prometheus does.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::fault::{Fault, success};
use super::render;
use super::source::Queries;
use crate::rules::{AlertState, FileRule, GroupStatus, RuleAlert, RuleHealth, RuleStatus};
use crate::server::endpoints::Endpoints;
use crate::util::civil;

pub(super) async fn rules(State(endpoints): State<Endpoints>) -> Result<Response, Fault> {
    let groups = Queries::of(endpoints.queries.as_ref())?.source.groups();
    let groups: Vec<_> = groups.iter().map(group).collect();
    Ok(success(json!({ "groups": groups })))
}

pub(super) async fn alerts(State(endpoints): State<Endpoints>) -> Result<Response, Fault> {
    let groups = Queries::of(endpoints.queries.as_ref())?.source.groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts: Vec<_> = rules.flat_map(active).collect();
    Ok(success(json!({ "alerts": alerts })))
}

fn group(group: &GroupStatus) -> Value {
    let rules = group.group.rules.iter().zip(&group.rules);
    json!({
        "name": &*group.group.name,
        "file": group.file.display().to_string(),
        "interval": group.interval.as_secs_f64(),
        "limit": group.group.limit,
        "rules": rules.map(|(rule, status)| one(rule, status)).collect::<Vec<_>>(),
        "evaluationTime": group.took.as_secs_f64(),
        "lastEvaluation": time(group.evaluated_at),
    })
}

fn one(rule: &FileRule, status: &RuleStatus) -> Value {
    let (health, error) = match &status.health {
        RuleHealth::Ok => ("ok", ""),
        RuleHealth::Failed(why) => ("err", &**why),
        _ => ("unknown", ""),
    };
    let texts = |pairs: &[(std::sync::Arc<str>, crate::rules::Template)]| {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, text)| (name.to_string(), json!(text.as_str())));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    let mut whole = json!({
        "name": &*rule.name,
        "query": rule.expr.text(),
        "labels": texts(&rule.labels),
        "health": health,
        "evaluationTime": status.took.as_secs_f64(),
        "lastEvaluation": time(status.evaluated_at),
        "type": if rule.alerting.is_some() { "alerting" } else { "recording" },
    });
    if !error.is_empty() {
        whole["lastError"] = error.into();
    }
    if let Some(alerting) = &rule.alerting {
        let alerts: Vec<_> = active(status).collect();
        let worst = status.alerts.iter().map(|alert| alert.state).max();
        whole["state"] = worst.map_or("inactive", AlertState::as_str).into();
        whole["duration"] = alerting.hold.as_secs_f64().into();
        whole["keepFiringFor"] = alerting.keep_firing_for.as_secs_f64().into();
        whole["annotations"] = texts(&alerting.annotations);
        whole["alerts"] = alerts.into();
    }
    whole
}

fn active(status: &RuleStatus) -> impl Iterator<Item = Value> {
    let alerts = status.alerts.iter();
    let active = alerts.filter(|alert| alert.state != AlertState::Resolved);
    active.map(alert)
}

fn alert(alert: &RuleAlert) -> Value {
    let annotations = alert.annotations.iter();
    let annotations = annotations.map(|(name, value)| (name.to_string(), json!(&**value)));
    json!({
        "labels": render::labels(&alert.labels),
        "annotations": Value::Object(annotations.collect()),
        "state": alert.state.as_str(),
        "activeAt": time(Some(alert.active_at)),
        "value": render::number(alert.value),
    })
}

/// A time in RFC 3339 format; year 1 for none, as in Prometheus.
fn time(millis: Option<i64>) -> String {
    let Some(millis) = millis else {
        return "0001-01-01T00:00:00Z".to_owned();
    };
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_written_as_of_rfc_3339() {
        assert_eq!(time(Some(1_435_781_430_781)), "2015-07-01T20:10:30.781Z");
        assert_eq!(time(Some(1_709_166_600_000)), "2024-02-29T00:30:00.000Z");
        assert_eq!(time(Some(-1)), "1969-12-31T23:59:59.999Z");
    }
}
