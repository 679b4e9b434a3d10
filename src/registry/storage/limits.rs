use std::time::Duration;

use super::sync::{AtomicUsize, Ordering};

/// The number of series in a registry and its limit.
#[derive(Debug)]
pub(in crate::registry) struct Total {
    pub(in crate::registry) series: AtomicUsize,
    pub(in crate::registry) limit: AtomicUsize,
}

/// The settings of a family, fixed at its declaration.
#[derive(Clone, Copy, Debug)]
pub(in crate::registry) struct Rules {
    /// Whether it is enabled; a disabled family has no series and discards values.
    pub(in crate::registry) enabled: bool,
    /// Maximum number of series.
    pub(in crate::registry) limit: usize,
    /// Maximum size of a label value in bytes.
    pub(in crate::registry) max_label_value: usize,
    /// How long a series may be idle, if limited.
    pub(in crate::registry) expire_after: Option<Duration>,
}

impl Total {
    /// Reserves space for one more series, if there is any.
    pub(super) fn take(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        self.series
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < limit).then_some(n + 1)
            })
            .is_ok()
    }

    pub(super) fn has_space(&self) -> bool {
        self.series.load(Ordering::Relaxed) < self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self) {
        self.series.fetch_sub(1, Ordering::Relaxed);
    }
}
