//! Dropped observations that are not reported yet.

use crate::healing::core::{Dropped, IssueKey};

/// Observations dropped since the last report.
#[derive(Debug, Clone, Default)]
pub(super) struct Drops {
    unreported: [Option<(IssueKey, u64)>; Dropped::ALL.len()],
    /// Whether the next report has a timer.
    pub(super) timer: bool,
}

impl Drops {
    /// Adds observations; the key is that of the last.
    pub(super) fn add(&mut self, reason: Dropped, key: IssueKey, many: u64) {
        if let Some(unreported) = self.unreported.get_mut(reason as usize) {
            let count = unreported.as_ref().map_or(0, |(_, count)| *count);
            *unreported = Some((key, count.saturating_add(many)));
        }
    }

    /// The last key and the count of unreported drops.
    pub(super) fn take(&mut self, reason: Dropped) -> Option<(IssueKey, u64)> {
        let unreported = self.unreported.get_mut(reason as usize);
        unreported.and_then(Option::take)
    }
}
