//! Metrics of the core: one snapshot for each scrape, so that the accounting identities hold at
//! every scrape (see [`identities`](crate::healing::core::identities)).

use std::borrow::Cow;

use crate::catalog::{Alias, Allowed, Kind, MetricDef};
use crate::groups::older as groups;
use crate::healing::core::{
    ActionCounts, ActionTimes, AttemptResult, CONFIDENCE_BUCKETS, Closed, Counts, DURATION_BUCKETS,
    Distribution, Observations, Phase, ServiceEscalation, Severity, Snapshot,
};
use crate::registry::Number::U64;
use crate::registry::{DeclareError, Figures, HistogramSnapshot, Registry, SeriesSnapshot, Value};
use crate::util::ClosedSet;

/// The catalogue group of these metrics.
pub(super) const GROUP: &str = "healing";

/// Exposes the counts of a core in `registry`; `take` is called once a scrape.
///
/// # Errors
/// The registry has another metric of one of these names.
pub fn expose(
    registry: &Registry,
    take: impl Fn() -> Snapshot + Send + Sync + 'static,
) -> Result<(), DeclareError> {
    registry.collect_figures(figures(), move || Some(take()))
}

/// Every metric of the core.
pub(super) fn figures() -> Figures<Snapshot> {
    guards(attempts(issues(Figures::new(GROUP))))
}

/// Observations, issues, and what became of them.
fn issues(figures: Figures<Snapshot>) -> Figures<Snapshot> {
    figures
        .metric(
            MetricDef::new(
                Kind::Counter,
                "healing_issues_detected_total",
                "Issues opened, by kind of fault, severity and component",
            )
            .with_labels(["issue_type", "severity", "component"])
            .allow(
                "severity",
                Allowed::these(Severity::ALL.map(Severity::as_str)),
            ),
            |s| {
                let series = s.detected.iter().map(|(labels, n)| {
                    let pairs = [
                        ("issue_type", labels.issue_type.as_str()),
                        ("severity", labels.severity.as_str()),
                        ("component", labels.component.as_str()),
                    ];
                    SeriesSnapshot::new(pairs, U64(*n))
                });
                series.collect()
            },
        )
        .gauge(
            "healing_queue_size",
            "Issues that are due and held back by a guard",
            |s| U64(s.queue),
        )
        .metric(
            closed::<Severity>(
                Kind::Gauge,
                "active_alerts",
                "Alerts that fire, by severity",
                "severity",
            ),
            |s| each("severity", &s.alerts),
        )
        .counter(
            "healing_observations_total",
            "Observations that detectors reported",
            |s| U64(s.observations.total),
        )
        .metric(
            MetricDef::new(
                Kind::Counter,
                "healing_observation_results_total",
                "Observations, by result",
            )
            .with_labels(["result"])
            .allow("result", Allowed::These(names_of_results())),
            |s| {
                let results = results(&s.observations).into_iter();
                results
                    .map(|(result, n)| SeriesSnapshot::new([("result", &*result)], U64(n)))
                    .collect()
            },
        )
        .counter("healing_issues_opened_total", "Issues opened", |s| {
            U64(s.opened)
        })
        .counter(
            "healing_issues_restored_total",
            "Issues restored from a journal",
            |s| U64(s.restored),
        )
        .metric(
            closed::<Closed>(
                Kind::Counter,
                "healing_issues_closed_total",
                "Issues closed, by outcome",
                "outcome",
            ),
            |s| each("outcome", &s.closed),
        )
        .metric(
            closed::<Phase>(
                Kind::Gauge,
                "healing_issues_open",
                "Open issues, by state",
                "state",
            ),
            |s| each("state", &s.open),
        )
        .counter(
            "healing_issues_evicted_total",
            "Issues displaced by a more severe one",
            |s| U64(s.evicted),
        )
        .counter(
            "healing_alerts_refused_total",
            "Alerts that could not fire because there were too many",
            |s| U64(s.alerts_refused),
        )
}

fn attempts(figures: Figures<Snapshot>) -> Figures<Snapshot> {
    figures
        .metric(
            of_actions(
                "healing_attempts_total",
                "Attempts started, by kind of fault and action",
            ),
            |s| actions(s, |counts| counts.attempts),
        )
        .metric(
            of_actions(
                "healing_success_total",
                "Attempts that healed, verified on fresh data",
            ),
            |s| actions(s, |counts| counts.successes),
        )
        .alias(all("succeeded"))
        .alias(older(groups::SUCCEEDED))
        .metric(
            of_actions(
                "healing_failures_total",
                "Attempts that failed, timed out, panicked, or returned ok without healing",
            ),
            |s| actions(s, |counts| counts.failures),
        )
        .alias(all("failed"))
        .alias(older(groups::FAILED))
        .metric(
            of_times(
                "healing_duration_seconds",
                "Time an attempt took",
                &DURATION_BUCKETS,
            ),
            |s| histograms(s, |times| &times.duration),
        )
        .alias(groups::older(groups::DURATION).buckets(&groups::OLDER_BUCKETS))
        .metric(
            of_times(
                "healing_confidence_score",
                "Confidence, 0 to 1, with which an attempt was started",
                &CONFIDENCE_BUCKETS,
            ),
            |s| histograms(s, |times| &times.confidence),
        )
        .counter("healing_attempts_started_total", "Attempts started", |s| {
            U64(s.attempts_started)
        })
        .metric(
            closed::<AttemptResult>(
                Kind::Counter,
                "healing_attempts_finished_total",
                "Attempts finished, by result",
                "result",
            ),
            |s| each("result", &s.attempts_finished),
        )
        .gauge(
            "healing_attempts_running",
            "Attempts that are running, except zombies",
            |s| U64(s.attempts_running),
        )
        .counter(
            "healing_rollbacks_started_total",
            "Rollbacks started",
            |s| U64(s.rollbacks_started),
        )
        .metric(
            closed::<AttemptResult>(
                Kind::Counter,
                "healing_rollbacks_finished_total",
                "Rollbacks finished, by result",
                "result",
            ),
            |s| each("result", &s.rollbacks_finished),
        )
        .gauge(
            "healing_zombies",
            "Zombies: attempts and rollbacks that were given up and have not ended",
            |s| U64(s.zombies),
        )
        .counter(
            "healing_late_reports_total",
            "Verdicts that arrived too late",
            |s| U64(s.late),
        )
}

/// What lets actions start, the engine itself, and service escalations.
fn guards(figures: Figures<Snapshot>) -> Figures<Snapshot> {
    figures
        .counter(
            "healing_panics_total",
            "Panics of the engine itself, contained: a bug of this crate",
            |s| U64(s.panics),
        )
        .gauge("healing_paused", "1 while the engine is paused", |s| {
            U64(u64::from(s.paused))
        })
        .gauge("healing_killed", "1 while the kill switch is on", |s| {
            U64(u64::from(s.killed))
        })
        .gauge(
            "healing_storm",
            "1 while so many components are bad that nothing starts",
            |s| U64(u64::from(s.storm)),
        )
        .gauge(
            "healing_journal_healthy",
            "1 while the journal can be written",
            |s| U64(u64::from(s.journal_healthy)),
        )
        .gauge(
            "healing_budget_left",
            "Attempts that the budget of all components together allows now",
            |s| U64(s.budget_left),
        )
        .metric(
            MetricDef::new(
                Kind::Gauge,
                "healing_component_budget_left",
                "Attempts that the budget of a component allows now",
            )
            .with_labels(["component"]),
            |s| {
                let left = s.component_budget_left.iter();
                left.map(|(name, n)| SeriesSnapshot::new([("component", name.as_str())], U64(*n)))
                    .collect()
            },
        )
        .gauge(
            "healing_components_known",
            "Components that were seen or declared",
            |s| U64(s.components_known),
        )
        .gauge(
            "healing_components_bad",
            "Components with a confirmed issue",
            |s| U64(s.components_bad),
        )
        .gauge("healing_mutes", "Mutes in force", |s| U64(s.mutes))
        .metric(
            closed::<ServiceEscalation>(
                Kind::Counter,
                "healing_escalations_total",
                "Service escalations of faults, by level",
                "level",
            ),
            |s| each("level", &s.escalations),
        )
        .gauge(
            "healing_not_ready",
            "Faults that keep the service from being ready for traffic",
            |s| U64(s.not_ready),
        )
        .gauge(
            "healing_exit_asked",
            "1 once the process was asked to exit",
            |s| U64(u64::from(s.exit_asked)),
        )
}

/// A metric with one label, whose values are those of `L`.
fn closed<L: ClosedSet>(
    kind: Kind,
    name: &'static str,
    help: &'static str,
    label: &'static str,
) -> MetricDef {
    let values = Allowed::these(L::VALUES.iter().map(|value| value.as_str()));
    MetricDef::new(kind, name, help)
        .with_labels([label])
        .allow(label, values)
}

fn each<L: ClosedSet>(label: &str, counts: &Counts<L>) -> Vec<SeriesSnapshot> {
    counts
        .iter()
        .map(|(value, n)| SeriesSnapshot::new([(label, value.as_str())], U64(n)))
        .collect()
}

/// The older name for attempts with any result.
fn all(status: &'static str) -> Alias {
    older(groups::ALL).with("status", status)
}

fn older(name: &'static str) -> Alias {
    groups::older(name).without("issue_type")
}

fn of_actions(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::new(Kind::Counter, name, help).with_labels(["issue_type", "action"])
}

fn actions(snapshot: &Snapshot, read: fn(&ActionCounts) -> u64) -> Vec<SeriesSnapshot> {
    let series = snapshot.actions.iter().map(|(labels, counts)| {
        let pairs = [
            ("issue_type", labels.issue_type.as_str()),
            ("action", labels.action.as_str()),
        ];
        SeriesSnapshot::new(pairs, U64(read(counts)))
    });
    series.collect()
}

/// The observations by result, each dropped one by its reason.
fn results(seen: &Observations) -> Vec<(Cow<'static, str>, u64)> {
    let taken = [
        ("opened", seen.opened),
        ("coalesced", seen.coalesced),
        ("muted", seen.muted),
    ];
    let taken = taken.map(|(result, n)| (Cow::Borrowed(result), n));
    let dropped = seen.dropped.iter();
    let dropped = dropped.map(|(why, n)| (format!("dropped_{}", why.as_str()).into(), n));
    taken.into_iter().chain(dropped).collect()
}

fn names_of_results() -> Vec<Cow<'static, str>> {
    let all = results(&Observations::default()).into_iter();
    all.map(|(result, _)| result).collect()
}

fn of_times(name: &'static str, help: &'static str, buckets: &[f64]) -> MetricDef {
    MetricDef::new(Kind::Histogram, name, help)
        .with_labels(["action"])
        .with_buckets(buckets.iter().copied())
}

fn histograms(snapshot: &Snapshot, read: fn(&ActionTimes) -> &Distribution) -> Vec<SeriesSnapshot> {
    let series = snapshot.times.iter().map(|(action, times)| {
        let histogram = read(times);
        let value = Value::Histogram(HistogramSnapshot::classic(
            histogram.bounds(),
            histogram.counts().to_vec(),
            histogram.sum(),
        ));
        SeriesSnapshot::new([("action", action.as_str())], value)
    });
    series.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::HealingPolicy;
    use crate::healing::core::State;

    #[test]
    fn every_number_of_a_new_core_is_on_the_page() {
        let registry = Registry::new();
        let state = State::new(Arc::new(HealingPolicy::default()), 1);
        expose(&registry, move || state.snapshot()).unwrap();
        let families = registry.gather();
        let names: Vec<&str> = families.iter().map(|family| &*family.def.name).collect();
        for def in figures().describe() {
            // Metrics by component or action have no series before the first value.
            let waits = def
                .labels
                .iter()
                .any(|label| ["action", "component"].contains(&&**label));
            assert_eq!(names.contains(&&*def.name), !waits, "{}", def.name);
        }
        let ours = |group: &str| group == GROUP || group == "selfheal";
        assert!(families.iter().all(|family| ours(family.def.group)));
    }
}
