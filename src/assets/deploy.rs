//! Generates files for Compose and Kubernetes: templates with placeholders, and config maps that
//! contain the other files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plan::Plan;
use crate::config::duration;
use crate::util::quoted;

/// The files, and their templates.
const TEXTS: [(&str, &str); 9] = [
    ("compose/compose.yaml", include_str!("files/compose.yaml")),
    (
        "compose/otel-collector.yml",
        include_str!("files/otel-collector.yml"),
    ),
    (
        "grafana/provisioning/datasources/prometheus.yml",
        include_str!("files/datasource.yml"),
    ),
    (
        "grafana/provisioning/dashboards/selfheal.yml",
        include_str!("files/dashboards.yml"),
    ),
    (
        "kubernetes/base.yaml",
        include_str!("files/kubernetes/base.yaml"),
    ),
    (
        "kubernetes/stack.yaml",
        include_str!("files/kubernetes/stack.yaml"),
    ),
    (
        "kubernetes/operator.yaml",
        include_str!("files/kubernetes/operator.yaml"),
    ),
    ("kubernetes/deploy.sh", include_str!("files/deploy.sh")),
    ("kubernetes/backup.sh", include_str!("files/backup.sh")),
];

/// The jobs of a cluster besides the application's.
pub(super) const JOBS: &str = include_str!("files/kubernetes/jobs.yml");

/// A Kubernetes config map and the folder whose files it contains.
const MAPS: [(&str, &str); 6] = [
    ("prometheus-config", "kubernetes/prometheus.yml"),
    ("prometheus-rules", "prometheus/rules/"),
    ("alertmanager-config", "alertmanager/alertmanager.yml"),
    (
        "grafana-datasources",
        "grafana/provisioning/datasources/prometheus.yml",
    ),
    (
        "grafana-providers",
        "grafana/provisioning/dashboards/selfheal.yml",
    ),
    ("grafana-dashboards", "grafana/dashboards/"),
];

/// The templates with their placeholders filled in.
pub(super) fn texts(plan: &Plan<'_>) -> impl Iterator<Item = (String, String)> {
    TEXTS
        .into_iter()
        .map(|(path, text)| (path.to_owned(), fill(plan, text, path)))
}

/// Fills in the placeholders `@name@` of a template.
pub(super) fn fill(plan: &Plan<'_>, text: &str, path: &str) -> String {
    let (assets, server) = (&plan.config.assets, &plan.config.server);
    let open = server.basic_auth.is_none() && server.bearer_token.is_none();
    let blanks = if path.starts_with("compose") { 6 } else { 12 };
    let flags = [
        ("time", duration::format(assets.retention)),
        ("size", assets.retention_size.clone()),
    ];
    let flags = flags.into_iter().filter(|(_, value)| !value.is_empty());
    let flags: Vec<String> = flags
        .map(|(flag, value)| format!("- --storage.tsdb.retention.{flag}={value}"))
        .collect();
    let retention = block(&flags.join("\n"), blanks);
    [
        ("@service@", plan.service()),
        ("@namespace@", assets.kubernetes_namespace.clone()),
        ("@image@", quoted(&plan.image())),
        ("@port@", plan.port().to_string()),
        ("@path@", quoted(&plan.config.metrics.path)),
        ("@interval@", duration::format(assets.scrape_interval)),
        ("@open@", open.to_string()),
        ("@retention@", retention.trim_end().to_owned()),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (place, value)| {
        text.replace(place, &value)
    })
}

/// The Kubernetes config maps, with the files they contain.
pub(super) fn config_maps(plan: &Plan<'_>, files: &BTreeMap<String, String>) -> String {
    let namespace = &plan.config.assets.kubernetes_namespace;
    let mut text = String::new();
    for (name, folder) in MAPS {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n"
        );
        for (path, held) in files.iter().filter(|(path, _)| path.starts_with(folder)) {
            let file = path.rsplit('/').next().unwrap_or(path);
            let _ = write!(text, "  {file}: |\n{}", block(held, 4));
        }
    }
    text
}

/// All rules as a resource of the Prometheus operator.
pub(super) fn operator_rules(plan: &Plan<'_>, files: &BTreeMap<String, String>) -> String {
    let (service, namespace) = (plan.service(), &plan.config.assets.kubernetes_namespace);
    let mut text = format!(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {service}\n  \
         namespace: {namespace}\nspec:\n  groups:\n"
    );
    let rules = files
        .iter()
        .filter(|(path, _)| path.starts_with("prometheus/rules/"));
    for (_, file) in rules {
        text.push_str(&block(file.strip_prefix("groups:\n").unwrap_or(file), 2));
    }
    text
}

/// A text indented by this many blanks, for a block after `|`.
fn block(text: &str, blanks: usize) -> String {
    let indent = " ".repeat(blanks);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        if !line.is_empty() {
            out.push_str(&indent);
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}
