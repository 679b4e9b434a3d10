use crate::track::Outcome;

/// Buckets from a second to a day.
const PROCESSING: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

crate::group! {
    /// The metrics of incidents.
    pub struct IncidentMetrics: "incidents" {
        /// Incidents, by severity and how they ended
        pub incidents: Counter = "incidents_total" ["severity", "status"] .at_most("severity", 16) .only("status", &Outcome::STATUSES);
        /// Incidents that are being worked on
        pub active: Gauge = "incidents_active" ["severity"] .at_most("severity", 16);
        /// Time from the start of an incident to its end
        pub duration: Histogram = "incident_processing_duration_seconds" ["severity"] .at_most("severity", 16) .buckets(&PROCESSING);
        /// Reports that were of an incident known already
        pub deduplicated: Counter = "incidents_deduplicated_total";
        /// Incidents that were found to belong to another
        pub correlated: Counter = "incidents_correlated_total";
        /// Incidents that were escalated, by level
        pub escalated: Counter = "incidents_escalated_total" ["level"] .at_most("level", 16);
    }
}

crate::tracker! {
    /// An incident, from opened to resolved: by severity, counted by outcome, timed, and active
    /// until it ends.
    pub struct Incident: IncidentKind(severity) in IncidentMetrics {
        started(metrics) { metrics.active.inc(&(severity,)); }
        ended(metrics, outcome, took) {
            metrics.active.dec(&(severity,));
            metrics.incidents.inc(&(severity, outcome.status()));
            metrics.duration.observe(&(severity,), took.as_secs_f64());
        }
    }
}

impl Incident {
    /// Counts an escalation to this level.
    pub fn escalated(&self, level: &str) {
        self.record(|metrics, _| metrics.escalated.inc(&(level,)));
    }

    /// Counts the incident as belonging to another.
    pub fn correlated(&self) {
        self.record(|metrics, _| metrics.correlated.inc());
    }

    /// Counts a duplicate report of this incident.
    pub fn deduplicated(&self) {
        self.record(|metrics, _| metrics.deduplicated.inc());
    }
}
