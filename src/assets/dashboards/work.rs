//! Dashboards of the catalogue's work groups: incidents, pipelines, a test watcher, an audit agent,
//! calls to other services.

use crate::assets::table::{Dashboard, Panel};

pub(super) static INCIDENTS: Dashboard<'static> = Dashboard {
    uid: "incidents",
    title: "Incidents and playbooks",
    marks: &[],
    panels: &[
        Panel::stat("Open", "none")
            .sum("incidents_active", "")
            .alert("IncidentsPileUp"),
        Panel::stat("Critical", "none")
            .sum("incidents_active{severity=\"critical\"}", "")
            .alert("CriticalIncident"),
        Panel::stat("Deduplicated and correlated, last hour", "none")
            .query("sum(increase(incidents_deduplicated_total[1h])) + sum(increase(incidents_correlated_total[1h]))", ""),
        Panel::stat("Escalated, last hour", "none")
            .hourly("incidents_escalated_total", ""),
        Panel::lines("Open, by severity", "none")
            .sum("incidents_active", "{{severity}}"),
        Panel::lines("Incidents", "none")
            .hourly("incidents_total", "{{severity}} {{status}}"),
        Panel::lines("Processing time of an incident", "s")
            .quantile(0.5, "incident_processing_duration_seconds", "{{severity}} p50"),
        Panel::lines("Escalations", "none")
            .hourly("incidents_escalated_total", "{{level}}"),
        Panel::row("Playbooks"),
        Panel::lines("Executions", "none")
            .hourly("playbook_executions_total", "{{playbook}} {{status}}")
            .alert("PlaybookFails"),
        Panel::lines("Under way", "none")
            .query("playbooks_active", "{{playbook}}"),
        Panel::lines("Time, p95", "s")
            .quantile(0.95, "playbook_execution_duration_seconds", "{{playbook}}"),
        Panel::row("Notifications"),
        Panel::lines("Notifications", "cps")
            .rate("notifications_total", "{{channel}} {{status}}")
            .alert("NotificationsFail"),
        Panel::lines("Waiting", "none")
            .query("notification_queue_size", "{{channel}}"),
        Panel::lines("Time of a delivery, p95", "s")
            .quantile(0.95, "notification_delivery_duration_seconds", "{{channel}}"),
    ],
};

pub(super) static PIPELINES: Dashboard<'static> = Dashboard {
    uid: "pipelines",
    title: "Pipelines",
    marks: &[],
    panels: &[
        Panel::stat("Running", "none").sum("active_pipelines", ""),
        Panel::stat("Failures, last hour", "none")
            .hourly("pipeline_failures_detected_total", "")
            .alert("PipelineFails"),
        Panel::stat("Healed", "percentunit")
            .query("sum(increase(pipeline_healing_attempts_total{status=\"success\"}[1h])) / (sum(increase(pipeline_healing_attempts_total[1h])) > 0)", ""),
        Panel::lines("Running, by type", "none")
            .query("active_pipelines", "{{pipeline_type}}"),
        Panel::lines("Failures", "none")
            .hourly("pipeline_failures_detected_total", "{{pipeline_type}}"),
        Panel::lines("Attempts to heal", "none")
            .hourly("pipeline_healing_attempts_total", "{{pipeline_type}} {{status}}"),
        Panel::lines("Time to heal, p95", "s")
            .quantile(0.95, "pipeline_healing_duration_seconds", "{{pipeline_type}}"),
    ],
};

pub(super) static TEST_WATCHER: Dashboard<'static> = Dashboard {
    uid: "test-watcher",
    title: "Test watcher",
    marks: &[],
    panels: &[
        Panel::stat("Running", "none")
            .query("min(test_watcher_is_running)", "")
            .steps(&[(0.0, "red"), (1.0, "green")])
            .alert("TestWatcherStopped"),
        Panel::stat("Changed files waiting", "none").sum("test_watcher_changed_files_current", ""),
        Panel::stat("Memory", "bytes").sum("test_watcher_memory_usage_bytes", ""),
        Panel::stat("Files, last hour", "none").hourly("test_watcher_files_processed_total", ""),
        Panel::lines("Tests", "none").hourly("test_watcher_tests_run_total", "{{status}}"),
        Panel::lines("Errors", "none").hourly("test_watcher_errors_total", "{{error_type}}"),
        Panel::lines("Calls", "none").hourly("test_watcher_api_calls_total", "{{api}} {{status}}"),
        Panel::lines("Times, p95", "s")
            .quantile(0.95, "test_watcher_processing_duration_seconds", "a change")
            .quantile(0.95, "test_watcher_debounce_duration_seconds", "waiting")
            .quantile(
                0.95,
                "test_watcher_test_execution_duration_seconds",
                "a run of tests",
            ),
    ],
};

pub(super) static AUDIT_AGENT: Dashboard<'static> = Dashboard {
    uid: "audit-agent",
    title: "Audit agent",
    marks: &[],
    panels: &[
        Panel::gauge("Coverage", "percent")
            .query("min(audit_agent_coverage_percent)", "")
            .steps(&[(0.0, "red"), (70.0, "yellow"), (90.0, "green")]),
        Panel::stat("Since the last run", "s")
            .query("time() - max(audit_agent_last_run_timestamp_seconds)", "")
            .alert("AuditAgentSilent"),
        Panel::stat("Under way", "none").sum("audit_agent_active_tasks", ""),
        Panel::lines("Runs", "none").hourly("audit_agent_runs_total", "{{trigger}}"),
        Panel::lines("Found", "none")
            .hourly("audit_agent_completion_markers_found_total", "markers")
            .hourly("audit_agent_git_commits_detected_total", "commits"),
        Panel::lines("Errors", "none").hourly("audit_agent_errors_total", "{{error_type}}"),
        Panel::lines("Times, p95", "s")
            .quantile(0.95, "audit_agent_run_duration_seconds", "a run")
            .quantile(0.95, "audit_agent_analysis_duration_seconds", "an analysis"),
    ],
};

pub(super) static API: Dashboard<'static> = Dashboard {
    uid: "api",
    title: "Calls to other services",
    marks: &[],
    panels: &[
        Panel::lines("Calls", "reqps")
            .rate("api_calls_total", "{{api}} {{status}}")
            .alert("SupplierFails"),
        Panel::lines("Latency, p95", "s").quantile(0.95, "api_request_duration_seconds", "{{api}}"),
        Panel::lines("Duration of the last call", "s")
            .query("api_response_time_seconds", "{{api}}"),
        Panel::lines("Errors by type", "cps").rate("api_errors_total", "{{api}} {{error_type}}"),
        Panel::lines("Rate-limited", "none").hourly("api_rate_limits_total", "{{api}}"),
        Panel::lines("Tokens", "none").hourly("api_tokens_used_total", "{{api}}"),
        Panel::row("Calls from blocking to async code"),
        Panel::lines("Calls over the bridge", "cps")
            .rate("async_bridge_calls_total", "{{operation}}")
            .rate("async_bridge_errors_total", "{{operation}} failed")
            .rate("async_bridge_timeouts_total", "{{operation}} timed out")
            .alert("BridgeTimeouts"),
        Panel::lines("Time over the bridge, p95", "s").quantile(
            0.95,
            "async_bridge_execution_duration_seconds",
            "{{operation}}",
        ),
        Panel::lines("Under way", "none")
            .query("async_bridge_pending_tasks", "{{instance}} calls")
            .query("async_bridge_active_loops", "{{instance}} runtimes"),
    ],
};
