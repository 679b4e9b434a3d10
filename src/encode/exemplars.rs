//! Which exemplar of a histogram belongs to which bucket.

use crate::registry::Exemplar;

/// Takes those of a bucket off the beginning of the exemplars of a histogram, which are in the
/// order of their values.
pub(super) fn up_to<'a>(exemplars: &mut &'a [Exemplar], bound: f64) -> &'a [Exemplar] {
    let rest = *exemplars;
    let (within, above) = rest.split_at(rest.partition_point(|one| one.value <= bound));
    *exemplars = above;
    within
}

/// A bucket can show one only: that seen last.
pub(super) fn latest(exemplars: &[Exemplar]) -> Option<&Exemplar> {
    exemplars.iter().max_by(|a, b| a.at.total_cmp(&b.at))
}
