//! Dashboards of the catalogue's work groups: incidents, pipelines, a test watcher, an audit agent,
//! calls to other services.

use crate::assets::table::{Dashboard, Panel};

pub(super) static INCIDENTS: Dashboard<'static> = Dashboard {
    uid: "incidents",
    title: "Incidents and playbooks",
    marks: &[],
    panels: &[
        Panel::stat("Open", "none", &[("sum(incidents_active)", "")]).alert("IncidentsPileUp"),
        Panel::stat(
            "Critical",
            "none",
            &[("sum(incidents_active{severity=\"critical\"})", "")],
        )
        .alert("CriticalIncident"),
        Panel::stat(
            "Deduplicated and correlated, last hour",
            "none",
            &[(
                "sum(increase(incidents_deduplicated_total[1h])) + sum(increase(incidents_correlated_total[1h]))",
                "",
            )],
        ),
        Panel::stat(
            "Escalated, last hour",
            "none",
            &[("sum(increase(incidents_escalated_total[1h]))", "")],
        ),
        Panel::lines(
            "Open, by severity",
            "none",
            &[("sum by (severity) (incidents_active)", "{{severity}}")],
        ),
        Panel::lines(
            "Incidents",
            "none",
            &[(
                "sum by (severity, status) (increase(incidents_total[1h]))",
                "{{severity}} {{status}}",
            )],
        ),
        Panel::lines(
            "Processing time of an incident",
            "s",
            &[(
                "histogram_quantile(0.5, sum by (severity, le) (rate(incident_processing_duration_seconds_bucket[$w])))",
                "{{severity}} p50",
            )],
        ),
        Panel::lines(
            "Escalations",
            "none",
            &[(
                "sum by (level) (increase(incidents_escalated_total[1h]))",
                "{{level}}",
            )],
        ),
        Panel::row("Playbooks"),
        Panel::lines(
            "Executions",
            "none",
            &[(
                "sum by (playbook, status) (increase(playbook_executions_total[1h]))",
                "{{playbook}} {{status}}",
            )],
        )
        .alert("PlaybookFails"),
        Panel::lines("Under way", "none", &[("playbooks_active", "{{playbook}}")]),
        Panel::lines(
            "Time, p95",
            "s",
            &[(
                "histogram_quantile(0.95, sum by (playbook, le) (rate(playbook_execution_duration_seconds_bucket[$w])))",
                "{{playbook}}",
            )],
        ),
        Panel::row("Notifications"),
        Panel::lines(
            "Notifications",
            "cps",
            &[(
                "sum by (channel, status) (rate(notifications_total[$w]))",
                "{{channel}} {{status}}",
            )],
        )
        .alert("NotificationsFail"),
        Panel::lines(
            "Waiting",
            "none",
            &[("notification_queue_size", "{{channel}}")],
        ),
        Panel::lines(
            "Time of a delivery, p95",
            "s",
            &[(
                "histogram_quantile(0.95, sum by (channel, le) (rate(notification_delivery_duration_seconds_bucket[$w])))",
                "{{channel}}",
            )],
        ),
    ],
};

pub(super) static PIPELINES: Dashboard<'static> = Dashboard {
    uid: "pipelines",
    title: "Pipelines",
    marks: &[],
    panels: &[
        Panel::stat("Running", "none", &[("sum(active_pipelines)", "")]),
        Panel::stat(
            "Failures, last hour",
            "none",
            &[("sum(increase(pipeline_failures_detected_total[1h]))", "")],
        )
        .alert("PipelineFails"),
        Panel::stat(
            "Healed",
            "percentunit",
            &[(
                "sum(increase(pipeline_healing_attempts_total{status=\"success\"}[1h])) / (sum(increase(pipeline_healing_attempts_total[1h])) > 0)",
                "",
            )],
        ),
        Panel::lines(
            "Running, by type",
            "none",
            &[("active_pipelines", "{{pipeline_type}}")],
        ),
        Panel::lines(
            "Failures",
            "none",
            &[(
                "sum by (pipeline_type) (increase(pipeline_failures_detected_total[1h]))",
                "{{pipeline_type}}",
            )],
        ),
        Panel::lines(
            "Attempts to heal",
            "none",
            &[(
                "sum by (pipeline_type, status) (increase(pipeline_healing_attempts_total[1h]))",
                "{{pipeline_type}} {{status}}",
            )],
        ),
        Panel::lines(
            "Time to heal, p95",
            "s",
            &[(
                "histogram_quantile(0.95, sum by (pipeline_type, le) (rate(pipeline_healing_duration_seconds_bucket[$w])))",
                "{{pipeline_type}}",
            )],
        ),
    ],
};

pub(super) static TEST_WATCHER: Dashboard<'static> = Dashboard {
    uid: "test-watcher",
    title: "Test watcher",
    marks: &[],
    panels: &[
        Panel::stat("Running", "none", &[("min(test_watcher_is_running)", "")])
            .steps(&[(0.0, "red"), (1.0, "green")])
            .alert("TestWatcherStopped"),
        Panel::stat(
            "Changed files waiting",
            "none",
            &[("sum(test_watcher_changed_files_current)", "")],
        ),
        Panel::stat(
            "Memory",
            "bytes",
            &[("sum(test_watcher_memory_usage_bytes)", "")],
        ),
        Panel::stat(
            "Files, last hour",
            "none",
            &[("sum(increase(test_watcher_files_processed_total[1h]))", "")],
        ),
        Panel::lines(
            "Tests",
            "none",
            &[(
                "sum by (status) (increase(test_watcher_tests_run_total[1h]))",
                "{{status}}",
            )],
        ),
        Panel::lines(
            "Errors",
            "none",
            &[(
                "sum by (error_type) (increase(test_watcher_errors_total[1h]))",
                "{{error_type}}",
            )],
        ),
        Panel::lines(
            "Calls",
            "none",
            &[(
                "sum by (api, status) (increase(test_watcher_api_calls_total[1h]))",
                "{{api}} {{status}}",
            )],
        ),
        Panel::lines(
            "Times, p95",
            "s",
            &[
                (
                    "histogram_quantile(0.95, sum by (le) (rate(test_watcher_processing_duration_seconds_bucket[$w])))",
                    "a change",
                ),
                (
                    "histogram_quantile(0.95, sum by (le) (rate(test_watcher_debounce_duration_seconds_bucket[$w])))",
                    "waiting",
                ),
                (
                    "histogram_quantile(0.95, sum by (le) (rate(test_watcher_test_execution_duration_seconds_bucket[$w])))",
                    "a run of tests",
                ),
            ],
        ),
    ],
};

pub(super) static AUDIT_AGENT: Dashboard<'static> = Dashboard {
    uid: "audit-agent",
    title: "Audit agent",
    marks: &[],
    panels: &[
        Panel::gauge(
            "Coverage",
            "percent",
            &[("min(audit_agent_coverage_percent)", "")],
        )
        .steps(&[(0.0, "red"), (70.0, "yellow"), (90.0, "green")]),
        Panel::stat(
            "Since the last run",
            "s",
            &[("time() - max(audit_agent_last_run_timestamp_seconds)", "")],
        )
        .alert("AuditAgentSilent"),
        Panel::stat(
            "Under way",
            "none",
            &[("sum(audit_agent_active_tasks)", "")],
        ),
        Panel::lines(
            "Runs",
            "none",
            &[(
                "sum by (trigger) (increase(audit_agent_runs_total[1h]))",
                "{{trigger}}",
            )],
        ),
        Panel::lines(
            "Found",
            "none",
            &[
                (
                    "sum(increase(audit_agent_completion_markers_found_total[1h]))",
                    "markers",
                ),
                (
                    "sum(increase(audit_agent_git_commits_detected_total[1h]))",
                    "commits",
                ),
            ],
        ),
        Panel::lines(
            "Errors",
            "none",
            &[(
                "sum by (error_type) (increase(audit_agent_errors_total[1h]))",
                "{{error_type}}",
            )],
        ),
        Panel::lines(
            "Times, p95",
            "s",
            &[
                (
                    "histogram_quantile(0.95, sum by (le) (rate(audit_agent_run_duration_seconds_bucket[$w])))",
                    "a run",
                ),
                (
                    "histogram_quantile(0.95, sum by (le) (rate(audit_agent_analysis_duration_seconds_bucket[$w])))",
                    "an analysis",
                ),
            ],
        ),
    ],
};

pub(super) static API: Dashboard<'static> = Dashboard {
    uid: "api",
    title: "Calls to other services",
    marks: &[],
    panels: &[
        Panel::lines(
            "Calls",
            "reqps",
            &[(
                "sum by (api, status) (rate(api_calls_total[$w]))",
                "{{api}} {{status}}",
            )],
        )
        .alert("SupplierFails"),
        Panel::lines(
            "Latency, p95",
            "s",
            &[(
                "histogram_quantile(0.95, sum by (api, le) (rate(api_request_duration_seconds_bucket[$w])))",
                "{{api}}",
            )],
        ),
        Panel::lines(
            "Duration of the last call",
            "s",
            &[("api_response_time_seconds", "{{api}}")],
        ),
        Panel::lines(
            "Errors by type",
            "cps",
            &[(
                "sum by (api, error_type) (rate(api_errors_total[$w]))",
                "{{api}} {{error_type}}",
            )],
        ),
        Panel::lines(
            "Rate-limited",
            "none",
            &[(
                "sum by (api) (increase(api_rate_limits_total[1h]))",
                "{{api}}",
            )],
        ),
        Panel::lines(
            "Tokens",
            "none",
            &[(
                "sum by (api) (increase(api_tokens_used_total[1h]))",
                "{{api}}",
            )],
        ),
        Panel::row("Calls from blocking to async code"),
        Panel::lines(
            "Calls over the bridge",
            "cps",
            &[
                (
                    "sum by (operation) (rate(async_bridge_calls_total[$w]))",
                    "{{operation}}",
                ),
                (
                    "sum by (operation) (rate(async_bridge_errors_total[$w]))",
                    "{{operation}} failed",
                ),
                (
                    "sum by (operation) (rate(async_bridge_timeouts_total[$w]))",
                    "{{operation}} timed out",
                ),
            ],
        )
        .alert("BridgeTimeouts"),
        Panel::lines(
            "Time over the bridge, p95",
            "s",
            &[(
                "histogram_quantile(0.95, sum by (operation, le) (rate(async_bridge_execution_duration_seconds_bucket[$w])))",
                "{{operation}}",
            )],
        ),
        Panel::lines(
            "Under way",
            "none",
            &[
                ("async_bridge_pending_tasks", "{{instance}} calls"),
                ("async_bridge_active_loops", "{{instance}} runtimes"),
            ],
        ),
    ],
};
