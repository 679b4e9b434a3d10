//! Metrics of the core: one snapshot for each scrape, so that the accounting identities hold at
//! every scrape (see [`identities`](crate::healing::core::identities)).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::catalog::{Alias, Allowed, Kind, MetricDef};
use crate::groups::older as groups;
use crate::healing::core::{
    ActionCounts, ActionTimes, AttemptResult, CONFIDENCE_BUCKETS, Closed, Counts, DURATION_BUCKETS,
    Distribution, Dropped, Phase, ServiceEscalation, Severity, Snapshot,
};
use crate::registry::{
    Collector, DeclareError, FamilySnapshot, HistogramSnapshot, Number, Registry, SeriesSnapshot,
    Value,
};
use crate::util::ClosedSet;

/// The catalogue group of these metrics.
const GROUP: &str = "healing";

/// Exposes the counts of a core in `registry`; `take` is called once a scrape.
///
/// # Errors
/// The registry has another metric of one of these names.
pub fn expose(
    registry: &Registry,
    take: impl Fn() -> Snapshot + Send + Sync + 'static,
) -> Result<(), DeclareError> {
    registry.collect_from(Arc::new(Exposed { take }))
}

/// Every metric of the core.
pub(super) fn defs() -> impl Iterator<Item = MetricDef> {
    DEFS.iter().map(|def| MetricDef::clone(def))
}

/// The definitions of [`TABLE`], which scrapes share.
static DEFS: LazyLock<Vec<Arc<MetricDef>>> =
    LazyLock::new(|| TABLE.iter().map(|row| Arc::new(row.def())).collect());

struct Exposed<F> {
    take: F,
}

impl<F: Fn() -> Snapshot + Send + Sync + 'static> Collector for Exposed<F> {
    fn describe(&self) -> Vec<MetricDef> {
        defs().collect()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let snapshot = (self.take)();
        out.extend(TABLE.iter().zip(&*DEFS).map(|(row, def)| FamilySnapshot {
            def: Arc::clone(def),
            series: (row.read)(&snapshot),
        }));
    }
}

/// A metric: its definition, and how to read it from a snapshot.
struct Row {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    labels: Labels,
    buckets: &'static [f64],
    read: Read,
    aliases: fn() -> Vec<Alias>,
    closed: Option<(&'static str, Values)>,
}

/// The values of a label that has no others.
type Values = fn() -> Vec<Cow<'static, str>>;
type Labels = &'static [&'static str];
type Read = fn(&Snapshot) -> Vec<SeriesSnapshot>;

impl Row {
    const fn new(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        labels: Labels,
        buckets: &'static [f64],
        read: Read,
    ) -> Self {
        Self {
            kind,
            name,
            help,
            labels,
            buckets,
            read,
            aliases: Vec::new,
            closed: None,
        }
    }

    /// Sets other names, for profiles.
    const fn aliases(mut self, aliases: fn() -> Vec<Alias>) -> Self {
        self.aliases = aliases;
        self
    }

    /// Sets the values of a label that has no others.
    const fn closed(mut self, label: &'static str, values: Values) -> Self {
        self.closed = Some((label, values));
        self
    }

    const fn counter(name: &'static str, help: &'static str, labels: Labels, read: Read) -> Self {
        Self::new(Kind::Counter, name, help, labels, &[], read)
    }

    const fn gauge(name: &'static str, help: &'static str, labels: Labels, read: Read) -> Self {
        Self::new(Kind::Gauge, name, help, labels, &[], read)
    }

    const fn histogram(
        name: &'static str,
        help: &'static str,
        buckets: &'static [f64],
        read: Read,
    ) -> Self {
        Self::new(Kind::Histogram, name, help, &["action"], buckets, read)
    }

    fn def(&self) -> MetricDef {
        let mut def = MetricDef::new(self.kind, self.name, self.help)
            .with_labels(self.labels.iter().copied());
        def.buckets = self.buckets.to_vec();
        def.group = GROUP;
        def.aliases = (self.aliases)();
        match self.closed {
            Some((label, values)) => def.allow(label, Allowed::These(values())),
            None => def,
        }
    }
}

/// The older names for attempts with one result.
fn older(status: &'static str, name: &'static str) -> Vec<Alias> {
    let older = |name| groups::older(name).without("issue_type");
    vec![older(groups::ALL).with("status", status), older(name)]
}

/// Every metric of the core, by its full name.
static TABLE: [Row; 36] = [
    Row::counter(
        "healing_issues_detected_total",
        "Issues opened, by kind of fault, severity and component",
        &["issue_type", "severity", "component"],
        |s| {
            let series = s.detected.iter().map(|(labels, n)| {
                let pairs = [
                    ("issue_type", labels.issue_type.as_str()),
                    ("severity", labels.severity.as_str()),
                    ("component", labels.component.as_str()),
                ];
                SeriesSnapshot::new(pairs, whole(*n))
            });
            series.collect()
        },
    )
    .closed("severity", texts::<Severity>),
    Row::counter(
        "healing_attempts_total",
        "Attempts started, by kind of fault and action",
        &["issue_type", "action"],
        |s| actions(s, |counts| counts.attempts),
    ),
    Row::counter(
        "healing_success_total",
        "Attempts that healed, verified on fresh data",
        &["issue_type", "action"],
        |s| actions(s, |counts| counts.successes),
    )
    .aliases(|| older("succeeded", groups::SUCCEEDED)),
    Row::counter(
        "healing_failures_total",
        "Attempts that failed, timed out, panicked, or returned ok without healing",
        &["issue_type", "action"],
        |s| actions(s, |counts| counts.failures),
    )
    .aliases(|| older("failed", groups::FAILED)),
    Row::histogram(
        "healing_duration_seconds",
        "Time an attempt took",
        &DURATION_BUCKETS,
        |s| histograms(s, |times| &times.duration),
    )
    .aliases(|| vec![groups::older(groups::DURATION).buckets(&groups::OLDER_BUCKETS)]),
    Row::histogram(
        "healing_confidence_score",
        "Confidence, 0 to 1, with which an attempt was started",
        &CONFIDENCE_BUCKETS,
        |s| histograms(s, |times| &times.confidence),
    ),
    Row::gauge(
        "healing_queue_size",
        "Issues that are due and held back by a guard",
        &[],
        |s| one(s.queue),
    ),
    Row::gauge(
        "active_alerts",
        "Alerts that fire, by severity",
        &["severity"],
        |s| each("severity", &s.alerts),
    )
    .closed("severity", texts::<Severity>),
    Row::counter(
        "healing_observations_total",
        "Observations that detectors reported",
        &[],
        |s| one(s.observations.total),
    ),
    Row::counter(
        "healing_observation_results_total",
        "Observations, by result",
        &["result"],
        observation_results,
    )
    .closed("result", results_of_observations),
    Row::counter("healing_issues_opened_total", "Issues opened", &[], |s| {
        one(s.opened)
    }),
    Row::counter(
        "healing_issues_restored_total",
        "Issues restored from a journal",
        &[],
        |s| one(s.restored),
    ),
    Row::counter(
        "healing_issues_closed_total",
        "Issues closed, by outcome",
        &["outcome"],
        |s| each("outcome", &s.closed),
    )
    .closed("outcome", texts::<Closed>),
    Row::gauge(
        "healing_issues_open",
        "Open issues, by state",
        &["state"],
        |s| each("state", &s.open),
    )
    .closed("state", texts::<Phase>),
    Row::counter(
        "healing_attempts_started_total",
        "Attempts started",
        &[],
        |s| one(s.attempts_started),
    ),
    Row::counter(
        "healing_attempts_finished_total",
        "Attempts finished, by result",
        &["result"],
        |s| each("result", &s.attempts_finished),
    )
    .closed("result", texts::<AttemptResult>),
    Row::gauge(
        "healing_attempts_running",
        "Attempts that are running, except zombies",
        &[],
        |s| one(s.attempts_running),
    ),
    Row::counter(
        "healing_rollbacks_started_total",
        "Rollbacks started",
        &[],
        |s| one(s.rollbacks_started),
    ),
    Row::counter(
        "healing_rollbacks_finished_total",
        "Rollbacks finished, by result",
        &["result"],
        |s| each("result", &s.rollbacks_finished),
    )
    .closed("result", texts::<AttemptResult>),
    Row::gauge(
        "healing_zombies",
        "Zombies: attempts and rollbacks that were given up and have not ended",
        &[],
        |s| one(s.zombies),
    ),
    Row::counter(
        "healing_issues_evicted_total",
        "Issues displaced by a more severe one",
        &[],
        |s| one(s.evicted),
    ),
    Row::counter(
        "healing_late_reports_total",
        "Verdicts that arrived too late",
        &[],
        |s| one(s.late),
    ),
    Row::counter(
        "healing_panics_total",
        "Panics of the engine itself, contained: a bug of this crate",
        &[],
        |s| one(s.panics),
    ),
    Row::gauge("healing_paused", "1 while the engine is paused", &[], |s| {
        flag(s.paused)
    }),
    Row::gauge(
        "healing_killed",
        "1 while the kill switch is on",
        &[],
        |s| flag(s.killed),
    ),
    Row::gauge(
        "healing_storm",
        "1 while so many components are bad that nothing starts",
        &[],
        |s| flag(s.storm),
    ),
    Row::gauge(
        "healing_journal_healthy",
        "1 while the journal can be written",
        &[],
        |s| flag(s.journal_healthy),
    ),
    Row::gauge(
        "healing_budget_left",
        "Attempts that the budget of all components together allows now",
        &[],
        |s| one(s.budget_left),
    ),
    Row::gauge(
        "healing_component_budget_left",
        "Attempts that the budget of a component allows now",
        &["component"],
        |s| {
            let left = s.component_budget_left.iter();
            left.map(|(name, n)| SeriesSnapshot::new([("component", name.as_str())], whole(*n)))
                .collect()
        },
    ),
    Row::gauge(
        "healing_components_known",
        "Components that were seen or declared",
        &[],
        |s| one(s.components_known),
    ),
    Row::gauge(
        "healing_components_bad",
        "Components with a confirmed issue",
        &[],
        |s| one(s.components_bad),
    ),
    Row::gauge("healing_mutes", "Mutes in force", &[], |s| one(s.mutes)),
    Row::counter(
        "healing_escalations_total",
        "Service escalations of faults, by level",
        &["level"],
        |s| each("level", &s.escalations),
    )
    .closed("level", texts::<ServiceEscalation>),
    Row::gauge(
        "healing_not_ready",
        "Faults that keep the service from being ready for traffic",
        &[],
        |s| one(s.not_ready),
    ),
    Row::gauge(
        "healing_exit_asked",
        "1 once the process was asked to exit",
        &[],
        |s| flag(s.exit_asked),
    ),
    Row::counter(
        "healing_alerts_refused_total",
        "Alerts that could not fire because there were too many",
        &[],
        |s| one(s.alerts_refused),
    ),
];

fn whole(n: u64) -> Value {
    Value::Number(Number::U64(n))
}

fn one(n: u64) -> Vec<SeriesSnapshot> {
    vec![SeriesSnapshot::new([], whole(n))]
}

fn flag(on: bool) -> Vec<SeriesSnapshot> {
    one(u64::from(on))
}

fn each<L: ClosedSet>(label: &str, counts: &Counts<L>) -> Vec<SeriesSnapshot> {
    counts
        .iter()
        .map(|(value, n)| SeriesSnapshot::new([(label, value.as_str())], whole(n)))
        .collect()
}

fn actions(snapshot: &Snapshot, read: fn(&ActionCounts) -> u64) -> Vec<SeriesSnapshot> {
    let series = snapshot.actions.iter().map(|(labels, counts)| {
        let pairs = [
            ("issue_type", labels.issue_type.as_str()),
            ("action", labels.action.as_str()),
        ];
        SeriesSnapshot::new(pairs, whole(read(counts)))
    });
    series.collect()
}

fn texts<L: ClosedSet>() -> Vec<Cow<'static, str>> {
    let values = L::VALUES.iter();
    values.map(|value| Cow::Borrowed(value.as_str())).collect()
}

/// The results of observations that were not dropped.
const TAKEN: [&str; 3] = ["opened", "coalesced", "muted"];

fn dropped(why: Dropped) -> String {
    format!("dropped_{}", why.as_str())
}

fn results_of_observations() -> Vec<Cow<'static, str>> {
    let taken = TAKEN.map(Cow::Borrowed).into_iter();
    let dropped = Dropped::ALL.map(|why| Cow::Owned(dropped(why)));
    taken.chain(dropped).collect()
}

fn observation_results(snapshot: &Snapshot) -> Vec<SeriesSnapshot> {
    let seen = &snapshot.observations;
    let taken = [seen.opened, seen.coalesced, seen.muted];
    let mut out: Vec<_> = TAKEN
        .into_iter()
        .zip(taken)
        .map(|(result, n)| SeriesSnapshot::new([("result", result)], whole(n)))
        .collect();
    for (why, n) in seen.dropped.iter() {
        let result = dropped(why);
        out.push(SeriesSnapshot::new([("result", result.as_str())], whole(n)));
    }
    out
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
        for row in &TABLE {
            // Metrics by component or action have no series before the first value.
            let waits = row
                .labels
                .iter()
                .any(|label| ["action", "component"].contains(label));
            assert_eq!(names.contains(&row.name), !waits, "{}", row.name);
        }
        let ours = |group: &str| group == GROUP || group == "selfheal";
        assert!(families.iter().all(|family| ours(family.def.group)));
    }
}
