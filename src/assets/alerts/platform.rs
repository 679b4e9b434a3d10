//! Alerts on the whole platform: availability and health.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static PLATFORM: AlertGroup = AlertGroup {
    name: "platform",
    alerts: &[
        Alert {
            name: "ServiceDown",
            severity: "critical",
            hold: "1m",
            expr: "up == 0",
            summary: "{{ $labels.instance }} of {{ $labels.job }} is down",
            description: "Prometheus could not scrape {{ $labels.instance }} of {{ $labels.job }} for a minute.",
            impact: "The instance is down, or its metrics are lost: none of its other alerts can fire.",
            tried: "Supervised tasks are restarted inside the process; nothing in it restarts the process itself.",
            steps: &[
                "See whether the process runs, and the last lines that it wrote.",
                "Ask `/livez` and the path of the metrics from the machine of Prometheus: a refused connection is the process, a timeout the network, 401 the credentials.",
                "Restart the instance if it hangs; roll back if it began with a deployment.",
            ],
            queries: &["up", "process_start_time_seconds"],
            test: &["up 0x60 1x60"],
        },
        Alert {
            name: "HealthDegraded",
            severity: "warning",
            hold: "5m",
            expr: "system_health_score < 80 and system_health_score >= 60",
            summary: "The health score of {{ $labels.instance }} is {{ $value | printf \"%.0f\" }}",
            description: "The health score of {{ $labels.instance }} has been below 80 for five minutes; it is {{ $value | printf \"%.1f\" }} of 100.",
            impact: "Up to a fifth of the traffic is served badly, or the state of the components that carry it is unknown.",
            tried: "The engine works on each open issue as its policy allows.",
            steps: &[
                "Open `/health`: it lists the components that cost points.",
                "Open the page of the service: open issues and what is tried for each.",
                "Acknowledge what waits for approval.",
            ],
            queries: &[
                "system_health_score",
                "system_health_coverage_ratio",
                "healing_issues_open",
            ],
            test: &["system_health_score 70x60 95x60"],
        },
        Alert {
            name: "HealthCritical",
            severity: "critical",
            hold: "2m",
            expr: "system_health_score < 60 and system_health_score >= 30",
            summary: "The health score of {{ $labels.instance }} is {{ $value | printf \"%.0f\" }}",
            description: "The health score of {{ $labels.instance }} has been below 60 for two minutes; it is {{ $value | printf \"%.1f\" }} of 100.",
            impact: "Two fifths of the traffic or more are served badly.",
            tried: "The engine works on each open issue as its policy allows.",
            steps: &[
                "Open `/health`: it lists the components that cost points.",
                "Take the instance out of traffic if others are healthy.",
                "See what healing has given up on, and repair that by hand.",
            ],
            queries: &[
                "system_health_score",
                "healing_components_bad",
                "active_alerts",
            ],
            test: &["system_health_score 45x60 95x60"],
        },
        Alert {
            name: "HealthLow",
            severity: "critical",
            hold: "5m",
            expr: "system_health_score < 30",
            summary: "The health score of {{ $labels.instance }} is {{ $value | printf \"%.0f\" }}",
            description: "The health score of {{ $labels.instance }} has been below 30 for five minutes; it is {{ $value | printf \"%.1f\" }} of 100.",
            impact: "Most of the traffic is served badly.",
            tried: "The engine works on each open issue as its policy allows, and has not healed them.",
            steps: &[
                "Take the instance out of traffic.",
                "Open its page: what was tried, and why it failed.",
                "Restart it, or roll back what changed last.",
            ],
            queries: &[
                "system_health_score",
                "increase(healing_failures_total[1h])",
            ],
            test: &["system_health_score 20x60 95x60"],
        },
        Alert {
            name: "RestartedLately",
            severity: "info",
            hold: "",
            expr: "uptime_seconds < 300",
            summary: "{{ $labels.instance }} was started less than five minutes ago",
            description: "{{ $labels.instance }} of {{ $labels.job }} has been up for {{ $value | humanizeDuration }}.",
            impact: "None by itself: the cause is a deployment or a crash.",
            tried: "The journal is read at the start: open issues are continued.",
            steps: &[
                "Find out whether someone has deployed.",
                "If not, read the last log lines of the previous process, and its exit code.",
            ],
            queries: &[
                "uptime_seconds",
                "changes(process_start_time_seconds[1h])",
                "build_info",
            ],
            test: &["uptime_seconds 10x60 4000x60"],
        },
    ],
};
