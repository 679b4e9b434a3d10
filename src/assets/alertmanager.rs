//! Generates the Alertmanager's configuration: which receiver gets which alerts.

use std::fmt::Write as _;

use super::plan::Plan;
use crate::util::quoted;

/// The folder of the files with secrets.
const SECRETS: &str = "/etc/alertmanager/secrets";

/// A receiver and its alerts.
struct Route {
    receiver: &'static str,
    matcher: String,
    /// Its integration, a block below its name.
    integration: String,
}

/// Generates the routes by severity; an alert goes to every receiver that matches.
pub(super) fn config(plan: &Plan<'_>) -> String {
    let assets = &plan.config.assets;
    let mut text = String::from("global:\n  resolve_timeout: 5m\n");
    if !assets.email.is_empty() {
        let _ = write!(
            text,
            "  smtp_smarthost: {}\n  smtp_from: {}\n  smtp_auth_username: {}\n  \
             smtp_auth_password_file: {SECRETS}/smtp-password\n",
            quoted(&assets.smarthost),
            quoted(&assets.email),
            quoted(&assets.email)
        );
    }
    text.push_str(
        "route:\n  receiver: none\n  group_by: [alertname, job]\n  group_wait: 10s\n  group_interval: 10s\n  \
         repeat_interval: 1h\n",
    );
    let routes = routes(plan);
    if !routes.is_empty() {
        text.push_str("  routes:\n");
    }
    for route in &routes {
        let (receiver, matcher) = (route.receiver, quoted(&route.matcher));
        let _ = write!(
            text,
            "  - receiver: {receiver}\n    matchers: [{matcher}]\n    continue: true\n"
        );
    }
    text.push_str("receivers:\n- name: none\n");
    for route in &routes {
        let _ = write!(text, "- name: {}\n{}", route.receiver, route.integration);
    }
    text.push_str(INHIBITED);
    text
}

/// If an instance is down, its other alerts are inhibited; a page of an objective inhibits its
/// tickets.
const INHIBITED: &str = "inhibit_rules:
- source_matchers: ['alertname=\"ServiceDown\"']
  target_matchers: ['alertname!=\"ServiceDown\"']
  equal: [job, instance]
- source_matchers: ['alertname=\"SloBudgetBurn\"', 'severity=\"page\"']
  target_matchers: ['alertname=\"SloBudgetBurn\"', 'severity=\"ticket\"']
  equal: [slo]
- source_matchers: ['alertname=\"HealingStorm\"']
  target_matchers: ['alertname=~\"HealingActionFailed|HealingTooOften|HealingFailuresHigh\"']
  equal: [job, instance]
";

fn routes(plan: &Plan<'_>) -> Vec<Route> {
    let assets = &plan.config.assets;
    let mut routes = Vec::new();
    let mut add = |is_on: bool, receiver: &'static str, severities: &str, integration: String| {
        if is_on {
            routes.push(Route {
                receiver,
                matcher: format!("severity=~\"{severities}\""),
                integration,
            });
        }
    };
    let url = quoted(&assets.webhook);
    add(
        !assets.webhook.is_empty(),
        "application",
        "critical|warning|info",
        format!(
            "  webhook_configs:\n  - url: {url}\n    send_resolved: true\n    max_alerts: 100\n{}",
            credentials(plan)
        ),
    );
    add(
        assets.pagerduty,
        "pagerduty",
        "critical|page",
        format!(
            "  pagerduty_configs:\n  - routing_key_file: {SECRETS}/pagerduty-key\n    send_resolved: true\n"
        ),
    );
    let (channel, email) = (quoted(&assets.slack), quoted(&assets.email));
    add(
        !assets.slack.is_empty(),
        "slack",
        "critical|page|warning|ticket",
        format!(
            "  slack_configs:\n  - api_url_file: {SECRETS}/slack-url\n    channel: {channel}\n    \
             send_resolved: true\n{SLACK}"
        ),
    );
    add(
        !assets.email.is_empty(),
        "email",
        "critical|page|warning|ticket|info",
        format!("  email_configs:\n  - to: {email}\n    send_resolved: true\n"),
    );
    if !assets.webhook_alerts.is_empty()
        && let Some(route) = routes
            .iter_mut()
            .find(|route| route.receiver == "application")
    {
        route.matcher = format!("alertname=~\"{}\"", assets.webhook_alerts.join("|"));
    }
    routes
}

/// Texts in the Alertmanager's template language.
const SLACK: &str = r#"    title: '{{ .CommonLabels.alertname }} ({{ .Status }})'
    text: '{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }}{{ "\n" }}{{ end }}'
"#;

/// The credentials of the application's own listener.
fn credentials(plan: &Plan<'_>) -> String {
    let server = &plan.config.server;
    if let Some(basic) = &server.basic_auth {
        let name = quoted(&basic.username);
        format!(
            "    http_config:\n      basic_auth:\n        username: {name}\n        \
             password_file: {SECRETS}/webhook-password\n"
        )
    } else if server.bearer_token.is_some() {
        format!(
            "    http_config:\n      authorization:\n        credentials_file: {SECRETS}/webhook-token\n"
        )
    } else {
        String::new()
    }
}
