//! The protobuf format, decoded by prost.

use proptest::prelude::*;
use prost::Message;
use selfheal::catalog::Native;
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

/// The page as a server writes it, in chunks.
fn streamed(registry: &Registry) -> Vec<u8> {
    let mut out = Vec::new();
    let scrape = registry.scrape();
    let written = encode(&scrape, Format::PROTOBUF, Encoding::Identity, &mut out).unwrap();
    assert_eq!(written.bytes, out.len() as u64);
    assert_eq!(written.skipped, 0);
    out
}

#[test]
fn global_labels_and_a_family_of_several_chunks() {
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = 300_000;
    settings.global_labels.insert("env".into(), "a\"b\\".into());
    settings.global_labels.insert("n".into(), "not this".into());
    let registry = Registry::with_settings(settings);
    let family = registry
        .counter("things_total", "Things")
        .labels::<[Text; 1]>(["n"])
        .unwrap();
    registry.gauge("after", "").build().unwrap();
    let mut known = 0;
    for series in [9_000, 300_000] {
        for n in known..series {
            family.add(&[n.to_string()], n);
        }
        known = series;
        let out = streamed(&registry);
        assert!(out.len() > 2 * CHUNK);
        let families = decode(&out);
        let things: Vec<_> = families
            .iter()
            .filter(|one| one.name() == "things_total")
            .collect();
        assert_eq!(things.len(), 1, "one message");
        assert_eq!(
            families.iter().filter(|one| one.name() == "after").count(),
            1
        );
        assert_eq!(things[0].kind, Some(0));
        let filled = out.len() - families.iter().map(Message::encoded_len).sum::<usize>();
        assert!(filled < 2 * CHUNK, "{filled} bytes are no data");
        assert_eq!(things[0].metric.len() as u64, series);
        for (n, metric) in things[0].metric.iter().enumerate() {
            let want = [("env", "a\"b\\".to_owned()), ("n", n.to_string())];
            assert_eq!(
                pairs(&metric.label),
                want.map(|(name, value)| (name.to_owned(), value))
            );
            assert_eq!(metric.counter.as_ref().unwrap().value(), n as f64);
        }
    }
}

/// Takes a page, and runs `meanwhile` when it has the first part of it.
struct Meanwhile<F>(Vec<u8>, Option<F>);

impl<F: FnOnce()> std::io::Write for Meanwhile<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if let Some(meanwhile) = self.1.take() {
            meanwhile();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_changes_between_its_length_and_its_end_does_not_break_a_message() {
    const SERIES: usize = 3_000;
    let registry = Registry::new();
    let took = registry
        .histogram("took_seconds", "")
        .native(Native::default())
        .labels::<[Text; 1]>(["n"])
        .unwrap();
    let jobs = registry
        .counter("jobs_total", "")
        .labels::<[Text; 1]>(["n"])
        .unwrap();
    let name = |n: usize| [format!("{n:0>40}")];
    for n in 0..SERIES {
        took.observe(&name(n), 1.0);
        jobs.inc(&name(n));
    }
    // Counts take a byte more, native buckets and exemplars appear, series are added and removed.
    let grow = |from: usize| {
        for n in from..SERIES {
            for value in [0.1, 1.0, 1.5, 2.0] {
                took.observe_with_exemplar(&name(n), value, |labels| {
                    labels.push("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
                });
            }
            (0..200).for_each(|_| took.observe(&name(n), 1.0));
            jobs.inc_with_exemplar(&name(n), |labels| {
                labels.push("trace_id", "4bf92f3577b34da6");
            });
            jobs.inc(&name(SERIES + n));
        }
    };
    for round in 0..2 {
        let mut out = Meanwhile(Vec::new(), Some(|| grow(100)));
        let scrape = registry.scrape();
        let written = encode(&scrape, Format::PROTOBUF, Encoding::Identity, &mut out).unwrap();
        assert_eq!(written.skipped, 0, "round {round}");
        let families = decode(&out.0);
        for (family, least) in [("took_seconds", SERIES), ("jobs_total", SERIES)] {
            let all: Vec<_> = families.iter().filter(|one| one.name() == family).collect();
            assert_eq!(all.len(), 1);
            assert!(
                all[0].metric.len() >= least,
                "{family}: {}",
                all[0].metric.len()
            );
        }
    }
    // Half of them are removed while it is sent.
    let mut out = Meanwhile(
        Vec::new(),
        Some(|| {
            for n in 1_000..SERIES {
                took.remove(&name(n));
                jobs.remove(&name(n));
            }
        }),
    );
    encode(
        &registry.scrape(),
        Format::PROTOBUF,
        Encoding::Identity,
        &mut out,
    )
    .unwrap();
    let families = decode(&out.0);
    let took: Vec<_> = families
        .iter()
        .filter(|one| one.name() == "took_seconds")
        .collect();
    assert_eq!(took.len(), 1);
    assert!(
        (1_000..SERIES).contains(&took[0].metric.len()),
        "{}",
        took[0].metric.len()
    );
}
