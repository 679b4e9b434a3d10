//! Queries of past records: the newest in memory, older ones in the files.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::line::Line;
use super::replay::each_line;
use super::store::Store;
use crate::healing::core::{AttemptId, IssueKey, Name, Record, Wall, What};

/// A filter for records. All parts that are set must match.
///
/// ```
/// use selfheal::healing::{HistoryFilter, IssueKey};
///
/// let filter = HistoryFilter::new().key(IssueKey::new("db", "down")).limit(20);
/// assert_eq!(filter.limit, 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryFilter {
    /// Records about this key.
    pub key: Option<IssueKey>,
    /// Records about this component.
    pub component: Option<Name>,
    /// Records about this attempt.
    pub attempt: Option<AttemptId>,
    /// Not before this time.
    pub since: Option<Wall>,
    /// Not after this time.
    pub until: Option<Wall>,
    /// The maximum number of records, the newest.
    pub limit: usize,
}

impl Default for HistoryFilter {
    fn default() -> Self {
        Self {
            key: None,
            component: None,
            attempt: None,
            since: None,
            until: None,
            limit: 100,
        }
    }
}

impl HistoryFilter {
    /// A filter for the newest 100 records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the key. Default: any.
    #[must_use]
    pub fn key(mut self, key: IssueKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the component. Default: any.
    #[must_use]
    pub fn component(mut self, component: impl Into<Name>) -> Self {
        self.component = Some(component.into());
        self
    }

    /// Sets the attempt. Default: any.
    #[must_use]
    pub fn attempt(mut self, attempt: AttemptId) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Sets the earliest time, inclusive. Default: any time.
    #[must_use]
    pub fn since(mut self, since: Wall) -> Self {
        self.since = Some(since);
        self
    }

    /// Sets the latest time, inclusive. Default: any time.
    #[must_use]
    pub fn until(mut self, until: Wall) -> Self {
        self.until = Some(until);
        self
    }

    /// Sets the maximum number of records, the newest. Default: 100.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Whether a record matches, regardless of the limit.
    #[must_use]
    pub fn fits(&self, record: &Record) -> bool {
        let wall = record.stamp.wall;
        let key = record.what.key();
        // Carried records repeat earlier files, and the state that modules keep is no event.
        !matches!(record.what, What::Carried(_) | What::Remembered { .. })
            && self.since.is_none_or(|since| wall >= since)
            && self.until.is_none_or(|until| wall <= until)
            && (self.key.is_none() || key == self.key.as_ref())
            && (self.component.is_none()
                || key.map(|key| &key.component) == self.component.as_ref())
            && (self.attempt.is_none() || record.what.attempt() == self.attempt)
    }
}

impl What {
    /// The key of the record, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<&IssueKey> {
        match self {
            Self::Opened { issue, .. } => Some(&issue.key),
            Self::AttemptStarted(intent) => Some(&intent.key),
            Self::Worsened { key, .. }
            | Self::Moved { key, .. }
            | Self::WouldRun { key, .. }
            | Self::AttemptFinished { key, .. }
            | Self::Verified { key, .. }
            | Self::Closed { key, .. } => Some(key),
            Self::Raised(alert) | Self::Resolved(alert) => alert.id.key.as_ref(),
            Self::Escalated { id, .. } | Self::Deescalated { id } => id.key.as_ref(),
            _ => None,
        }
    }

    /// The attempt or rollback of the record, if it has one.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        match self {
            Self::AttemptStarted(intent) => Some(intent.attempt),
            Self::AttemptFinished { attempt, .. }
            | Self::ZombieEnded { attempt }
            | Self::Verified { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }
}

/// The newest records.
#[derive(Debug)]
pub(crate) struct Ring {
    records: Mutex<VecDeque<Arc<Record>>>,
    most: usize,
}

impl Ring {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            records: Mutex::default(),
            most,
        }
    }

    pub(crate) fn push(&self, record: Arc<Record>) {
        let mut records = self.records.lock();
        if records.len() >= self.most {
            records.pop_front();
        }
        if self.most > 0 {
            records.push_back(record);
        }
    }

    /// The newest matching records, oldest first.
    pub(crate) fn find(&self, filter: &HistoryFilter) -> Vec<Arc<Record>> {
        let records = self.records.lock();
        let newest = records.iter().rev().filter(|record| filter.fits(record));
        let mut found: Vec<_> = newest.take(filter.limit).cloned().collect();
        found.reverse();
        found
    }

    /// Sequence number of the oldest record here.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.records.lock().front().map(|record| record.seq)
    }
}

/// The newest matching records in the files with a sequence number below `before`, oldest first.
/// Unreadable files are skipped.
pub(crate) fn find_in_files(
    store: &dyn Store,
    filter: &HistoryFilter,
    mut before: u64,
) -> Vec<Arc<Record>> {
    let mut numbers = store.list().unwrap_or_default();
    numbers.sort_unstable();
    let mut found: VecDeque<Arc<Record>> = VecDeque::new();
    for number in numbers.into_iter().rev() {
        let space = filter.limit - found.len();
        if space == 0 {
            break;
        }
        let mut here: VecDeque<Arc<Record>> = VecDeque::new();
        let mut first = None;
        // A missing file was rotated away meanwhile.
        let _ = each_line(store, number, |_, line| {
            if let Ok(Line::Record(record)) = line {
                first.get_or_insert(record.seq);
                if record.seq < before && filter.fits(&record) {
                    if here.len() >= space {
                        here.pop_front();
                    }
                    here.push_back(Arc::from(record));
                }
            }
            true
        });
        // The head of a file may repeat the end of the one before it.
        before = first.map_or(before, |first| before.min(first));
        here.append(&mut found);
        found = here;
    }
    found.into()
}
