//! The bounds of exponential buckets, `2^(i · 2^-schema)`, and the bucket of a value.
//!
//! Everything is computed in the finest schema, with 256 buckets for each power of two; a bucket of
//! a coarser schema is a group of those, and thus coarser buckets are exact sums of finer ones.
//! <https://prometheus.io/docs/specs/native_histograms/#schema>

/// The finest schema: 256 buckets for each power of two.
pub const FINEST_SCHEMA: i8 = 8;

/// The coarsest schema: a bucket for each power of 65,536.
pub const COARSEST_SCHEMA: i8 = -4;

/// The buckets of a power of two in the finest schema.
const BUCKETS: usize = 1 << FINEST_SCHEMA;

/// Number of mantissa bits of an f64.
const MANTISSA: u32 = 52;

/// The exponent bias of an f64.
const BIAS: i32 = 1023;

/// The mantissa bits of `2^(i / 256)`; the last is that of 2, beyond all mantissas.
static BOUNDS: [u64; BUCKETS + 1] = bounds();

/// The mantissas from 1 to 2 are divided into cells small enough to have at most one bound each:
/// the first bounds are 0.0027 apart.
const CELL_BITS: u32 = 9;

/// The number of bounds below each cell.
static BELOW: [u16; 1 << CELL_BITS] = below();

const fn bounds() -> [u64; BUCKETS + 1] {
    /// Fractional bits of the fixed-point numbers. Their errors are far below the precision of an
    /// f64.
    const POINT: u32 = 62;
    let mut roots = [0_u128; FINEST_SCHEMA as usize];
    let mut root = 2_u128 << POINT;
    let mut at = 0;
    while at < roots.len() {
        root = (root << POINT).isqrt();
        roots[at] = root;
        at += 1;
    }
    let mut bounds = [1 << MANTISSA; BUCKETS + 1];
    let mut i = 0;
    while i < BUCKETS {
        // The bits of `i` select the roots of 2 whose product is 2^(i / 256).
        let mut bound = 1_u128 << POINT;
        let mut at = 0;
        while at < roots.len() {
            if i >> (roots.len() - 1 - at) & 1 == 1 {
                bound = (bound * roots[at]) >> POINT;
            }
            at += 1;
        }
        let half = 1 << (POINT - MANTISSA - 1);
        let behind = bound - (1 << POINT) + half;
        bounds[i] = truncated(behind >> (POINT - MANTISSA));
        i += 1;
    }
    bounds
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a mantissa has 52 bits, and there is no other conversion in a const fn"
)]
const fn truncated(mantissa: u128) -> u64 {
    mantissa as u64
}

const fn below() -> [u16; 1 << CELL_BITS] {
    let bounds = bounds();
    let mut below = [0; 1 << CELL_BITS];
    let mut cell = 0;
    let mut bound = 0;
    let mut count = 0;
    while cell < below.len() {
        while bounds[bound] < (cell as u64) << (MANTISSA - CELL_BITS) {
            bound += 1;
            count += 1;
        }
        below[cell] = count;
        cell += 1;
    }
    below
}

/// The index of the bucket of `value`: above the bound before, at most its own. `value` is positive
/// and finite.
#[inline]
pub(super) fn index(value: f64, schema: i8) -> i32 {
    /// Subnormal numbers are normalized by this factor, 2^54.
    const SUBNORMAL: i32 = 54;
    let mut bits = value.to_bits();
    let mut exponent = -BIAS;
    if bits >> MANTISSA == 0 {
        bits = (value * (1_u64 << SUBNORMAL) as f64).to_bits();
        exponent -= SUBNORMAL;
    }
    exponent += i32::try_from(bits >> MANTISSA).unwrap_or(0);
    let mantissa = bits & ((1 << MANTISSA) - 1);
    let cell = usize::try_from(mantissa >> (MANTISSA - CELL_BITS)).unwrap_or(0);
    let below = BELOW.get(cell).copied().unwrap_or(0);
    let bound = BOUNDS.get(usize::from(below)).copied().unwrap_or(0);
    let within = i32::from(below) + i32::from(bound < mantissa);
    coarser(exponent * 256 + within, FINEST_SCHEMA, schema)
}

/// The index, in the schema `to`, of the bucket that contains the bucket `index` of the schema
/// `from`; `to` is not finer.
#[inline]
pub(super) fn coarser(index: i32, from: i8, to: i8) -> i32 {
    let shift = u32::from(from.abs_diff(to));
    (index + (1 << shift) - 1) >> shift
}

/// The inclusive upper bound of a bucket.
///
/// That of the last bucket is the largest finite number, as specified, and values too small for an
/// f64 become 0.
pub(super) fn upper_bound(index: i32, schema: i8) -> f64 {
    let shift = u32::from(FINEST_SCHEMA.abs_diff(schema));
    let fine = i64::from(index) << shift;
    let exponent = fine.div_euclid(256);
    let within = usize::try_from(fine.rem_euclid(256)).unwrap_or(0);
    if exponent > i64::from(BIAS) {
        return f64::MAX;
    }
    let exponent = i32::try_from(exponent).unwrap_or(i32::MIN).max(-2 * BIAS);
    let mantissa = BOUNDS.get(within).copied().unwrap_or(0);
    let number = f64::from_bits(u64::from(BIAS.unsigned_abs()) << MANTISSA | mantissa);
    // In two steps: one power of two alone may be too small for an f64.
    number * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_schema() -> impl Strategy<Value = i8> {
        COARSEST_SCHEMA..=FINEST_SCHEMA
    }

    #[test]
    fn powers_of_the_base_are_upper_bounds() {
        for (value, schema, at) in [
            (1.0, 8, 0),
            (2.0, 8, 256),
            (1.0 + f64::EPSILON, 8, 1),
            (2.0, 0, 1),
            (3.0, 0, 2),
            (0.5, 0, -1),
            (65_536.0, -4, 1),
            (65_537.0, -4, 2),
            (f64::MAX, 8, 1024 * 256),
            (f64::MAX, 0, 1024),
            (f64::from_bits(1), 0, -1074),
            (f64::from_bits(3), 0, -1072),
            (f64::MIN_POSITIVE, 0, -1022),
        ] {
            assert_eq!(index(value, schema), at, "{value:e} in schema {schema}");
        }
        for (at, bound) in [
            (1024, f64::MAX),
            (9999, f64::MAX),
            (-1074, f64::from_bits(1)),
            (-5000, 0.0),
        ] {
            assert_eq!(upper_bound(at, 0).to_bits(), bound.to_bits(), "{at}");
        }
    }

    #[test]
    fn bounds_are_powers_of_two() {
        for i in 0_u16..256 {
            let want = (f64::from(i) / 256.0).exp2();
            let is = upper_bound(i32::from(i), 8);
            assert!((is / want - 1.0).abs() < 3e-16, "{i}: {is} {want}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_in_the_bucket_whose_bounds_hold_it(
            value in prop::num::f64::POSITIVE | prop::num::f64::NORMAL,
            schema in any_schema(),
        ) {
            let value = value.abs();
            prop_assume!(value.is_normal());
            let at = index(value, schema);
            prop_assert!(upper_bound(at - 1, schema) < value, "{} {}", at, value);
            prop_assert!(value <= upper_bound(at, schema), "{} {}", at, value);
        }

        #[test]
        fn a_bound_is_in_its_own_bucket(at in -200_000..200_000_i32, schema in any_schema()) {
            let at = at >> (FINEST_SCHEMA - schema);
            let bound = upper_bound(at, schema);
            prop_assert_eq!(index(bound, schema), at);
            prop_assert_eq!(index(bound.next_up(), schema), at + 1);
        }

        #[test]
        fn a_coarser_bucket_is_a_sum_of_finer_ones(
            value in prop::num::f64::POSITIVE,
            schemas in (any_schema(), any_schema()),
        ) {
            prop_assume!(value > 0.0 && value.is_finite());
            let (coarse, fine) = (schemas.0.min(schemas.1), schemas.0.max(schemas.1));
            prop_assert_eq!(coarser(index(value, fine), fine, coarse), index(value, coarse));
        }
    }
}
