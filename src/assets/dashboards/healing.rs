//! The dashboard of the healing engine.

use crate::assets::table::{Dashboard, Panel};

pub(super) static HEALING: Dashboard<'static> = Dashboard {
    uid: "healing",
    title: "Healing",
    marks: &[
        ("healed", "sum by (action) (increase(healing_success_total[$w])) > 0"),
        ("failed", "sum by (action) (increase(healing_failures_total[$w])) > 0"),
    ],
    panels: &[
        Panel::stat("Open issues", "none", &[("sum(healing_issues_open)", "")]),
        Panel::stat("Bad components", "none", &[("sum(healing_components_bad)", "")]),
        Panel::stat("Waiting", "none", &[("sum(healing_queue_size)", "")]),
        Panel::stat("Running", "none", &[("sum(healing_attempts_running)", "")]),
        Panel::stat("Given up but still running", "none", &[("sum(healing_zombies)", "")])
            .steps(&[(0.0, "green"), (1.0, "red")])
            .alert("HealingStuck"),
        Panel::stat("Budget left", "none", &[("min(healing_budget_left)", "")])
            .steps(&[(0.0, "red"), (5.0, "yellow"), (20.0, "green")]),
        Panel::lines("Issues opened", "none", &[("sum by (component, issue_type) (increase(healing_issues_detected_total[1h]))", "{{component}} {{issue_type}}")]),
        Panel::lines("Issues closed", "none", &[("sum by (outcome) (increase(healing_issues_closed_total[1h]))", "{{outcome}}")]),
        Panel::lines("Issues open, by state", "none", &[("sum by (state) (healing_issues_open)", "{{state}}")]),
        Panel::lines(
            "Attempts",
            "none",
            &[
                ("sum by (action) (increase(healing_attempts_total[1h]))", "{{action}}"),
                ("sum by (action) (increase(healing_success_total[1h]))", "{{action}} healed"),
                ("sum by (action) (increase(healing_failures_total[1h]))", "{{action}} failed"),
            ],
        )
        .alert("HealingActionFailed"),
        Panel::lines(
            "Time of actions",
            "s",
            &[
                ("histogram_quantile(0.5, sum by (action, le) (rate(healing_duration_seconds_bucket[$w])))", "{{action}} p50"),
                ("histogram_quantile(0.95, sum by (action, le) (rate(healing_duration_seconds_bucket[$w])))", "{{action}} p95"),
            ],
        )
        .empty("There was no attempt in this window."),
        Panel::lines(
            "Confidence of actions, median",
            "percentunit",
            &[("histogram_quantile(0.5, sum by (action, le) (rate(healing_confidence_score_bucket[$w])))", "{{action}}")],
        )
        .empty("There was no attempt in this window."),
        Panel::lines("Detection runs", "cps", &[("sum by (engine, result) (rate(healing_detections_total[$w]))", "{{engine}} {{result}}")]),
        Panel::lines("Escalations", "none", &[("sum by (level) (increase(healing_escalations_total[1h]))", "{{level}}")]),
        Panel::lines("Alerts of the engine", "none", &[("sum by (severity) (active_alerts)", "{{severity}}")]).alert("HealingGaveUp"),
        Panel::lines("Stopped", "none", &[("healing_paused", "{{instance}} paused"), ("healing_killed", "{{instance}} killed"), ("healing_storm", "{{instance}} storm")])
            .alert("HealingStopped"),
        Panel::lines("Journal", "none", &[("healing_journal_healthy", "{{instance}} can be written")]).alert("JournalBroken"),
        Panel::lines("Budget of components", "none", &[("bottomk(10, healing_component_budget_left)", "{{component}}")]),
        Panel::row("Files"),
        Panel::lines("Events", "cps", &[("sum by (event_type) (rate(file_events_total[$w]))", "{{event_type}}")]).alert("FileCorrupted"),
        Panel::lines("Guarded paths", "none", &[("monitored_paths", "{{instance}}"), ("files_unwatched_paths", "{{instance}} not watched")]).alert("FilesUnwatched"),
        Panel::row("Actions of the application itself"),
        Panel::lines("Its actions", "none", &[("sum by (action) (increase(own_healing_success_total[1h]))", "{{action}} succeeded"), ("sum by (action) (increase(own_healing_failures_total[1h]))", "{{action}} failed")]),
        Panel::lines("Anomalies", "none", &[("sum by (anomaly_type, severity) (increase(anomalies_detected_total[1h]))", "{{anomaly_type}} {{severity}}")]).alert("AnomalyDetected"),
    ],
};
