//! Generates Grafana dashboards.

use serde_json::{Value, json};

use super::names::Scope;
use super::plan::Plan;
use super::table::{Dashboard, Panel, Shape};
use crate::catalog::{Kind, MetricDef, Unit};

/// The variables that filter every expression of a dashboard.
const VARIABLES: [&str; 3] = ["job", "instance", "namespace"];

/// A dashboard as JSON; `None` if no panel has its metrics here.
pub(super) fn dashboard(plan: &mut Plan<'_>, dashboard: &Dashboard<'_>) -> Option<String> {
    let matchers = matchers(plan);
    let scope = Scope {
        window: "$__rate_interval",
        matchers: &matchers,
    };
    let mut place = Place::default();
    let mut panels = Vec::new();
    for panel in dashboard.panels {
        let mut targets = Vec::new();
        for query in panel.queries.iter().flatten() {
            match plan.names.resolve(&query.expr(), scope) {
                Ok(expr) => targets.push(target(targets.len(), &expr, query.legend)),
                Err(why) => {
                    let what = format!("panel {} of {}", panel.title, dashboard.title);
                    plan.left_out(&what, &why);
                }
            }
        }
        let is_row = matches!(panel.shape, Shape::Row);
        if is_row || !targets.is_empty() {
            let link = (!panel.alert.is_empty()).then(|| plan.link(panel.alert));
            panels.push(drawn(
                panel,
                &targets,
                &place.next(panel.shape),
                panels.len() + 1,
                link,
            ));
        }
    }
    let has_data = panels.iter().any(|panel| panel["type"] != "row");
    let mut marks = Vec::new();
    for (name, expr) in dashboard.marks {
        match plan.names.resolve(
            expr,
            Scope {
                window: "1m",
                ..scope
            },
        ) {
            Ok(expr) => marks.push(mark(name, &expr)),
            Err(why) => {
                let what = format!("annotation {name} of {}", dashboard.title);
                plan.left_out(&what, &why);
            }
        }
    }
    has_data.then(|| whole(plan, (dashboard.uid, dashboard.title), &panels, &marks))
}

/// A dashboard of a group declared by the application: a panel per metric.
pub(super) fn of_group(
    plan: &mut Plan<'_>,
    uid: &str,
    group: &str,
    defs: &[MetricDef],
) -> Option<String> {
    let legends: Vec<String> = defs.iter().map(legend).collect();
    let panels = defs.iter().zip(&legends);
    let panels: Vec<Panel<'_>> = panels.map(|(def, legend)| panel(def, legend)).collect();
    let of = Dashboard {
        uid,
        title: group,
        marks: &[],
        panels: &panels,
    };
    dashboard(plan, &of)
}

const UNUSED: &str = "A metric that was never recorded has no series.";

/// The legend of a metric: all its labels.
fn legend(def: &MetricDef) -> String {
    let labels = def.labels.iter().map(|label| format!("{{{{{label}}}}}"));
    labels.collect::<Vec<_>>().join(" ")
}

/// The panel of a metric.
fn panel<'t>(def: &'t MetricDef, legend: &'t str) -> Panel<'t> {
    let panel = Panel::lines(&def.help, unit(def)).empty(UNUSED);
    match def.kind {
        Kind::Counter => panel.rate(&def.name, legend),
        Kind::Histogram => panel.quantile(0.95, &def.name, legend),
        _ => panel.query(&def.name, legend),
    }
}

fn unit(def: &MetricDef) -> &'static str {
    match def.unit {
        _ if def.kind == Kind::Counter => "cps",
        Some(Unit::SECONDS) => "s",
        Some(Unit::BYTES) => "bytes",
        Some(Unit::RATIO) => "percentunit",
        Some(Unit::PERCENT) => "percent",
        Some(Unit::USD) => "currencyUSD",
        _ => "none",
    }
}

/// The matchers of the variables and of the global labels.
fn matchers(plan: &Plan<'_>) -> String {
    let own = plan.config.global_labels.keys().map(String::as_str);
    let matchers = VARIABLES
        .into_iter()
        .chain(own)
        .map(|name| format!("{name}=~\"${name}\""));
    matchers.collect::<Vec<_>>().join(",")
}

fn whole(plan: &Plan<'_>, (uid, title): (&str, &str), panels: &[Value], marks: &[Value]) -> String {
    let service = plan.service();
    let own = plan.config.global_labels.keys().map(String::as_str);
    let mut variables = vec![json!({
        "name": "datasource", "label": "data source", "type": "datasource", "query": "prometheus",
    })];
    variables.extend(VARIABLES.into_iter().chain(own).map(variable));
    let value = json!({
        "uid": format!("{service}-{uid}"),
        "title": format!("{service}: {title}"),
        "tags": ["selfheal", service],
        "editable": false,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "templating": {"list": variables},
        "annotations": {"list": marks},
        "links": [{
            "title": "Dashboards", "type": "dashboards", "tags": ["selfheal", service], "asDropdown": true,
            "includeVars": true, "keepTime": true, "targetBlank": false, "icon": "external link",
            "tooltip": "", "url": "",
        }],
        "panels": panels,
    });
    // Values of this form always serialize.
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

fn variable(name: &str) -> Value {
    json!({
        "name": name,
        "label": name,
        "type": "query",
        "datasource": source(),
        "query": {"query": format!("label_values({name})"), "refId": name},
        "refresh": 2,
        "includeAll": true,
        "multi": true,
        "allValue": ".*",
        "current": {"selected": true, "text": "All", "value": "$__all"},
    })
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn target(at: usize, expr: &str, legend: &str) -> Value {
    let letter = char::from(b'A' + u8::try_from(at.min(25)).unwrap_or(25));
    json!({
        "refId": letter.to_string(),
        "datasource": source(),
        "expr": expr,
        "legendFormat": if legend.is_empty() { "__auto" } else { legend },
    })
}

fn mark(name: &str, expr: &str) -> Value {
    json!({
        "name": name,
        "datasource": source(),
        "enable": true,
        "hide": false,
        "iconColor": "green",
        "target": {"expr": expr, "refId": name},
    })
}

fn drawn(
    panel: &Panel<'_>,
    targets: &[Value],
    place: &Value,
    id: usize,
    link: Option<String>,
) -> Value {
    let kind = match panel.shape {
        Shape::Row => {
            return json!({
                "id": id, "type": "row", "title": panel.title, "gridPos": place, "collapsed": false, "panels": [],
            });
        }
        Shape::Stat => "stat",
        Shape::Gauge => "gauge",
        Shape::Lines => "timeseries",
        Shape::Table => "table",
    };
    let steps = panel.steps.iter().enumerate().map(|(at, (from, color))| {
        // The first step has no lower bound.
        json!({"value": (at > 0).then_some(from), "color": color})
    });
    let steps: Vec<Value> = steps.collect();
    let mut defaults = json!({"unit": panel.unit});
    if !steps.is_empty() {
        defaults["thresholds"] = json!({"mode": "absolute", "steps": steps});
        defaults["color"] = json!({"mode": "thresholds"});
    }
    if matches!(panel.shape, Shape::Gauge) {
        defaults["min"] = json!(0);
        defaults["max"] = json!(if panel.unit == "percentunit" { 1 } else { 100 });
    }
    let targets: Vec<Value> = match panel.shape {
        Shape::Lines => targets.to_vec(),
        _ => targets.iter().cloned().map(newest).collect(),
    };
    let links = link.map(|url| {
        json!({
            "title": "Runbook", "type": "link", "url": url, "targetBlank": true, "tags": [], "asDropdown": false,
            "includeVars": false, "keepTime": false, "icon": "external link", "tooltip": "",
        })
    });
    json!({
        "id": id,
        "type": kind,
        "title": panel.title,
        "description": panel.empty,
        "gridPos": place,
        "datasource": source(),
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {},
        "links": links.into_iter().collect::<Vec<_>>(),
    })
}

/// Makes a query instant.
fn newest(mut target: Value) -> Value {
    target["instant"] = json!(true);
    target["range"] = json!(false);
    target
}

/// The position of the next panel: rows of width 24, filled from the left.
#[derive(Default)]
struct Place {
    x: usize,
    y: usize,
    /// The height of the row.
    tall: usize,
}

impl Place {
    fn next(&mut self, shape: Shape) -> Value {
        let (w, h) = match shape {
            Shape::Row => (24, 1),
            Shape::Stat | Shape::Gauge => (4, 5),
            Shape::Lines | Shape::Table => (12, 8),
        };
        if self.x + w > 24 {
            (self.x, self.y, self.tall) = (0, self.y + self.tall, 0);
        }
        let at = json!({"x": self.x, "y": self.y, "w": w, "h": h});
        (self.x, self.tall) = (self.x + w, self.tall.max(h));
        at
    }
}
