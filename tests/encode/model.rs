//! Random registries, as plain data that can be compared with what a parser found.

use std::sync::Arc;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Registry, SeriesSnapshot, Text, Value,
};

/// Two raw label values.
pub(crate) type Pair = (String, String);

/// What a registry holds: a counter, a gauge and a histogram of its own, and a summary and an
/// unknown metric from a collector. Each series has the labels `a` and `b`.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) help: String,
    pub(crate) counters: Vec<(Pair, u64)>,
    pub(crate) gauges: Vec<(Pair, f64)>,
    /// With the observations.
    pub(crate) histograms: Vec<(Pair, Vec<f64>)>,
    /// With quantile 0.5, quantile 0.99, sum and count.
    pub(crate) summaries: Vec<(Pair, (f64, f64, f64, u64))>,
    pub(crate) unknown: Vec<(Pair, f64)>,
}

pub(crate) const BOUNDS: [f64; 4] = [0.001, 0.25, 1.0, 1e6];

/// Models whose texts are made of `text`. No two series of a family have the same labels.
pub(crate) fn models(
    text: impl Strategy<Value = String> + Clone + 'static,
) -> impl Strategy<Value = Model> {
    fn series<V: std::fmt::Debug + 'static>(
        text: impl Strategy<Value = String> + 'static + Clone,
        value: impl Strategy<Value = V> + Clone + 'static,
    ) -> impl Strategy<Value = Vec<(Pair, V)>> {
        btree_set((text.clone(), text), 1..6).prop_flat_map(move |labels| {
            let count = labels.len();
            (Just(labels), vec(value.clone(), count))
                .prop_map(|(labels, values)| labels.into_iter().zip(values).collect())
        })
    }
    let number = any::<f64>();
    // Not negative, and not so large that a sum overflows: OpenMetrics allows neither.
    let amount = 0.0..1e9_f64;
    (
        text.clone(),
        series(text.clone(), 0..u64::MAX / 2),
        series(text.clone(), number),
        series(text.clone(), vec(amount.clone(), 0..6)),
        series(
            text.clone(),
            (amount.clone(), amount.clone(), amount, 0..u64::MAX / 4),
        ),
        series(text, number),
    )
        .prop_map(
            |(help, counters, gauges, histograms, summaries, unknown)| Model {
                help,
                counters,
                gauges,
                histograms,
                summaries,
                unknown,
            },
        )
}

/// The pair as labels of a series.
pub(crate) fn named(pair: &Pair) -> Vec<(String, String)> {
    vec![
        ("a".to_owned(), pair.0.clone()),
        ("b".to_owned(), pair.1.clone()),
    ]
}

impl Model {
    /// A registry that holds this.
    pub(crate) fn registry(&self) -> Registry {
        let registry = Registry::new();
        // Declarations take static texts; the few of a test run may be leaked.
        let help: &'static str = Box::leak(self.help.clone().into_boxed_str());
        let labels = ["a", "b"];
        let counters = registry
            .counter("orders_total", help)
            .labels::<[Text; 2]>(labels)
            .unwrap();
        for ((a, b), value) in &self.counters {
            counters.add(&[a, b], *value);
        }
        let gauges = registry
            .float_gauge("level_ratio", help)
            .labels::<[Text; 2]>(labels)
            .unwrap();
        for ((a, b), value) in &self.gauges {
            gauges.set(&[a, b], *value);
        }
        let histograms = registry
            .histogram("latency", help)
            .buckets(&BOUNDS)
            .labels::<[Text; 2]>(labels)
            .unwrap();
        for ((a, b), values) in &self.histograms {
            let histogram = histograms.with(&[a, b]);
            for value in values {
                histogram.observe(*value);
            }
        }
        registry.collect_from(Arc::new(self.clone())).unwrap();
        registry
    }
}

impl Collector for Model {
    fn describe(&self) -> Vec<MetricDef> {
        let mut families = Vec::new();
        self.collect(&mut families);
        families
            .iter()
            .map(|family| (*family.def).clone())
            .collect()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        fn family<V>(
            def: MetricDef,
            series: &[(Pair, V)],
            value: impl Fn(&V) -> Value,
        ) -> FamilySnapshot {
            let series = series.iter().map(|((a, b), v)| {
                SeriesSnapshot::new([("a", a.as_str()), ("b", b.as_str())], value(v))
            });
            FamilySnapshot {
                series: series.collect(),
                def: Arc::new(def),
            }
        }
        let def = |kind, name| MetricDef::new(kind, name, self.help.clone());
        out.push(family(
            def(Kind::Summary, "pause"),
            &self.summaries,
            |&(median, high, sum, count)| Value::Summary {
                quantiles: vec![(0.5, median), (0.99, high)],
                sum,
                count,
            },
        ));
        out.push(family(def(Kind::Unknown, "zeta"), &self.unknown, |value| {
            Value::Number(Number::F64(*value))
        }));
    }
}
