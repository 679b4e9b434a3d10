//! The registry's own metrics: refused values, overflow, metrics left out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::family::AnyFamily;
use super::owners::LeftOut;
use super::snapshot::{FamilySnapshot, Number, SeriesSnapshot, Value};
use super::{Registry, cost};
use crate::catalog::{Kind, MetricDef};

/// The maximum number of left-out metrics that are named; further ones are only counted.
const NAMED: usize = 100;

/// The number of the registry's own metrics.
pub(super) const ABOUT_ITSELF: usize = 9;

/// How many times each metric was left out.
#[derive(Debug, Default)]
pub(super) struct LeftOuts(Mutex<BTreeMap<LeftOut, u64>>);

impl Registry {
    /// Counts and names metrics left out of a scrape, here or by a bridge, because another metric
    /// has a name of their samples.
    pub(super) fn leave_out(&self, left_out: &[LeftOut]) {
        let count = left_out.len() as u64;
        self.inner.skipped.fetch_add(count, Ordering::Relaxed);
        if left_out.is_empty() {
            return;
        }
        let mut named = self.inner.left_out.0.lock();
        for one in left_out {
            if let Some(times) = named.get_mut(one) {
                *times += 1;
            } else if named.len() < NAMED {
                named.insert(one.clone(), 1);
            }
        }
    }

    /// The registry's own metrics, with the counts of these families. A series appears once it has a
    /// value.
    pub(super) fn about_itself(
        &self,
        families: &[Arc<dyn AnyFamily>],
    ) -> [FamilySnapshot; ABOUT_ITSELF] {
        let by_metric = |name, help, read: fn(&dyn AnyFamily) -> u64| {
            let counted = families.iter().map(|family| (family, read(&**family)));
            let counted = counted.filter(|(_, n)| *n > 0);
            let series = counted.map(|(family, n)| one([("metric", &*family.def().name)], n));
            counter(name, help, &["metric"], series.collect())
        };
        let not_allowed = families.iter().flat_map(|family| {
            let counted = family.not_allowed().into_iter();
            counted.map(|(label, n)| {
                let labels = [("metric", &*family.def().name), ("label", label)];
                one(labels, n)
            })
        });
        let skipped = self.inner.skipped.load(Ordering::Relaxed);
        let skipped = (skipped > 0).then(|| one([], skipped));
        let left_out = self.inner.left_out.0.lock().clone();
        let left_out = left_out
            .iter()
            .map(|(out, times)| one([("metric", &*out.metric), ("owner", &*out.owner)], *times));
        let collectors = self.inner.collectors.read();
        let costs = collectors.iter();
        let costs = cost::by_name(costs.filter_map(|one| Some((one.name()?, &*one.cost))));
        drop(collectors);
        let failed = costs.iter().filter(|(_, (_, errors))| *errors > 0);
        let failed = failed.map(|(name, (_, errors))| one([("collector", &**name)], *errors));
        let took = costs.iter().map(|(name, (seconds, _))| {
            let seconds = Value::Number(Number::F64(*seconds));
            SeriesSnapshot::new([("collector", &**name)], seconds)
        });
        [
            of_itself(
                MetricDef::new(
                    Kind::Gauge,
                    "collector_duration_seconds",
                    "Time that the last run of a collector took",
                )
                .with_labels(["collector"]),
                took.collect(),
            ),
            counter(
                "collector_errors_total",
                "Runs of a collector that panicked",
                &["collector"],
                failed.collect(),
            ),
            by_metric(
                "selfheal_values_rejected_total",
                "Values rejected because they are not finite or would decrease a counter",
                |family| family.rejected(),
            ),
            by_metric(
                "selfheal_exemplars_rejected_total",
                "Exemplars left out because their labels break a rule",
                |family| family.rejected_exemplars(),
            ),
            by_metric(
                "selfheal_series_overflowed_total",
                "Lookups beyond the limit of a family, recorded in its overflow series",
                |family| family.overflowed(),
            ),
            by_metric(
                "selfheal_series_expired_total",
                "Series removed because they were idle for longer than their family allows",
                |family| family.expired(),
            ),
            counter(
                "selfheal_label_values_overflowed_total",
                "Lookups with a label value that its label does not allow, recorded as other",
                &["metric", "label"],
                not_allowed.collect(),
            ),
            counter(
                "selfheal_collectors_skipped_total",
                "Collectors that panicked, metrics that clashed and collected series beyond a limit, left out",
                &[],
                skipped.into_iter().collect(),
            ),
            counter(
                "selfheal_metrics_left_out_total",
                "Times that a metric was left out because another has its name or one of its sample names",
                &["metric", "owner"],
                left_out.collect(),
            ),
        ]
    }
}

fn counter(
    name: &'static str,
    help: &'static str,
    labels: &[&'static str],
    series: Vec<SeriesSnapshot>,
) -> FamilySnapshot {
    let def = MetricDef::new(Kind::Counter, name, help).with_labels(labels.iter().copied());
    of_itself(def, series)
}

fn of_itself(mut def: MetricDef, series: Vec<SeriesSnapshot>) -> FamilySnapshot {
    def.group = "selfheal";
    FamilySnapshot {
        def: Arc::new(def),
        series,
    }
}

fn one<const N: usize>(labels: [(&str, &str); N], n: u64) -> SeriesSnapshot {
    SeriesSnapshot::new(labels, Value::Number(Number::U64(n)))
}
