//! The dashboard of the healing engine.

use crate::assets::table::{Dashboard, Panel};

pub(super) static HEALING: Dashboard<'static> = Dashboard {
    uid: "healing",
    title: "Healing",
    marks: &[
        (
            "healed",
            "sum by (action) (increase(healing_success_total[$w])) > 0",
        ),
        (
            "failed",
            "sum by (action) (increase(healing_failures_total[$w])) > 0",
        ),
    ],
    panels: &[
        Panel::stat("Open issues", "none").sum("healing_issues_open", ""),
        Panel::stat("Bad components", "none").sum("healing_components_bad", ""),
        Panel::stat("Waiting", "none").sum("healing_queue_size", ""),
        Panel::stat("Running", "none").sum("healing_attempts_running", ""),
        Panel::stat("Given up but still running", "none")
            .sum("healing_zombies", "")
            .steps(&[(0.0, "green"), (1.0, "red")])
            .alert("HealingStuck"),
        Panel::stat("Budget left", "none")
            .query("min(healing_budget_left)", "")
            .steps(&[(0.0, "red"), (5.0, "yellow"), (20.0, "green")]),
        Panel::lines("Issues opened", "none").hourly(
            "healing_issues_detected_total",
            "{{component}} {{issue_type}}",
        ),
        Panel::lines("Issues closed", "none").hourly("healing_issues_closed_total", "{{outcome}}"),
        Panel::lines("Issues open, by state", "none").sum("healing_issues_open", "{{state}}"),
        Panel::lines("Attempts", "none")
            .hourly("healing_attempts_total", "{{action}}")
            .hourly("healing_success_total", "{{action}} healed")
            .hourly("healing_failures_total", "{{action}} failed")
            .alert("HealingActionFailed"),
        Panel::lines("Time of actions", "s")
            .quantile(0.5, "healing_duration_seconds", "{{action}} p50")
            .quantile(0.95, "healing_duration_seconds", "{{action}} p95")
            .empty("There was no attempt in this window."),
        Panel::lines("Confidence of actions, median", "percentunit")
            .quantile(0.5, "healing_confidence_score", "{{action}}")
            .empty("There was no attempt in this window."),
        Panel::lines("Detection runs", "cps")
            .rate("healing_detections_total", "{{engine}} {{result}}"),
        Panel::lines("Escalations", "none").hourly("healing_escalations_total", "{{level}}"),
        Panel::lines("Alerts of the engine", "none")
            .sum("active_alerts", "{{severity}}")
            .alert("HealingGaveUp"),
        Panel::lines("Stopped", "none")
            .query("healing_paused", "{{instance}} paused")
            .query("healing_killed", "{{instance}} killed")
            .query("healing_storm", "{{instance}} storm")
            .alert("HealingStopped"),
        Panel::lines("Journal", "none")
            .query("healing_journal_healthy", "{{instance}} can be written")
            .alert("JournalBroken"),
        Panel::lines("Budget of components", "none").query(
            "bottomk(10, healing_component_budget_left)",
            "{{component}}",
        ),
        Panel::row("Files"),
        Panel::lines("Events", "cps")
            .rate("file_events_total", "{{event_type}}")
            .alert("FileCorrupted"),
        Panel::lines("Guarded paths", "none")
            .query("monitored_paths", "{{instance}}")
            .query("files_unwatched_paths", "{{instance}} not watched")
            .alert("FilesUnwatched"),
        Panel::row("Actions of the application itself"),
        Panel::lines("Its actions", "none")
            .hourly("own_healing_success_total", "{{action}} succeeded")
            .hourly("own_healing_failures_total", "{{action}} failed"),
        Panel::lines("Anomalies", "none")
            .hourly("anomalies_detected_total", "{{anomaly_type}} {{severity}}")
            .alert("AnomalyDetected"),
    ],
};
