//! Usage tracking of series, in families whose idle series expire.
//!
//! A series is in use while a handle to it exists, and was used when it was recorded to by its
//! labels. Both are flags beside it, which cost the recording thread a load if the flag is already
//! set. The expiry check clears the flags.
//!
//! Expiry must not lose values recorded at that moment. So a thread about to use an idle series,
//! and the thread removing it, each first set their mark and then check the mark of the other; in
//! the single order of sequentially consistent operations, one of the two sees the other. Only a
//! thread that found the flag set before the last check, and is suspended before it records until
//! the next one, can come too late.

use super::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// The number of series allocated together. A group is freed when its last series and the last
/// handle to one of them are gone; few, so that a survivor keeps little else alive.
pub(super) const GROUP: u32 = 16;

const SERIES: usize = GROUP as usize;

/// Usage state of the series of a group.
pub(super) struct Life {
    /// Number of handles to each.
    held: [AtomicU32; SERIES],
    /// Whether each was used since the last check.
    used: [AtomicBool; SERIES],
    /// When each was last seen in use, in nanoseconds on the checker's scale.
    since: [AtomicU64; SERIES],
}

impl Life {
    pub(super) fn new() -> Self {
        Self {
            held: std::array::from_fn(|_| AtomicU32::new(0)),
            // Used, so that the first check sets the time from which they are idle.
            used: std::array::from_fn(|_| AtomicBool::new(true)),
            since: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Adds a handle.
    pub(super) fn hold(&self, at: usize) {
        self.held[at].fetch_add(1, Ordering::SeqCst);
    }

    /// Removes a handle. This counts as use, so that the idle time starts now.
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
        // In this order: a handle that is dropped in between has set `used` before.
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
