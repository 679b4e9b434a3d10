//! The marker of missing values.

use crate::util::STALE;

/// Marks a missing value. A stale marker has these bits and is no value either.
pub(super) const ABSENT: f64 = f64::from_bits(STALE);

pub(super) fn is_absent(value: f64) -> bool {
    value.to_bits() == STALE
}
