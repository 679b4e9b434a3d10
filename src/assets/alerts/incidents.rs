//! Alerts on incidents, playbooks and notifications.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static INCIDENTS: AlertGroup = AlertGroup {
    name: "incidents",
    alerts: &[
        Alert {
            name: "CriticalIncident",
            severity: "critical",
            hold: "",
            expr: "sum by (job) (incidents_active{severity=\"critical\"}) > 0",
            summary: "{{ $value | printf \"%.0f\" }} critical incident(s) in {{ $labels.job }}",
            description: "{{ $labels.job }} works on {{ $value | printf \"%.0f\" }} critical incident(s).",
            impact: "See the incident.",
            tried: "Its playbooks run.",
            steps: &[
                "Open the incident.",
                "See which playbook runs, and whether it succeeds.",
            ],
            queries: &["incidents_active", "playbooks_active"],
            test: &["incidents_active{job=\"shop\",severity=\"critical\"} 1x60 0x60"],
        },
        Alert {
            name: "IncidentsPileUp",
            severity: "warning",
            hold: "10m",
            expr: "sum by (job) (incidents_active) > 20",
            summary: "{{ $value | printf \"%.0f\" }} incidents are open in {{ $labels.job }}",
            description: "More than 20 incidents have been open in {{ $labels.job }} for ten minutes; now it is {{ $value | printf \"%.0f\" }}.",
            impact: "New ones wait.",
            tried: "Reports of the same incident are merged.",
            steps: &["Look for one cause of many.", "Close those that are over."],
            queries: &[
                "sum by (severity) (incidents_active)",
                "increase(incidents_deduplicated_total[1h])",
            ],
            test: &["incidents_active{job=\"shop\",severity=\"warning\"} 30x60 3x60"],
        },
        Alert {
            name: "PlaybookFails",
            severity: "warning",
            hold: "",
            expr: "sum by (job, playbook) (increase(playbook_executions_total{status=\"error\"}[15m])) > 0",
            summary: "The playbook {{ $labels.playbook }} fails",
            description: "The playbook {{ $labels.playbook }} of {{ $labels.job }} failed {{ $value | printf \"%.0f\" }} times in a quarter of an hour.",
            impact: "It does not solve its incidents.",
            tried: "The playbook itself.",
            steps: &["Read its last run.", "Do its steps by hand."],
            queries: &["sum by (playbook, status) (increase(playbook_executions_total[1d]))"],
            test: &[
                "playbook_executions_total{job=\"shop\",playbook=\"p\",status=\"error\"} 0+1x60 0+0x60",
            ],
        },
        Alert {
            name: "NotificationsFail",
            severity: "critical",
            hold: "5m",
            expr: "sum by (job, channel) (rate(notifications_total{status=\"error\"}[$w])) / sum by (job, channel) (rate(notifications_total[$w])) > 0.1",
            summary: "{{ $value | humanizePercentage }} of the notifications by {{ $labels.channel }} are lost",
            description: "For five minutes more than 10 % of the notifications of {{ $labels.job }} by {{ $labels.channel }} have failed; now it is {{ $value | humanizePercentage }}.",
            impact: "People are not notified of incidents.",
            tried: "The sender retries each delivery.",
            steps: &[
                "See whether the channel is up, and its credentials are valid.",
                "Notify by another channel.",
            ],
            queries: &[
                "notification_queue_size",
                "sum by (channel, status) (increase(notifications_total[1h]))",
            ],
            test: &[
                "notifications_total{job=\"shop\",channel=\"mail\",status=\"success\"} 0+10x60 0+10x60",
                "notifications_total{job=\"shop\",channel=\"mail\",status=\"error\"} 0+10x60 0+0x60",
            ],
        },
    ],
};
