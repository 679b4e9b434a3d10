//! The protobuf format, decoded by prost from messages written down after the published
//! definition (`io/prometheus/client/metrics.proto` of github.com/prometheus/client_model).

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use prost::Message;
use selfheal::encode::{CHUNK, Encoding, Format, append, encode};
use selfheal::registry::{Registry, Settings, Text};

use crate::model::{BOUNDS, Model, Pair, models, named};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LabelPair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

/// A gauge, a counter or an untyped value.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Single {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Quantile {
    #[prost(double, optional, tag = "1")]
    quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Single>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Single>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Single>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    help: Option<String>,
    /// The enum `MetricType`, as its number.
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

fn decode(mut bytes: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut bytes).unwrap());
    }
    families
}

fn labels(metric: &Metric) -> Vec<(String, String)> {
    metric
        .label
        .iter()
        .map(|pair| (pair.name().to_owned(), pair.value().to_owned()))
        .collect()
}

fn compare<W: std::fmt::Debug>(
    family: &MetricFamily,
    (name, kind, help): (&str, i32, &str),
    want: &[(Pair, W)],
    equal: impl Fn(&Metric, &W) -> bool,
) {
    assert_eq!(
        (family.name(), family.kind(), family.help()),
        (name, kind, help)
    );
    assert_eq!(family.metric.len(), want.len(), "series of {name}");
    for (metric, (pair, want)) in family.metric.iter().zip(want) {
        assert_eq!(labels(metric), named(pair), "labels of {name}");
        assert!(
            equal(metric, want),
            "value of {name}: {metric:?}, wanted {want:?}"
        );
    }
}

fn is(found: Option<&Single>, want: f64) -> bool {
    found.and_then(|found| found.value).map(f64::to_bits) == Some(want.to_bits())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn protobuf_survives(model in models(any::<String>().prop_map(|text| text.chars().take(40).collect::<String>()))) {
        let mut out = Vec::new();
        append(&model.registry().scrape(), Format::PROTOBUF, &mut out);
        let families = decode(&out);
        let [latency, level, orders, pause, zeta] = &families[..] else {
            panic!("{families:?}");
        };
        let Model { help, counters, gauges, histograms, summaries, unknown } = &model;
        compare(orders, ("orders_total", 0, help), counters, |found, want| {
            is(found.counter.as_ref(), *want as f64)
        });
        compare(level, ("level_ratio", 1, help), gauges, |found, want| is(found.gauge.as_ref(), *want));
        compare(zeta, ("zeta", 3, help), unknown, |found, want| is(found.untyped.as_ref(), *want));
        compare(pause, ("pause", 2, help), summaries, |found, &(median, high, sum, count)| {
            let quantile = |quantile, value| Quantile { quantile: Some(quantile), value: Some(value) };
            found.summary == Some(Summary {
                sample_count: Some(count),
                sample_sum: Some(sum),
                quantile: vec![quantile(0.5, median), quantile(0.99, high)],
            })
        });
        compare(latency, ("latency", 4, help), histograms, |found, want| {
            let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
            found.histogram == Some(Histogram {
                sample_count: Some(want.len() as u64),
                sample_sum: Some(want.iter().fold(0.0, |sum, value| sum + value)),
                bucket: bounds
                    .map(|bound| Bucket {
                        cumulative_count: Some(want.iter().filter(|value| **value <= bound).count() as u64),
                        upper_bound: Some(bound),
                    })
                    .collect(),
            })
        });
    }
}

#[test]
fn global_labels_and_a_large_family_in_several_messages() {
    let mut settings = Settings::default();
    settings.max_series_per_family = 10_000;
    settings.global_labels.insert("env".into(), "a\"b\\".into());
    settings.global_labels.insert("n".into(), "not this".into());
    let registry = Registry::with_settings(settings);
    let family = registry
        .counter("things_total", "Things")
        .labels::<[Text; 1]>(["n"])
        .unwrap();
    for n in 0..10_000 {
        family.add(&[n.to_string()], n);
    }
    let mut out = Vec::new();
    let written = encode(
        &registry.scrape(),
        Format::PROTOBUF,
        Encoding::Identity,
        &mut out,
    )
    .unwrap();
    assert_eq!(written.bytes, out.len() as u64);
    let families = decode(&out);
    assert!(families.len() > 3);
    assert!(
        families
            .iter()
            .all(|part| part.name() == "things_total" && part.kind == Some(0))
    );
    assert!(families.iter().all(|part| part.encoded_len() < CHUNK + 100));
    let metrics: Vec<_> = families.iter().flat_map(|part| &part.metric).collect();
    assert_eq!(metrics.len(), 10_000);
    for (n, metric) in metrics.iter().enumerate() {
        let want = [("env", "a\"b\\".to_owned()), ("n", n.to_string())];
        assert_eq!(
            labels(metric),
            want.map(|(name, value)| (name.to_owned(), value))
        );
        assert!(is(metric.counter.as_ref(), n as f64));
    }
}
