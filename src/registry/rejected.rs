//! The count of refused values.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of values that a metric has refused: NaN, infinities and negative increments.
#[derive(Clone, Default)]
pub(crate) struct Rejected(Arc<AtomicU64>);

impl Rejected {
    #[cold]
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejected({})", self.get())
    }
}
