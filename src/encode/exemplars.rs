//! Assignment of a histogram's exemplars to its buckets.

use crate::registry::Exemplar;

/// Removes those of a bucket from the beginning of a histogram's exemplars, which are ordered by
/// value.
pub(super) fn up_to<'a>(exemplars: &mut &'a [Exemplar], bound: f64) -> &'a [Exemplar] {
    let rest = *exemplars;
    let (within, above) = rest.split_at(rest.partition_point(|one| one.value <= bound));
    *exemplars = above;
    within
}

/// The exemplar to show, as a bucket can only show one: the latest.
pub(super) fn latest(exemplars: &[Exemplar]) -> Option<&Exemplar> {
    exemplars.iter().max_by(|a, b| a.at.total_cmp(&b.at))
}
