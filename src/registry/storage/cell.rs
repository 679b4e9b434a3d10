use std::sync::atomic::AtomicI64;

use super::sync::{AtomicU64, OnceLock, Ordering};

/// What holds the value of a series.
///
/// A place for it is made with the group, before there is a series, so that who has a handle
/// need not look whether the cell is there. That look would be at a word beside the value, for
/// which two threads that record to one series would wait once more.
pub trait Cell: Sized + Send + Sync + 'static {
    /// What a slot has for the cell. Default is the state before there is a series.
    type Room: Default + Send + Sync;

    /// Puts the cell where it stays. It is not read yet.
    fn settle(self, room: &Self::Room);

    /// The cell, if it has settled.
    fn of(room: &Self::Room) -> Option<&Self>;
}

impl Cell for AtomicU64 {
    type Room = Self;

    fn settle(self, room: &Self) {
        room.store(self.into_inner(), Ordering::Relaxed);
    }

    #[inline]
    fn of(room: &Self) -> Option<&Self> {
        Some(room)
    }
}

impl Cell for AtomicI64 {
    type Room = Self;

    fn settle(self, room: &Self) {
        room.store(self.into_inner(), Ordering::Relaxed);
    }

    #[inline]
    fn of(room: &Self) -> Option<&Self> {
        Some(room)
    }
}

/// A cell that is made with its series, of what only the family knows.
pub trait Made: Send + Sync + 'static {}

impl Made for () {}

impl<T: Made> Cell for T {
    type Room = OnceLock<T>;

    fn settle(self, room: &OnceLock<T>) {
        let _ = room.set(self);
    }

    #[inline]
    fn of(room: &OnceLock<T>) -> Option<&T> {
        room.get()
    }
}
