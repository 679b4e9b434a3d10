//! Random exemplars, created times, infos and state sets are read back as they were, by
//! `openmetrics-parser` and prost; text 0.0.4 has the same series without what it does not know.

use std::sync::Arc;

use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{
    Exemplar as Parsed, MetricFamily, MetricNumber, OpenMetricsType, OpenMetricsValue,
    PrometheusValue, RenderableMetricValue,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::encode::{Format, append};
use selfheal::registry::{
    Collector, Exemplar, Family, FamilySnapshot, HistogramSnapshot, Info, LabelValue, Number,
    Registry, SeriesSnapshot, StateSet, Text, Value,
};

use crate::model::BOUNDS;
use crate::proto::{self, Timestamp};

#[derive(Clone, Copy, Debug)]
enum Door {
    Open,
    Shut,
}

impl LabelValue for Door {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["open", "sh\"ut\\"];
    fn index(&self) -> usize {
        *self as usize
    }
}

/// One series of each family by one label.
#[derive(Clone, Debug)]
struct Row {
    label: String,
    count: u64,
    /// When the counter and the histogram began.
    created: Option<f64>,
    /// When each of the histogram's observations was made, and what it was.
    observed: Vec<(f64, f64)>,
    door: Door,
}

#[derive(Clone, Debug)]
struct Rich(Vec<Row>);

fn rows() -> impl Strategy<Value = Rich> {
    let character = prop_oneof![
        3 => any::<char>(),
        2 => prop::sample::select(vec!['\\', '"', '\n', 'n', '{', '}', ',', '=', '#', ' ', '\0']),
    ];
    let text = vec(character, 0..20)
        // The parser treats a carriage return as the end of a line.
        .prop_map(|text| text.into_iter().filter(|c| *c != '\r').collect::<String>());
    let time = prop_oneof![
        (0..4_000_000_000_u32).prop_map(f64::from),
        (0..4_000_000_000_000_u64).prop_map(|ms| ms as f64 / 1_000.0),
    ];
    let row = (
        0..u64::MAX / 2,
        prop::option::of(time.clone()),
        vec((time, 0.0..1e9_f64), 0..8),
        prop::sample::select(vec![Door::Open, Door::Shut]),
    );
    btree_set(text, 1..5)
        .prop_flat_map(move |labels| {
            let rows = vec(row.clone(), labels.len());
            (Just(labels), rows)
        })
        .prop_map(|(labels, rows)| {
            let rows = labels.into_iter().zip(rows);
            let row = |(label, (count, created, observed, door))| Row {
                label,
                count,
                created,
                observed,
                door,
            };
            Rich(rows.map(row).collect())
        })
}

impl Row {
    /// The trace of an observation; the label of the series, so that it is any text.
    fn exemplar(&self, (at, value): (f64, f64)) -> Exemplar {
        Exemplar::new([("trace_id", self.label.as_str())], value, at).unwrap()
    }

    /// The count of each bucket.
    fn buckets(&self) -> Vec<Vec<(f64, f64)>> {
        let mut buckets = vec![Vec::new(); BOUNDS.len() + 1];
        for seen in &self.observed {
            buckets[BOUNDS.partition_point(|bound| *bound < seen.1)].push(*seen);
        }
        buckets
    }

    /// The last observation of each bucket.
    fn shown(&self) -> Vec<Option<(f64, f64)>> {
        let buckets = self.buckets().into_iter();
        buckets.map(|seen| seen.last().copied()).collect()
    }

    fn sum(&self) -> f64 {
        self.observed.iter().fold(0.0, |sum, seen| sum + seen.1)
    }

    fn cumulative(&self) -> Vec<u64> {
        let counts = self.buckets().into_iter().map(|seen| seen.len() as u64);
        counts
            .scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            })
            .collect()
    }

    fn histogram(&self) -> Value {
        let counts = self
            .buckets()
            .iter()
            .map(|seen| seen.len() as u64)
            .collect();
        let mut value = HistogramSnapshot::classic(BOUNDS, counts, self.sum());
        let shown = self.shown().into_iter().flatten();
        value.exemplars = shown.map(|seen| self.exemplar(seen)).collect();
        Value::Histogram(value)
    }

    fn series(&self, value: Value) -> SeriesSnapshot {
        let series = SeriesSnapshot::new([("a", self.label.as_str())], value);
        match self.created {
            Some(at) => series.created(at),
            None => series,
        }
    }
}

impl Collector for Rich {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let mut family = |kind, name, series: &dyn Fn(&Row) -> SeriesSnapshot| {
            out.push(FamilySnapshot {
                def: Arc::new(MetricDef::new(kind, name, "Help")),
                series: self.0.iter().map(series).collect(),
            });
        };
        family(Kind::Counter, "events_total", &|row| {
            let series = row.series(Value::Number(Number::U64(row.count)));
            match row.observed.first() {
                Some(seen) => series.exemplar(row.exemplar(*seen)),
                None => series,
            }
        });
        family(Kind::Histogram, "latency", &|row| {
            row.series(row.histogram())
        });
    }
}

fn registry(rich: &Rich) -> Registry {
    let registry = Registry::new();
    registry.collect_from(Arc::new(rich.clone())).unwrap();
    let doors: Family<StateSet<Door>, [Text; 1]> =
        registry.state_set("door", "Doors").labels(["a"]).unwrap();
    let models: Family<Info, [Text; 1]> =
        registry.info("model_info", "Models").labels(["a"]).unwrap();
    for row in &rich.0 {
        doors.set(&[&row.label], row.door);
        models.with(&[&row.label]);
    }
    registry
}

fn page(rich: &Rich, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let written = append(&registry(rich).scrape(), format, &mut out);
    assert_eq!(
        (written.series, written.skipped),
        (5 * rich.0.len() as u64, 0)
    );
    out
}

/// The series of a family with the label `name` of each.
fn read<'f, T: Clone, V: RenderableMetricValue + Clone>(
    family: &'f MetricFamily<T, V>,
    name: &'f str,
) -> impl Iterator<Item = (String, &'f V)> {
    family.iter_samples().map(move |sample| {
        let labels = sample.get_labelset().unwrap();
        (
            labels.get_label_value(name).unwrap().to_owned(),
            &sample.value,
        )
    })
}

fn is_exemplar(found: Option<&Parsed>, row: &Row, want: Option<(f64, f64)>) -> bool {
    match (found, want) {
        (None, None) => true,
        (Some(found), Some((at, value))) => {
            found.labels.len() == 1
                && found.labels["trace_id"] == row.label
                && (found.timestamp, found.id) == (Some(at), value)
        }
        _ => false,
    }
}

fn states(rich: &Rich) -> impl Iterator<Item = (String, f64)> {
    rich.0.iter().flat_map(|row| {
        let on = row.door.index();
        let states = Door::VALUES.iter().enumerate();
        states.map(move |(at, state)| ((*state).to_owned(), f64::from(u8::from(at == on))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn openmetrics(rich in rows()) {
        let page = String::from_utf8(page(&rich, Format::OPEN_METRICS)).unwrap();
        let families = parse_openmetrics(&page).unwrap().families;
        let events: Vec<_> = read(&families["events"], "a").collect();
        prop_assert_eq!(events.len(), rich.0.len());
        for ((label, found), row) in events.into_iter().zip(&rich.0) {
            let OpenMetricsValue::Counter(found) = found else {
                panic!("{found:?}");
            };
            prop_assert_eq!(&label, &row.label);
            prop_assert_eq!(found.value.as_i64(), i64::try_from(row.count).ok());
            prop_assert_eq!(found.created, row.created);
            let first = row.observed.first().copied();
            prop_assert!(is_exemplar(found.exemplar.as_ref(), row, first), "{:?}", found);
        }
        let latency: Vec<_> = read(&families["latency"], "a").collect();
        prop_assert_eq!(latency.len(), rich.0.len());
        for ((label, found), row) in latency.into_iter().zip(&rich.0) {
            let OpenMetricsValue::Histogram(found) = found else {
                panic!("{found:?}");
            };
            prop_assert_eq!(&label, &row.label);
            prop_assert_eq!(found.created, row.created);
            prop_assert_eq!(found.sum.map(|sum| sum.as_f64()), Some(row.sum()));
            let counts: Vec<_> = found.buckets.iter().map(|bucket| bucket.count.as_f64()).collect();
            prop_assert!(counts.iter().copied().eq(row.cumulative().into_iter().map(|n| n as f64)));
            for (bucket, want) in found.buckets.iter().zip(row.shown()) {
                prop_assert!(is_exemplar(bucket.exemplar.as_ref(), row, want), "{:?}", bucket);
            }
        }
        let door = &families["door"];
        prop_assert_eq!(&door.family_type, &OpenMetricsType::StateSet);
        let found = read(door, "door").map(|(state, value)| match value {
            OpenMetricsValue::StateSet(MetricNumber::Int(on)) => (state, *on as f64),
            other => panic!("{other:?}"),
        });
        prop_assert!(found.eq(states(&rich)));
        let model = &families["model"];
        prop_assert_eq!(&model.family_type, &OpenMetricsType::Info);
        prop_assert!(read(model, "a").map(|(label, _)| label).eq(rich.0.iter().map(|row| row.label.clone())));
    }

    #[test]
    fn text(rich in rows()) {
        let page = String::from_utf8(page(&rich, Format::TEXT)).unwrap();
        let families = parse_prometheus(&page).unwrap().families;
        prop_assert_eq!(families.len(), 4);
        for name in ["events_total", "latency", "model_info"] {
            prop_assert_eq!(read(&families[name], "a").count(), rich.0.len());
        }
        for ((label, found), row) in read(&families["events_total"], "a").zip(&rich.0) {
            let PrometheusValue::Counter(found) = found else {
                panic!("{found:?}");
            };
            prop_assert_eq!(&label, &row.label);
            prop_assert_eq!(found.value.as_i64(), i64::try_from(row.count).ok());
            prop_assert!(found.exemplar.is_none());
        }
        for ((label, found), row) in read(&families["latency"], "a").zip(&rich.0) {
            let PrometheusValue::Histogram(found) = found else {
                panic!("{found:?}");
            };
            prop_assert_eq!(&label, &row.label);
            prop_assert_eq!(found.count, Some(row.observed.len() as u64));
            prop_assert!(found.buckets.iter().all(|bucket| bucket.exemplar.is_none()));
        }
        let found = read(&families["door"], "door").map(|(state, value)| match value {
            PrometheusValue::Gauge(on) => (state, on.as_f64()),
            other => panic!("{other:?}"),
        });
        prop_assert!(found.eq(states(&rich)));
    }

    #[test]
    fn protobuf(rich in rows()) {
        let families = proto::decode(&page(&rich, Format::PROTOBUF));
        let [door, events, latency, model] = &families[..] else {
            panic!("{families:?}");
        };
        for (metric, row) in events.metric.iter().zip(&rich.0) {
            let found = metric.counter.as_ref().unwrap();
            prop_assert_eq!(metric.label[0].value(), &row.label);
            prop_assert_eq!(found.value(), row.count as f64);
            prop_assert!(same_time(found.created_timestamp, row.created));
            let first = row.observed.first().copied();
            prop_assert!(same_exemplar(found.exemplar.as_ref(), row, first), "{:?}", found);
        }
        prop_assert_eq!(events.metric.len(), rich.0.len());
        for (metric, row) in latency.metric.iter().zip(&rich.0) {
            let found = metric.histogram.as_ref().unwrap();
            prop_assert_eq!(metric.label[0].value(), &row.label);
            prop_assert!(same_time(found.created_timestamp, row.created));
            let counts: Vec<_> = found.bucket.iter().map(proto::Bucket::cumulative_count).collect();
            prop_assert_eq!(counts, row.cumulative());
            for (bucket, want) in found.bucket.iter().zip(row.shown()) {
                prop_assert!(same_exemplar(bucket.exemplar.as_ref(), row, want), "{:?}", bucket);
            }
        }
        prop_assert_eq!(latency.metric.len(), rich.0.len());
        prop_assert_eq!((door.kind(), model.kind()), (1, 1), "gauges");
        let found = door.metric.iter().map(|metric| {
            let state = metric.label.iter().find(|label| label.name() == "door").unwrap();
            (state.value().to_owned(), metric.gauge.as_ref().unwrap().value())
        });
        prop_assert!(found.eq(states(&rich)));
        prop_assert!(model.metric.iter().all(|metric| metric.gauge.as_ref().unwrap().value() == 1.0));
    }
}

/// Times of today in an `f64` are right to less than a microsecond.
fn same_time(found: Option<Timestamp>, want: Option<f64>) -> bool {
    match (found, want) {
        (None, None) => true,
        (Some(found), Some(want)) => {
            let seconds = found.seconds as f64 + f64::from(found.nanos) / 1e9;
            (0..1_000_000_000).contains(&found.nanos) && (seconds - want).abs() < 1e-6
        }
        _ => false,
    }
}

fn same_exemplar(found: Option<&proto::Exemplar>, row: &Row, want: Option<(f64, f64)>) -> bool {
    match (found, want) {
        (None, None) => true,
        (Some(found), Some((at, value))) => {
            proto::pairs(&found.label) == [("trace_id".to_owned(), row.label.clone())]
                && found.value() == value
                && same_time(found.timestamp, Some(at))
        }
        _ => false,
    }
}
