use std::time::Duration;

use super::sync::{AtomicUsize, Ordering};

/// The number of series in a registry and its bound.
#[derive(Debug)]
pub(in crate::registry) struct Total {
    pub(in crate::registry) series: AtomicUsize,
    pub(in crate::registry) limit: AtomicUsize,
}

/// What is decided about a family when it is declared.
#[derive(Clone, Copy, Debug)]
pub(in crate::registry) struct Rules {
    /// A family that is not has no series, and what is recorded to it goes nowhere.
    pub(in crate::registry) enabled: bool,
    /// How many series it may have.
    pub(in crate::registry) limit: usize,
    /// The most bytes of a label value that are kept.
    pub(in crate::registry) max_label_value: usize,
    /// How long a series may be idle, if that is bounded.
    pub(in crate::registry) expire_after: Option<Duration>,
}

impl Total {
    /// Takes space for one more series, if there is any.
    pub(super) fn take(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        self.series
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < limit).then_some(n + 1)
            })
            .is_ok()
    }

    pub(super) fn has_room(&self) -> bool {
        self.series.load(Ordering::Relaxed) < self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self) {
        self.series.fetch_sub(1, Ordering::Relaxed);
    }
}
