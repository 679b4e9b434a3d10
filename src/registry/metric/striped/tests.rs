//! Striped and plain metrics give the same results.

use proptest::prelude::*;

use super::*;
use crate::catalog::Native;
use crate::registry::{
    Declare, Family, FamilySettings, Histogram, HistogramSnapshot, Registry, Settings, Text,
};

/// Zero, values near it, and values of both signs and all magnitudes whose sum is sufficiently
/// exact.
fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => Just(0.0),
        1 => Just(1e-50),
        10 => (-40.0..40.0_f64).prop_map(f64::exp2),
        5 => (-40.0..40.0_f64).prop_map(|power| -power.exp2()),
    ]
}

/// Few buckets, so that many histograms exceed them. The zero bucket has bounds that buckets of all
/// schemas have: elsewhere the order of values matters.
fn any_native() -> impl Strategy<Value = Native> {
    (-4..=8_i8, 1..60_u32, prop_oneof![Just(0.0), Just(1.0)]).prop_map(|(schema, max, zero)| {
        let native = Native::schema(schema).max_buckets(max);
        native.max_zero_threshold(zero)
    })
}

fn declare<'r>(
    registry: &'r Registry,
    name: &'static str,
    native: Option<Native>,
    classic: bool,
) -> Declare<'r, Histogram> {
    let declared = registry.histogram(name, "");
    let declared = declared.buckets(&[-1000.0, -0.5, 0.0, 1e-3, 1.0, 2.0, 1e6]);
    match native {
        None => declared,
        Some(native) if classic => declared.native(native),
        Some(native) => declared.native_only(native),
    }
}

proptest! {
    // Each case starts threads.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_striped_histogram_is_as_one_that_is_not(
        observed in prop::collection::vec((any_value(), 1..4_u32), 1..300),
        threads in 1..5_usize,
        native in prop::option::of(any_native()),
        classic: bool,
    ) {
        let registry = Registry::new();
        let single = declare(&registry, "single", native, classic).build().unwrap();
        let striped = declare(&registry, "striped", native, classic).striped().build().unwrap();
        for (value, n) in &observed {
            single.observe_n(*value, *n);
        }
        std::thread::scope(|scope| {
            for first in 0..threads {
                let (striped, observed) = (&striped, &observed);
                scope.spawn(move || {
                    for (value, n) in observed.iter().skip(first).step_by(threads) {
                        striped.observe_n(*value, *n);
                    }
                });
            }
        });
        let (single, striped) = (single.snapshot(), striped.snapshot());
        let all: f64 = observed.iter().map(|(value, n)| value.abs() * f64::from(*n)).sum();
        prop_assert!((single.sum - striped.sum).abs() <= all * 1e-12);
        let limit = native.map_or(0, |native| native.max_buckets as usize);
        if let Some(native) = &striped.native {
            let buckets = native.positive.len() + native.negative.len();
            prop_assert!(buckets <= limit || native.schema == -4);
        }
        prop_assert_eq!(HistogramSnapshot { sum: single.sum, ..striped }, single);
    }
}

#[test]
fn the_threads_of_a_histogram_share_its_exemplars() {
    let registry = Registry::new();
    let declared = declare(&registry, "a", None, true).striped();
    let family: Family<StripedHistogram, [Text; 1]> = declared.labels(["x"]).unwrap();
    let handle = family.with(&["y"]);
    let offer = |value: f64, id: &str| {
        std::thread::scope(|scope| {
            scope.spawn(|| handle.observe_with_exemplar(value, |labels| labels.push("id", id)));
        });
    };
    let kept = || -> Vec<String> {
        let exemplars = handle.snapshot().exemplars;
        let ids = exemplars.iter().map(|kept| kept.labels().to_owned());
        ids.collect()
    };
    assert!(kept().is_empty());
    offer(1.5, "1");
    offer(1.7, "2");
    offer(-2.0, "3");
    family.observe_with_exemplar(&["y"], 0.5, |labels| labels.push("id", "4"));
    assert_eq!(kept(), ["id=\"3\"", "id=\"4\"", "id=\"1\""]);
    offer(1.7, "5");
    assert_eq!(kept(), ["id=\"3\"", "id=\"4\"", "id=\"5\""]);
    assert_eq!(handle.snapshot().count(), 5);
}

#[test]
fn an_operator_may_ask_for_native_buckets_of_a_striped_histogram() {
    let mut settings = Settings::default();
    let over = FamilySettings {
        native: Some(Native::schema(0)),
        ..FamilySettings::default()
    };
    settings.metrics.family.insert("a".to_owned(), over);
    let registry = Registry::with_settings(settings);
    let histogram = registry.histogram("a", "").striped().build().unwrap();
    histogram.observe(3.0);
    let seen = histogram.snapshot();
    assert_eq!(
        seen.native.map(|native| native.positive),
        Some(vec![(2, 1)])
    );
    assert_eq!(seen.counts.iter().sum::<u64>(), 1);
    assert!(registry.unused_settings().is_empty());
}

#[test]
fn a_striped_series_may_have_buckets_of_its_own() {
    let registry = Registry::new();
    let declared = registry.histogram("a", "").striped().buckets(&[1.0]);
    let family: Family<StripedHistogram, [Text; 1]> = declared.labels(["x"]).unwrap();
    let bounds: Vec<f64> = (0..40).map(f64::from).collect();
    let own = family.with_buckets(&["y"], &bounds.into()).unwrap();
    own.observe(38.5);
    family.observe(&["y"], 39.5);
    family.observe(&["z"], 0.5);
    let series = family.snapshot().series.len();
    assert_eq!(
        (own.snapshot().counts[39..].to_vec(), series),
        (vec![1, 1], 2)
    );
}
