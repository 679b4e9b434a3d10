//! The identity of a series.

/// Identifies a series of this process for as long as it lives. Another series never has the
/// same one, not even one with the same labels that comes after it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(u64);

/// The bits that say which state of a [`StateSet`](super::StateSet) it is; there are at most 64.
const PART_BITS: u32 = 6;

impl SeriesId {
    pub(super) fn new(number: u64, part: usize) -> Self {
        Self(number << PART_BITS | part as u64)
    }
}
