//! The protobuf format, decoded by prost.

use proptest::prelude::*;
use prost::Message;
use selfheal::encode::{CHUNK, Encoding, Format, append, encode};
use selfheal::registry::{Registry, Settings, Text};

use crate::model::{BOUNDS, Model, Pair, models, named};
use crate::proto::{
    Bucket, Histogram, Metric, MetricFamily, Quantile, Single, Summary, decode, pairs,
};

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
        assert_eq!(pairs(&metric.label), named(pair), "labels of {name}");
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
    #![proptest_config(ProptestConfig::with_cases(128))]

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
            found.counter.as_ref().is_some_and(|found| found.value() == *want as f64)
        });
        compare(level, ("level_ratio", 1, help), gauges, |found, want| is(found.gauge.as_ref(), *want));
        compare(zeta, ("zeta", 3, help), unknown, |found, want| is(found.untyped.as_ref(), *want));
        compare(pause, ("pause", 2, help), summaries, |found, &(median, high, sum, count)| {
            let quantile = |quantile, value| Quantile { quantile: Some(quantile), value: Some(value) };
            found.summary == Some(Summary {
                sample_count: Some(count),
                sample_sum: Some(sum),
                quantile: vec![quantile(0.5, median), quantile(0.99, high)],
                ..Summary::default()
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
                        exemplar: None,
                    })
                    .collect(),
                ..Histogram::default()
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
            pairs(&metric.label),
            want.map(|(name, value)| (name.to_owned(), value))
        );
        assert_eq!(metric.counter.as_ref().unwrap().value(), n as f64);
    }
}
