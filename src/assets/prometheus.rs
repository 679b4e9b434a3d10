//! Generates the configuration of Prometheus.

use std::fmt::Write as _;
use std::time::Duration;

use super::deploy;
use super::plan::Plan;
use crate::config::duration;
use crate::util::quoted;

/// The default scrape timeout of Prometheus, which must not exceed the interval.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The configuration for fixed addresses; `default` is used if none are set.
pub(super) fn config(plan: &Plan<'_>, default: &str) -> String {
    let targets = plan.targets(default);
    let targets: Vec<String> = targets.iter().map(|target| quoted(target)).collect();
    let mut text = head(plan);
    let _ = write!(
        text,
        "scrape_configs:\n- job_name: {}\n{}  static_configs:\n  - targets: [{}]\n",
        plan.service(),
        access(plan),
        targets.join(", ")
    );
    text
}

/// The configuration for a cluster: the application's pods, and the cluster's own jobs.
pub(super) fn in_kubernetes(plan: &Plan<'_>) -> String {
    let mut text = head(plan);
    let service = plan.service();
    let _ = write!(
        text,
        "scrape_configs:\n- job_name: {service}\n{}  kubernetes_sd_configs: [{{role: pod}}]\n  relabel_configs:\n  \
         - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name, __meta_kubernetes_pod_container_port_name]\n    \
         regex: {service};metrics\n    action: keep\n  \
         - {{source_labels: [__meta_kubernetes_namespace], target_label: namespace}}\n  \
         - {{source_labels: [__meta_kubernetes_pod_name], target_label: pod}}\n{}",
        access(plan),
        deploy::fill(plan, deploy::JOBS, "kubernetes")
    );
    text
}

/// The part before the jobs.
fn head(plan: &Plan<'_>) -> String {
    let assets = &plan.config.assets;
    let interval = duration::format(assets.scrape_interval);
    let timeout = duration::format(assets.scrape_interval.min(TIMEOUT));
    let mut text = format!(
        "# How long samples are kept is set by flags: --storage.tsdb.retention.time={}\n\
         global:\n  scrape_interval: {interval}\n  scrape_timeout: {timeout}\n  evaluation_interval: {interval}\n\
         rule_files: [rules/*.yml]\n\
         alerting:\n  alertmanagers:\n  - static_configs:\n    - targets: [{}]\n",
        duration::format(assets.retention),
        quoted(&assets.alertmanager)
    );
    if !assets.remote_write.is_empty() {
        let _ = writeln!(
            text,
            "remote_write:\n- url: {}",
            quoted(&assets.remote_write)
        );
    }
    text
}

/// How the application is scraped: path, TLS and credentials, whose files are in a folder beside
/// the configuration.
fn access(plan: &Plan<'_>) -> String {
    let secrets = "secrets";
    let (assets, server) = (&plan.config.assets, &plan.config.server);
    let mut text = format!("  metrics_path: {}\n", quoted(&plan.config.metrics.path));
    if assets.native_histograms {
        text.push_str("  scrape_native_histograms: true\n");
    }
    if assets.https {
        let _ = write!(
            text,
            "  scheme: https\n  tls_config:\n    ca_file: {secrets}/ca.crt\n    cert_file: {secrets}/client.crt\n    \
             key_file: {secrets}/client.key\n"
        );
    }
    if let Some(basic) = &server.basic_auth {
        let _ = write!(
            text,
            "  basic_auth:\n    username: {}\n    password_file: {secrets}/scrape-password\n",
            quoted(&basic.username)
        );
    } else if server.bearer_token.is_some() {
        let _ = write!(
            text,
            "  authorization:\n    credentials_file: {secrets}/scrape-token\n"
        );
    }
    text
}
