//! The identity of a series.

/// Identifies a series of this process during its life. It is never reused, not even for a series
/// with the same labels created after its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(u64);

/// The bits for the state of a [`StateSet`](super::StateSet); there are at most 64.
const PART_BITS: u32 = 6;

impl SeriesId {
    pub(super) fn new(number: u64, part: usize) -> Self {
        Self(number << PART_BITS | part as u64)
    }
}
