//! Whether series are in use, in families whose idle ones expire.
//!
//! A series is in use while there is a handle to it, and it was used when it was recorded to by
//! its labels. Both are noted in flags beside it, which cost the recording thread a load where
//! the flag is set already. Whoever searches for idle series takes the flags down.
//!
//! That a series expires must not lose what is recorded at that moment. So whoever is about to
//! use a series that was idle, and whoever takes it out, each leave their mark first and check
//! for the mark of the other then; in the one order that all sequentially consistent operations
//! have, one of the two sees the other. A thread that found the flag up before the last check,
//! and is stopped before it records until the one after it, is the one that can come too late.

use super::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// How many series are allocated together. A group is freed when its last series and the last
/// handle to one of them are gone; few, so that a survivor keeps little else alive.
pub(super) const GROUP: u32 = 16;

const SERIES: usize = GROUP as usize;

/// What is known of the use of the series that are allocated together.
pub(super) struct Life {
    /// How many handles there are.
    held: [AtomicU32; SERIES],
    /// Whether each was used since the last check.
    used: [AtomicBool; SERIES],
    /// When each was last seen to be used, in nanoseconds on the scale of whoever checks.
    since: [AtomicU64; SERIES],
}

impl Life {
    pub(super) fn new() -> Self {
        Self {
            held: std::array::from_fn(|_| AtomicU32::new(0)),
            // The first check says since when they are there.
            used: std::array::from_fn(|_| AtomicBool::new(true)),
            since: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// There is one more handle.
    pub(super) fn hold(&self, at: usize) {
        self.held[at].fetch_add(1, Ordering::SeqCst);
    }

    /// There is one handle less. That counts as use: what was held is not idle since long.
    pub(super) fn let_go(&self, at: usize) {
        self.used[at].store(true, Ordering::SeqCst);
        self.held[at].fetch_sub(1, Ordering::SeqCst);
    }

    #[inline]
    pub(super) fn is_used(&self, at: usize) -> bool {
        self.used[at].load(Ordering::Relaxed)
    }

    pub(super) fn set_used(&self, at: usize) {
        self.used[at].store(true, Ordering::SeqCst);
    }

    /// Whether the series is in use or was used since the last check.
    pub(super) fn is_in_use(&self, at: usize) -> bool {
        // In this order: a handle that goes meanwhile has left its mark as used.
        self.held[at].load(Ordering::SeqCst) > 0 || self.used[at].load(Ordering::SeqCst)
    }

    /// Checks whether a series was idle for `after` nanoseconds.
    pub(super) fn check(&self, at: usize, now: u64, after: u64) -> bool {
        let held = self.held[at].load(Ordering::SeqCst) > 0;
        if self.used[at].swap(false, Ordering::SeqCst) || held {
            self.since[at].store(now, Ordering::Relaxed);
            return false;
        }
        now.saturating_sub(self.since[at].load(Ordering::Relaxed)) >= after
    }
}
