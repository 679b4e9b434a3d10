use std::sync::atomic::AtomicI64;

use super::sync::{AtomicU64, OnceLock, Ordering};

/// The storage of a series' value.
///
/// Its place is allocated with the group, before the series exists, so that a handle need not check
/// whether the cell exists. That check would read a word beside the value, which threads recording
/// to one series contend for.
pub trait Cell: Sized + Send + Sync + 'static {
    /// The place for the cell in a slot; its default is the state before the series exists.
    type Place: Default + Send + Sync;

    /// Puts the cell into its place, which is not read yet.
    fn settle(self, place: &Self::Place);

    /// The cell, if it is in its place.
    fn of(place: &Self::Place) -> Option<&Self>;
}

impl Cell for AtomicU64 {
    type Place = Self;

    fn settle(self, place: &Self) {
        place.store(self.into_inner(), Ordering::Relaxed);
    }

    #[inline]
    fn of(place: &Self) -> Option<&Self> {
        Some(place)
    }
}

impl Cell for AtomicI64 {
    type Place = Self;

    fn settle(self, place: &Self) {
        place.store(self.into_inner(), Ordering::Relaxed);
    }

    #[inline]
    fn of(place: &Self) -> Option<&Self> {
        Some(place)
    }
}

/// A cell that is created with its series, from data of the family.
pub trait Made: Send + Sync + 'static {}

impl Made for () {}

impl<T: Made> Cell for T {
    type Place = OnceLock<T>;

    fn settle(self, place: &OnceLock<T>) {
        let _ = place.set(self);
    }

    #[inline]
    fn of(place: &OnceLock<T>) -> Option<&T> {
        place.get()
    }
}
