use std::collections::BTreeMap;

use proptest::prelude::*;

use super::table::{Bucket, Key, Scale, Table};
use super::*;
use crate::catalog::Native;
use crate::registry::exponential::{COARSEST_SCHEMA, FINEST_SCHEMA, upper_bound};
use crate::registry::snapshot::NativeBuckets;

fn buckets(native: Native) -> Buckets {
    Buckets::new(&Plan::new(&native), 2)
}

fn read(buckets: &Buckets) -> NativeBuckets {
    let mut out = NativeBuckets::default();
    buckets.read(&mut out);
    out
}

fn observe(buckets: &Buckets, value: f64) {
    add_alone(buckets.find(value).unwrap().count().unwrap(), 1);
}

/// The expected buckets, recounted from the values.
fn counted(values: &[f64], at: &NativeBuckets) -> NativeBuckets {
    let mut out = NativeBuckets::new(at.schema, at.zero_threshold);
    let mut sides = [BTreeMap::new(), BTreeMap::new()];
    for value in values {
        if value.abs() <= at.zero_threshold {
            out.zero_count += 1;
            continue;
        }
        // A binary search over the bounds, to compare with the lookup by bits.
        let (mut least, mut index) = (-80_000_i32, 80_000);
        while least < index {
            let middle = (least + index).div_euclid(2);
            if value.abs() <= upper_bound(middle, at.schema) {
                index = middle;
            } else {
                least = middle + 1;
            }
        }
        *sides[usize::from(*value < 0.0)].entry(index).or_insert(0) += 1;
    }
    let [positive, negative] = sides;
    out.positive = positive.into_iter().collect();
    out.negative = negative.into_iter().collect();
    out
}

#[test]
fn before_the_first_value_there_is_nothing() {
    let seen = read(&buckets(Native::schema(5).zero_threshold(1e-3)));
    assert_eq!(seen, NativeBuckets::new(5, 1e-3));
}

#[test]
fn zero_and_what_is_next_to_it() {
    let buckets = buckets(Native::schema(0).zero_threshold(0.5));
    for value in [0.0, -0.0, 0.5, -0.5, 0.500_001, -0.6, f64::MIN_POSITIVE] {
        observe(&buckets, value);
    }
    let seen = read(&buckets);
    assert_eq!(seen.zero_count, 5);
    assert_eq!(
        (&*seen.positive, &*seen.negative),
        (&[(0, 1)][..], &[(0, 1)][..])
    );
}

#[test]
fn the_ends_of_the_range_have_buckets() {
    for schema in [COARSEST_SCHEMA, 0, FINEST_SCHEMA] {
        let buckets = buckets(Native::schema(schema).zero_threshold(0.0));
        for value in [f64::MAX, f64::MIN, f64::from_bits(1), -f64::from_bits(1)] {
            observe(&buckets, value);
        }
        let seen = read(&buckets);
        assert_eq!((seen.schema, seen.zero_count, seen.count()), (schema, 0, 4));
    }
}

#[test]
fn too_many_buckets_halve_the_resolution() {
    let buckets = buckets(Native::schema(2).max_buckets(8));
    for power in 0..8_u8 {
        observe(&buckets, f64::from(power).exp2());
    }
    assert_eq!(read(&buckets).schema, 2, "eight buckets fit");
    observe(&buckets, 256.0);
    let seen = read(&buckets);
    // At schema 0 each power of two has its own bucket, at schema -1 two share one.
    assert_eq!(seen.schema, -1);
    assert_eq!(seen.positive, [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2)]);
}

#[test]
fn the_zero_bucket_is_widened_first() {
    let native = Native::schema(2).max_buckets(8).max_zero_threshold(4.0);
    let buckets = buckets(native);
    for power in 0..9_u8 {
        observe(&buckets, f64::from(power).exp2());
    }
    let seen = read(&buckets);
    assert_eq!((seen.schema, seen.zero_threshold), (2, 4.0));
    assert_eq!((seen.zero_count, seen.positive.len()), (3, 6));
    observe(&buckets, 3.5);
    assert_eq!(read(&buckets).zero_count, 4);
}

#[test]
fn at_the_coarsest_everything_has_space() {
    let buckets = buckets(
        Native::schema(FINEST_SCHEMA)
            .max_buckets(1)
            .zero_threshold(0.0),
    );
    for exponent in -1074..1024_i32 {
        let value = 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
        observe(&buckets, value);
        observe(&buckets, -value);
    }
    let seen = read(&buckets);
    assert_eq!((seen.schema, seen.count()), (COARSEST_SCHEMA, 2 * 2098));
    assert!(seen.positive.len() <= 132, "{}", seen.positive.len());
}

proptest! {
    #[test]
    fn whatever_comes_every_value_is_in_its_bucket(
        values in prop::collection::vec(
            (-300.0..300.0_f64, any::<bool>())
                .prop_map(|(power, negative)| if negative { -power.exp2() } else { power.exp2() }),
            1..300,
        ),
        schema in COARSEST_SCHEMA..=FINEST_SCHEMA,
        max_buckets in 1..200_u32,
        max_zero_threshold in prop_oneof![Just(0.0), Just(1.0)],
    ) {
        let native = Native::schema(schema)
            .max_buckets(max_buckets)
            .zero_threshold(1e-50)
            .max_zero_threshold(max_zero_threshold);
        let buckets = buckets(native);
        let mut before = read(&buckets);
        for value in &values {
            observe(&buckets, *value);
            let now = read(&buckets);
            prop_assert_eq!(now.count(), before.count() + 1);
            prop_assert!(now.schema <= before.schema);
            before = now;
        }
        let full = before.positive.len() + before.negative.len();
        prop_assert!(before.schema == COARSEST_SCHEMA || full <= max_buckets as usize);
        prop_assert_eq!(&before, &counted(&values, &before));
    }
}

#[test]
fn threads_that_grow_it_together_lose_nothing() {
    let buckets = buckets(Native::schema(FINEST_SCHEMA).max_buckets(50));
    std::thread::scope(|scope| {
        for thread in [0, 1] {
            let buckets = &buckets;
            scope.spawn(move || {
                for n in 0..3_000_u16 {
                    let value = (f64::from(n % 600) / 7.0 + thread as f64).exp2();
                    let found = buckets.find(value).unwrap();
                    add_alone(found.in_column(thread).unwrap(), 1);
                }
            });
        }
    });
    let seen = read(&buckets);
    assert_eq!(seen.count(), 6_000);
    assert!(seen.positive.len() <= 50, "{}", seen.positive.len());
}

#[test]
fn one_too_many_is_never_shown() {
    let buckets = buckets(Native::schema(2).max_buckets(8));
    for power in 0..8_u8 {
        observe(&buckets, f64::from(power).exp2());
    }
    // As if two threads had taken the last free slot at the same time.
    buckets.tables[0].get().unwrap().leave_one_free();
    observe(&buckets, 256.0);
    let seen = read(&buckets);
    assert_eq!((seen.schema, seen.count()), (-1, 9));
    assert_eq!(seen.positive, [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2)]);
    let before = seen;
    observe(&buckets, 512.0);
    let seen = read(&buckets);
    assert_eq!(
        seen.schema, before.schema,
        "the table that follows is as coarse"
    );
}

const SCALE: Scale = Scale {
    schema: 3,
    zero_threshold: 1e-9,
};

#[test]
fn a_key_is_taken_apart_again() {
    for index in [-275_200, -1, 0, 1, 275_200] {
        assert_eq!(Key::new(index, false).bucket(), Bucket::Positive(index));
        assert_eq!(Key::new(index, true).bucket(), Bucket::Negative(index));
    }
    for value in [0.0, -0.0, 1e-9, -1e-9] {
        assert_eq!(SCALE.key(value).bucket(), Bucket::Zero);
    }
    assert_eq!(SCALE.key(-2.0).bucket(), Bucket::Negative(8));
}

#[test]
fn a_full_table_keeps_its_buckets_and_takes_no_more() {
    let table = Table::new(SCALE, 16, 10, 2);
    for bucket in 0_u16..20 {
        let key = SCALE.key(f64::from(bucket).exp2());
        let found = table.find(key);
        assert_eq!(found.is_some(), bucket < 10);
        if let Some(count) = found.and_then(Found::count) {
            add_alone(count, 1);
        }
    }
    assert!(table.find(SCALE.key(0.0)).is_some(), "zero always fits");
    for column in [0, 1] {
        add_alone(
            table
                .find(SCALE.key(1.0))
                .unwrap()
                .in_column(column)
                .unwrap(),
            5,
        );
    }
    let mut counts: Vec<u64> = table.counts().map(|(_, n)| n).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 11]);
}
