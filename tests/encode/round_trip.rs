//! Whatever a registry holds is read back as it was: by `openmetrics-parser`, which has a strict
//! grammar for both text formats, and, for what that one gets wrong, by `prometheus-parse`.
//!
//! Where the parsers are wrong:
//! - `openmetrics-parser` ends a line at a carriage return, which both formats allow in label
//!   values and help texts. Only `prometheus-parse` reads those here.
//! - `prometheus-parse` ends the labels at the first `}`, splits them at every `,` and `=`, and
//!   leaves escapes as they are. It reads only texts without these here.
//! - `openmetrics-parser` refuses `# UNIT` for a histogram, which OpenMetrics allows: the golden
//!   test holds that line.

use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{
    HistogramValue, MetricFamily, MetricsExposition, OpenMetricsType, OpenMetricsValue,
    PrometheusType, PrometheusValue, RenderableMetricValue, SummaryValue,
};
use prometheus_parse::{LineInfo, Scrape};
use proptest::prelude::*;
use selfheal::encode::{Format, append};

use crate::model::{BOUNDS, Model, Pair, models, named};

fn page(model: &Model, format: Format) -> String {
    let mut out = Vec::new();
    let written = append(&model.registry().scrape(), format, &mut out);
    assert_eq!(written.skipped, 0);
    String::from_utf8(out).unwrap()
}

/// Any text of at most 40 characters, often with those that need escapes.
fn text() -> impl Strategy<Value = String> + Clone {
    let character = prop_oneof![
        4 => any::<char>(),
        2 => prop::sample::select(vec!['\\', '"', '\n', 'n', '{', '}', ',', '=', '#', ' ', '\0', '\t']),
    ];
    prop::collection::vec(character, 0..40)
        .prop_map(|text| text.into_iter().filter(|c| *c != '\r').collect())
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// The series of a family in order, with their labels.
fn read<T: Clone, V: RenderableMetricValue + Clone>(
    family: &MetricFamily<T, V>,
) -> Vec<(Vec<(String, String)>, V)> {
    family
        .iter_samples()
        .map(|sample| {
            let labels = sample.get_labelset().unwrap();
            let labels = labels.iter().map(|(n, v)| (n.clone(), v.clone()));
            (labels.collect(), sample.value.clone())
        })
        .collect()
}

/// Compares a family with what it was made of, series by series.
fn compare<T: Clone, V: RenderableMetricValue + Clone, W: std::fmt::Debug>(
    families: &MetricsExposition<T, V>,
    name: &str,
    help: &str,
    want: &[(Pair, W)],
    equal: impl Fn(&V, &W) -> bool,
) {
    let family = &families.families[name];
    assert_eq!(family.help, help, "help of {name}");
    let found = read(family);
    assert_eq!(found.len(), want.len(), "series of {name}");
    for ((labels, value), (pair, wanted)) in found.iter().zip(want) {
        assert_eq!(labels, &named(pair), "labels of {name}");
        assert!(equal(value, wanted), "value of {name}: wanted {wanted:?}");
    }
}

#[allow(
    clippy::ptr_arg,
    reason = "it is compared with the elements of a Vec of Vecs"
)]
fn is_histogram(found: &HistogramValue, observed: &Vec<f64>) -> bool {
    let within = |bound: f64| observed.iter().filter(|value| **value <= bound).count() as f64;
    let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
    found.buckets.len() == BOUNDS.len() + 1
        && bounds
            .zip(&found.buckets)
            .all(|(bound, found)| found.upper_bound == bound && found.count.as_f64() == within(bound))
        && found.count == Some(observed.len() as u64)
        // Observed in the same order, so that the sum is the same to the bit.
        && found.sum.unwrap().as_f64() == observed.iter().fold(0.0, |sum, value| sum + value)
}

fn is_summary(found: &SummaryValue, want: &(f64, f64, f64, u64)) -> bool {
    let quantiles: Vec<_> = found
        .quantiles
        .iter()
        .map(|found| (found.quantile, found.value.as_f64()))
        .collect();
    quantiles == [(0.5, want.0), (0.99, want.1)]
        && found.sum.unwrap().as_f64() == want.2
        && found.count == Some(want.3)
}

/// The names after `# TYPE`, in the order of the page.
fn order(page: &str) -> Vec<&str> {
    page.split('\n')
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn text_survives(model in models(text())) {
        let page = page(&model, Format::TEXT);
        let families = parse_prometheus(&page).unwrap();
        let help = &model.help;
        compare(&families, "orders_total", help, &model.counters, |found, want| {
            matches!(found, PrometheusValue::Counter(found) if found.value.as_i64() == i64::try_from(*want).ok())
        });
        for (name, want) in [("level_ratio", &model.gauges), ("zeta", &model.unknown)] {
            compare(&families, name, help, want, |found, want| match found {
                PrometheusValue::Gauge(found) | PrometheusValue::Unknown(found) => same(found.as_f64(), *want),
                _ => false,
            });
        }
        compare(&families, "latency", help, &model.histograms, |found, want| {
            matches!(found, PrometheusValue::Histogram(found) if is_histogram(found, want))
        });
        compare(&families, "pause", help, &model.summaries, |found, want| {
            matches!(found, PrometheusValue::Summary(found) if is_summary(found, want))
        });
        prop_assert_eq!(&families.families["zeta"].family_type, &PrometheusType::Unknown);
        prop_assert_eq!(order(&page), ["latency", "level_ratio", "orders_total", "pause", "zeta"]);
    }

    #[test]
    fn openmetrics_survives(model in models(text())) {
        let page = page(&model, Format::OPEN_METRICS);
        let families = parse_openmetrics(&page).unwrap();
        let help = &model.help;
        compare(&families, "orders", help, &model.counters, |found, want| {
            matches!(found, OpenMetricsValue::Counter(found) if found.value.as_i64() == i64::try_from(*want).ok())
        });
        for (name, want) in [("level_ratio", &model.gauges), ("zeta", &model.unknown)] {
            compare(&families, name, help, want, |found, want| match found {
                OpenMetricsValue::Gauge(found) | OpenMetricsValue::Unknown(found) => same(found.as_f64(), *want),
                _ => false,
            });
        }
        compare(&families, "latency", help, &model.histograms, |found, want| {
            matches!(found, OpenMetricsValue::Histogram(found) if is_histogram(found, want))
        });
        compare(&families, "pause", help, &model.summaries, |found, want| {
            matches!(found, OpenMetricsValue::Summary(found) if is_summary(found, want))
        });
        prop_assert_eq!(&families.families["level_ratio"].unit, "ratio");
        prop_assert_eq!(&families.families["orders"].family_type, &OpenMetricsType::Counter);
        prop_assert_eq!(order(&page), ["latency", "level_ratio", "orders", "pause", "zeta"]);
        prop_assert!(page.ends_with("\n# EOF\n"));
    }

    /// Carriage returns, and floats to the last bit.
    #[test]
    fn a_second_parser_agrees(model in models("[a-zA-Z0-9ä\r\0 ./:-]{0,20}")) {
        let page = page(&model, Format::TEXT);
        let scrape = Scrape::parse(page.split('\n').map(|line| Ok(line.to_owned()))).unwrap();
        let found: Vec<_> = scrape.samples.iter().filter(|sample| sample.metric == "level_ratio").collect();
        prop_assert_eq!(found.len(), model.gauges.len());
        for (found, (pair, want)) in found.iter().zip(&model.gauges) {
            let prometheus_parse::Value::Gauge(value) = found.value else {
                panic!("not a gauge: {found:?}");
            };
            prop_assert!(value.to_bits() == want.to_bits() || value.is_nan() && want.is_nan());
            prop_assert_eq!(found.labels.get("a"), Some(pair.0.as_str()));
            prop_assert_eq!(found.labels.get("b"), Some(pair.1.as_str()));
        }
        // Each line is metadata or a sample.
        for line in page.lines().filter(|line| !line.starts_with("# HELP")) {
            prop_assert!(!matches!(LineInfo::parse(line), LineInfo::Ignored), "{line:?}");
        }
    }
}
