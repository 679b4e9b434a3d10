use std::sync::atomic::AtomicI64;

use super::sync::{AtomicU64, OnceLock, Ordering};

/// What holds the value of a series.
///
/// A place for it is made with the group, before there is a series, so that who has a handle
/// need not check whether the cell is there. That check would be of a word beside the value, for
/// which two threads that record to one series would wait once more.
pub trait Cell: Sized + Send + Sync + 'static {
    /// What a slot has for the cell. Default is the state before there is a series.
    type Place: Default + Send + Sync;

    /// Puts the cell where it stays. It is not read yet.
    fn settle(self, place: &Self::Place);

    /// The cell, if it has settled.
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

/// A cell that is made with its series, of what only the family knows.
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
