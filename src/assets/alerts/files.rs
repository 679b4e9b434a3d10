//! Alerts on guarded files and on the resources that the service uses.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static FILES: AlertGroup = AlertGroup {
    name: "files",
    alerts: &[
        Alert {
            name: "FileCorrupted",
            severity: "warning",
            hold: "2m",
            expr: "rate(file_events_total{event_type=\"corrupted\"}[$w]) > 0",
            summary: "A guarded file of {{ $labels.instance }} is corrupted again and again",
            description: "For two minutes guarded files of {{ $labels.instance }} have become invalid {{ $value | printf \"%.3f\" }} times a second.",
            impact: "None while they are restored; what was written to them is set aside.",
            tried: "Each time the last good content was restored, and the bad content was set aside.",
            steps: &[
                "Find out which program writes the file: the contents set aside show what it wrote.",
                "If the new content is right, correct the check of the guard.",
            ],
            queries: &[
                "sum by (event_type) (increase(file_events_total[1h]))",
                "monitored_paths",
            ],
            test: &[
                "file_events_total{job=\"shop\",instance=\"a\",event_type=\"corrupted\"} 0+1x60 0+0x60",
            ],
        },
        Alert {
            name: "FilesUnwatched",
            severity: "info",
            hold: "10m",
            expr: "files_unwatched_paths > 0",
            summary: "{{ $value | printf \"%.0f\" }} guarded path(s) of {{ $labels.instance }} are not watched",
            description: "For ten minutes the system has not watched {{ $value | printf \"%.0f\" }} guarded path(s) of {{ $labels.instance }}; they are checked periodically.",
            impact: "A fault is found seconds later.",
            tried: "The watch is tried again.",
            steps: &[
                "Raise `fs.inotify.max_user_watches`.",
                "On a network file system there is no watch: leave it.",
            ],
            queries: &["files_unwatched_paths", "monitored_paths"],
            test: &["files_unwatched_paths 2x60 0x60"],
        },
    ],
};

pub(super) static RESOURCES: AlertGroup = AlertGroup {
    name: "resources",
    alerts: &[
        Alert {
            name: "SupplierFails",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, api) (rate(api_calls_total{status=\"error\"}[$w])) / sum by (job, api) (rate(api_calls_total[$w])) > 0.2",
            summary: "{{ $value | humanizePercentage }} of the calls to {{ $labels.api }} fail",
            description: "For five minutes more than a fifth of the calls of {{ $labels.job }} to {{ $labels.api }} have failed; now it is {{ $value | humanizePercentage }}.",
            impact: "Whatever needs {{ $labels.api }} fails or waits.",
            tried: "Where the supplier is guarded, the engine has failed over, or holds calls back.",
            steps: &[
                "See the status page of the supplier.",
                "Fail over by hand if there is another.",
            ],
            queries: &["sum by (api, error_type) (rate(api_errors_total[$w]))"],
            test: &[
                "api_calls_total{job=\"shop\",api=\"pay\",status=\"success\"} 0+10x60 0+10x60",
                "api_calls_total{job=\"shop\",api=\"pay\",status=\"error\"} 0+10x60 0+0x60",
            ],
        },
        Alert {
            name: "StorageFails",
            severity: "critical",
            hold: "5m",
            expr: "sum by (job, backend) (rate(storage_operations_total{status=\"error\"}[$w])) / sum by (job, backend) (rate(storage_operations_total[$w])) > 0.05",
            summary: "{{ $value | humanizePercentage }} of the operations on {{ $labels.backend }} fail",
            description: "For five minutes more than 5 % of the operations of {{ $labels.job }} on {{ $labels.backend }} have failed; now it is {{ $value | humanizePercentage }}.",
            impact: "Data cannot be read or stored.",
            tried: "Where connections are guarded, the engine has renewed the pool.",
            steps: &[
                "See whether the storage is up and has space.",
                "See whether its limit of connections is reached.",
            ],
            queries: &[
                "sum by (backend, operation, status) (rate(storage_operations_total[$w]))",
                "storage_size_bytes",
            ],
            test: &[
                "storage_operations_total{job=\"shop\",operation=\"read\",backend=\"db\",status=\"success\"} 0+10x60 0+10x60",
                "storage_operations_total{job=\"shop\",operation=\"read\",backend=\"db\",status=\"error\"} 0+10x60 0+0x60",
            ],
        },
        Alert {
            name: "PipelineFails",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, pipeline_type) (increase(pipeline_failures_detected_total[15m])) > 3",
            summary: "Pipelines of type {{ $labels.pipeline_type }} fail",
            description: "{{ $value | printf \"%.0f\" }} pipelines of type {{ $labels.pipeline_type }} failed in a quarter of an hour.",
            impact: "Their results are late.",
            tried: "Each failure is healed as its plan says: the third query.",
            steps: &[
                "Look for what they have in common: source, schema, size.",
                "Run one by hand.",
            ],
            queries: &[
                "active_pipelines",
                "sum by (pipeline_type) (increase(pipeline_failures_detected_total[1h]))",
                "sum by (pipeline_type, status) (increase(pipeline_healing_attempts_total[1h]))",
            ],
            test: &[
                "pipeline_failures_detected_total{job=\"shop\",pipeline_type=\"load\"} 0+1x60 0+0x60",
            ],
        },
        Alert {
            name: "TestWatcherStopped",
            severity: "warning",
            hold: "5m",
            expr: "test_watcher_is_running == 0",
            summary: "The test watcher of {{ $labels.instance }} does not run",
            description: "The test watcher of {{ $labels.instance }} has not run for five minutes.",
            impact: "Changes are not tested.",
            tried: "A supervised watcher was restarted as often as its plan allows.",
            steps: &["Read its last error.", "Start it again."],
            queries: &["sum by (error_type) (increase(test_watcher_errors_total[1h]))"],
            test: &["test_watcher_is_running 0x60 1x60"],
        },
        Alert {
            name: "AuditAgentSilent",
            severity: "warning",
            hold: "10m",
            expr: "time() - audit_agent_last_run_timestamp_seconds > 90000",
            summary: "The audit agent of {{ $labels.instance }} has not run for {{ $value | humanizeDuration }}",
            description: "The last run of the audit agent of {{ $labels.instance }} ended {{ $value | humanizeDuration }} ago, more than a day.",
            impact: "Actions are not audited.",
            tried: "Nothing.",
            steps: &["See whether its schedule is on.", "Start a run by hand."],
            queries: &[
                "increase(audit_agent_runs_total[1d])",
                "increase(audit_agent_errors_total[1d])",
            ],
            test: &["audit_agent_last_run_timestamp_seconds -100000x60 1000x60"],
        },
        Alert {
            name: "BridgeTimeouts",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, operation) (rate(async_bridge_timeouts_total[$w])) / sum by (job, operation) (rate(async_bridge_calls_total[$w])) > 0.05",
            summary: "{{ $value | humanizePercentage }} of the calls of {{ $labels.operation }} over the bridge time out",
            description: "For five minutes more than 5 % of the calls of {{ $labels.operation }} from blocking code have taken too long.",
            impact: "Threads wait, and so do their callers.",
            tried: "Nothing.",
            steps: &[
                "See whether the runtime is busy: the alert RuntimeBusy.",
                "See how many calls are under way.",
            ],
            queries: &["async_bridge_pending_tasks", "async_bridge_active_loops"],
            test: &[
                "async_bridge_calls_total{job=\"shop\",operation=\"o\"} 0+10x60 0+10x60",
                "async_bridge_timeouts_total{job=\"shop\",operation=\"o\"} 0+5x60 0+0x60",
            ],
        },
    ],
};
