//! Alerts on the healing engine itself: whether it heals, and whether it can.

use crate::assets::table::{Alert, AlertGroup, Input};

const FAILURES: &str =
    "healing_failures_total{job=\"shop\",instance=\"a\",issue_type=\"t\",action=\"restart\"}";
const ATTEMPTS: &str =
    "healing_attempts_total{job=\"shop\",instance=\"a\",issue_type=\"t\",action=\"restart\"}";

const PAGE: &[&str] = &[
    "Open the page of the service: the issue, each attempt, and why it failed.",
    "Repair by hand what the action could not; acknowledge the issue.",
    "Correct the action or its plan, or mute the component until that is done.",
];

pub(super) static HEALING: AlertGroup = AlertGroup {
    name: "healing",
    alerts: &[
        Alert {
            name: "HealingActionFailed",
            severity: "critical",
            hold: "",
            expr: "sum by (job, instance, action) (increase(healing_failures_total[5m])) > 0 or sum by (job, instance, action) (increase(own_healing_failures_total[5m])) > 0",
            summary: "The action {{ $labels.action }} failed on {{ $labels.instance }}",
            description: "The action {{ $labels.action }} failed on {{ $labels.instance }} {{ $value | printf \"%.0f\" }} times in five minutes.",
            impact: "The fault that it was meant to heal is still there.",
            tried: "The action is tried again with backoff as its plan allows, then the next step of the plan.",
            steps: PAGE,
            queries: &[
                "sum by (action, issue_type) (increase(healing_failures_total[1h]))",
                "sum by (action, issue_type) (increase(healing_success_total[1h]))",
            ],
            test: &[Input(FAILURES, "0+1x60", "0+0x60")],
        },
        Alert {
            name: "HealingFailuresHigh",
            severity: "warning",
            hold: "10m",
            expr: "sum by (job, instance) (rate(healing_failures_total[$w])) > 0.5",
            summary: "Healing fails on {{ $labels.instance }} {{ $value | printf \"%.1f\" }} times a second",
            description: "For ten minutes, attempts to heal have failed on {{ $labels.instance }} more than once in two seconds; now it is {{ $value | printf \"%.2f\" }} a second.",
            impact: "Little is healed, and the attempts cost time.",
            tried: "Budgets and backoff slow each component down, but many components are affected.",
            steps: PAGE,
            queries: &["topk(10, sum by (action, issue_type) (rate(healing_failures_total[$w])))"],
            test: &[Input(FAILURES, "0+60x60", "0+6x60")],
        },
        Alert {
            name: "HealingTooOften",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, instance) (rate(healing_attempts_total[10m])) > 1",
            summary: "{{ $labels.instance }} heals {{ $value | printf \"%.1f\" }} times a second",
            description: "For five minutes {{ $labels.instance }} has started more than one attempt to heal a second; now it is {{ $value | printf \"%.2f\" }}.",
            impact: "Something breaks again and again, and is unavailable each time.",
            tried: "Flap damping stops healing a fault that returns too often.",
            steps: PAGE,
            queries: &[
                "topk(10, sum by (component, issue_type) (increase(healing_issues_detected_total[1h])))",
            ],
            test: &[Input(ATTEMPTS, "0+120x60", "0+6x60")],
        },
        Alert {
            name: "HealingStuck",
            severity: "critical",
            hold: "",
            expr: "sum by (job, instance) (increase(healing_duration_seconds_count[10m])) - sum by (job, instance) (increase(healing_duration_seconds_bucket{le=~\"300([.]0)?\"}[10m])) > 0 or sum by (job, instance) (healing_zombies) > 0",
            summary: "An action takes over five minutes on {{ $labels.instance }}",
            description: "An action on {{ $labels.instance }} took over five minutes, or was given up and has not ended.",
            impact: "Its component is locked: no other action runs there.",
            tried: "The action was cancelled at its time limit. An action that blocks its thread cannot be stopped.",
            steps: &[
                "Open the page: which action runs, and since when.",
                "Find out what it waits for. If its thread is blocked, only a restart of the process ends it.",
                "Give the action a time limit of its own, and let it wait without blocking.",
            ],
            queries: &["healing_zombies", "healing_attempts_running"],
            test: &[Input(
                "healing_zombies{job=\"shop\",instance=\"a\"}",
                "1x60",
                "0x60",
            )],
        },
        Alert {
            name: "HealingGaveUp",
            severity: "critical",
            hold: "1m",
            expr: "sum by (job, instance, severity) (active_alerts{severity=~\"error|critical\"}) > 0",
            summary: "Healing has given up on {{ $value | printf \"%.0f\" }} fault(s) of {{ $labels.instance }}",
            description: "{{ $labels.instance }} has {{ $value | printf \"%.0f\" }} alert(s) of its own of severity {{ $labels.severity }}: all steps of the plan were tried, or none is allowed.",
            impact: "These components do not work until a person repairs them.",
            tried: "Everything that the plan has.",
            steps: PAGE,
            queries: &["active_alerts", "healing_issues_open"],
            test: &[Input(
                "active_alerts{job=\"shop\",instance=\"a\",severity=\"critical\"}",
                "1x60",
                "0x60",
            )],
        },
        Alert {
            name: "HealingStopped",
            severity: "warning",
            hold: "15m",
            expr: "max by (job, instance) (healing_paused) == 1 or max by (job, instance) (healing_killed) == 1",
            summary: "Healing is stopped on {{ $labels.instance }}",
            description: "For a quarter of an hour the engine of {{ $labels.instance }} has been paused, or its kill switch has been on.",
            impact: "Faults are found and not healed.",
            tried: "A person stopped it.",
            steps: &[
                "Find out who did it and why: the journal has the command.",
                "Resume as soon as that reason is gone.",
            ],
            queries: &["healing_paused", "healing_killed", "healing_queue_size"],
            test: &[Input(
                "healing_paused{job=\"shop\",instance=\"a\"}",
                "1x60",
                "0x60",
            )],
        },
        Alert {
            name: "HealingStorm",
            severity: "critical",
            hold: "1m",
            expr: "max by (job, instance) (healing_storm) == 1",
            summary: "Too much is broken on {{ $labels.instance }} to heal it",
            description: "So large a share of the components of {{ $labels.instance }} is bad that the engine starts nothing: the cause is likely outside of them.",
            impact: "Much of the service is down.",
            tried: "Nothing, on purpose: healing everything at once would make it worse.",
            steps: &[
                "Look for one cause: the network, the disk, a supplier, a deployment.",
                "Repair that; the engine goes on by itself, slowly at first.",
            ],
            queries: &["healing_components_bad", "healing_components_known"],
            test: &[Input(
                "healing_storm{job=\"shop\",instance=\"a\"}",
                "1x60",
                "0x60",
            )],
        },
        Alert {
            name: "JournalBroken",
            severity: "warning",
            hold: "5m",
            expr: "min by (job, instance) (healing_journal_healthy) == 0",
            summary: "The journal of {{ $labels.instance }} cannot be written",
            description: "For five minutes the engine of {{ $labels.instance }} could not write its journal.",
            impact: "A restart loses its state: budgets start again, open issues are lost.",
            tried: "Each write is tried again.",
            steps: &[
                "See whether the disk is full or mounted read-only.",
                "Check the owner and the permissions of `journal.path`.",
            ],
            queries: &["healing_journal_healthy", "system_disk_percent"],
            test: &[Input(
                "healing_journal_healthy{job=\"shop\",instance=\"a\"}",
                "0x60",
                "1x60",
            )],
        },
    ],
};
