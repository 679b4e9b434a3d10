//! Native histograms: spans and deltas in protobuf, one bucket in the text formats.

use std::collections::BTreeMap;

use proptest::prelude::*;
use selfheal::catalog::Kind;
use selfheal::encode::Format;
use selfheal::registry::{FamilySnapshot, HistogramSnapshot, NativeBuckets, Value};

use crate::given::{family, page, series, text};
use crate::proto::{self, BucketSpan, Histogram};

fn one(value: HistogramSnapshot) -> Vec<FamilySnapshot> {
    vec![family(
        Kind::Histogram,
        "took",
        [series("", Value::Histogram(value))],
    )]
}

/// Its form in protobuf; `None` if it is left out.
fn encoded(value: HistogramSnapshot) -> Option<Histogram> {
    let (page, written) = page(one(value), Format::PROTOBUF);
    assert_eq!(written.series + written.skipped, 1);
    let mut families = proto::decode(&page);
    assert_eq!(families.len() as u64, written.series);
    families.pop()?.metric.pop()?.histogram
}

/// The buckets that spans and deltas stand for, as the specification has it: the offset of the
/// first span is an index, that of the others a gap; a delta is the change to the bucket before.
fn buckets(spans: &[BucketSpan], deltas: &[i64]) -> BTreeMap<i32, i64> {
    let mut deltas = deltas.iter();
    let mut all = BTreeMap::new();
    let (mut index, mut count) = (0, 0);
    for span in spans {
        index += span.offset();
        for _ in 0..span.length() {
            count += deltas.next().unwrap();
            all.insert(index, count);
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None, "a delta without a bucket");
    all
}

fn filled(buckets: BTreeMap<i32, i64>) -> Vec<(i32, u64)> {
    buckets
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(index, count)| (index, u64::try_from(count).unwrap()))
        .collect()
}

#[test]
fn spans_and_deltas() {
    let native = NativeBuckets {
        zero_count: 2,
        positive: vec![(-2, 1), (-1, 5), (2, 4), (9, 1)],
        negative: vec![(3, 7)],
        ..NativeBuckets::new(3, 1e-9)
    };
    let found = encoded(HistogramSnapshot::native(native, -2.5)).unwrap();
    let span = |offset, length| BucketSpan {
        offset: Some(offset),
        length: Some(length),
    };
    assert_eq!(
        found,
        Histogram {
            sample_count: Some(20),
            sample_sum: Some(-2.5),
            schema: Some(3),
            zero_threshold: Some(1e-9),
            zero_count: Some(2),
            negative_span: vec![span(3, 1)],
            negative_delta: vec![7],
            // A gap of two is filled with empty buckets, one of six is left.
            positive_span: vec![span(-2, 5), span(6, 1)],
            positive_delta: vec![1, 4, -5, 0, 4, -3],
            ..Histogram::default()
        }
    );
}

#[test]
fn one_without_observations_can_be_distinguished_from_a_classic_one() {
    let empty = |threshold| {
        encoded(HistogramSnapshot::native(
            NativeBuckets::new(2, threshold),
            0.0,
        ))
        .unwrap()
    };
    let found = empty(0.0);
    assert_eq!(found.positive_span.len(), 1);
    assert_eq!(
        (
            found.positive_span[0].offset(),
            found.positive_span[0].length()
        ),
        (0, 0)
    );
    assert!(found.bucket.is_empty() && found.positive_delta.is_empty());
    // Because of the zero bucket.
    assert!(empty(1e-100).positive_span.is_empty());
}

#[test]
fn both_kinds_of_buckets() {
    let mut value = HistogramSnapshot::classic([1.0, 2.0], vec![1, 2, 3], 9.0);
    value.native = Some(NativeBuckets {
        positive: vec![(0, 1), (1, 5)],
        ..NativeBuckets::new(0, 0.0)
    });
    let found = encoded(value.clone()).unwrap();
    let cumulative: Vec<_> = found
        .bucket
        .iter()
        .map(proto::Bucket::cumulative_count)
        .collect();
    assert_eq!((found.sample_count(), cumulative), (6, vec![1, 3, 6]));
    assert_eq!(found.positive_delta, [1, 4]);
    // Text has the classic ones only.
    value.native = None;
    let mut both = value.clone();
    both.native = Some(NativeBuckets::new(0, 0.0));
    assert_eq!(
        text(one(both), Format::TEXT),
        text(one(value), Format::TEXT)
    );
}

#[test]
fn text_has_sum_count_and_one_bucket() {
    let native = NativeBuckets {
        zero_count: 1,
        positive: vec![(4, 6)],
        ..NativeBuckets::new(0, 0.0)
    };
    let want = "# TYPE took histogram\n\
                took_bucket{env=\"prod\",le=\"+Inf\"} 7\n\
                took_sum{env=\"prod\"} 55.5\n\
                took_count{env=\"prod\"} 7\n";
    let value = HistogramSnapshot::native(native.clone(), 55.5);
    assert_eq!(text(one(value.clone()), Format::TEXT), want);
    assert_eq!(
        text(one(value), Format::OPEN_METRICS),
        format!("{want}# EOF\n")
    );
    // OpenMetrics has no sum if it may decrease.
    let negative = NativeBuckets {
        negative: vec![(0, 1)],
        ..native
    };
    let value = HistogramSnapshot::native(negative, -3.0);
    assert_eq!(
        text(one(value), Format::OPEN_METRICS),
        "# TYPE took histogram\ntook_bucket{env=\"prod\",le=\"+Inf\"} 8\n# EOF\n"
    );
}

#[test]
fn buckets_that_prometheus_would_refuse_cost_their_own_series() {
    let good = NativeBuckets::new(0, 0.0);
    let with = |positive: &[(i32, u64)]| NativeBuckets {
        positive: positive.to_vec(),
        ..good.clone()
    };
    for bad in [
        NativeBuckets::new(9, 0.0),
        NativeBuckets::new(-5, 0.0),
        NativeBuckets::new(0, -1.0),
        NativeBuckets::new(0, f64::NAN),
        NativeBuckets::new(0, f64::INFINITY),
        with(&[(1, 1), (1, 1)]),
        with(&[(2, 1), (1, 1)]),
        with(&[(i32::MIN, 1), (i32::MAX, 1)]),
        with(&[(1, u64::MAX)]),
    ] {
        let value = HistogramSnapshot::native(bad.clone(), 0.0);
        assert_eq!(encoded(value), None, "{bad:?}");
    }
    let mut half = HistogramSnapshot::native(good, 0.0);
    half.bounds = [1.0].into();
    assert_eq!(encoded(half), None);
}

fn side() -> impl Strategy<Value = Vec<(i32, u64)>> {
    prop::collection::btree_map(-40_i32..40, 1..1_u64 << 40, 0..20)
        .prop_map(|side| side.into_iter().collect())
}

proptest! {
    #[test]
    fn any_buckets_are_read_back(
        positive in side(),
        negative in side(),
        zero_count in 0..100_u64,
        threshold in prop_oneof![Just(0.0), 0.0..1.0],
        schema in -4_i8..=8,
        sum in any::<f64>(),
    ) {
        let native = NativeBuckets {
            zero_count,
            positive: positive.clone(),
            negative: negative.clone(),
            ..NativeBuckets::new(schema, threshold)
        };
        let count = native.count();
        let found = encoded(HistogramSnapshot::native(native, sum)).unwrap();
        prop_assert_eq!(found.sample_count(), count);
        prop_assert_eq!(found.sample_sum().to_bits(), sum.to_bits());
        prop_assert_eq!(found.schema(), i32::from(schema));
        prop_assert_eq!((found.zero_count(), found.zero_threshold()), (zero_count, threshold));
        // Prometheus distinguishes it from a classic histogram by this.
        let native = !found.positive_span.is_empty() || !found.negative_span.is_empty();
        prop_assert!(native || zero_count > 0 || threshold > 0.0);
        prop_assert_eq!(filled(buckets(&found.positive_span, &found.positive_delta)), positive);
        prop_assert_eq!(filled(buckets(&found.negative_span, &found.negative_delta)), negative);
    }
}
