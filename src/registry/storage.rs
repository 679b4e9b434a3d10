//! Where the series of one family live.
//!
//! A series is its labels, escaped and rendered once when it is created, and a cell that
//! holds its value. The index holds positions, not keys: a look-up hashes the values as they
//! come and compares them with the rendered text, so nothing is allocated. Series are found
//! by value, never by hash alone.

use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::RwLock;

use super::labels::{Labels, cut};
use crate::util::escape;

/// The value of every label of the series that takes what is beyond a family's limit.
pub const OVERFLOW: &str = "__overflow__";

/// How many series one lock may cover while they are read out, so that a scrape never holds
/// up a recording thread for longer than it takes to write this many.
const CHUNK: usize = 128;

/// The series of one family. `C` is the cell that holds a value.
pub(super) struct Storage<C> {
    /// `name="` of the first label, `",name="` of each further one.
    separators: Box<[Box<str>]>,
    limit: usize,
    /// How many series the whole registry has, and how many it may have.
    total: Arc<Total>,
    /// How many look-ups were sent to the overflow series.
    overflowed: AtomicU64,
    hash: RandomState,
    table: RwLock<Table<C>>,
}

/// The number of series in a registry and its bound.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) series: AtomicUsize,
    pub(super) limit: AtomicUsize,
}

struct Table<C> {
    index: HashTable<u32>,
    series: Vec<Option<Series<C>>>,
    free: Vec<u32>,
    overflow: Option<u32>,
}

struct Series<C> {
    text: Box<str>,
    /// Whether `text` differs from its raw values by escapes.
    escaped: bool,
    cell: Arc<C>,
}

impl<C> Storage<C> {
    pub(super) fn new(labels: &[impl AsRef<str>], limit: usize, total: Arc<Total>) -> Self {
        let separators = labels
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let before = if at == 0 { "" } else { "\"," };
                format!("{before}{}=\"", name.as_ref()).into_boxed_str()
            })
            .collect();
        Self {
            separators,
            limit,
            total,
            overflowed: AtomicU64::new(0),
            hash: RandomState::default(),
            table: RwLock::new(Table {
                index: HashTable::new(),
                series: Vec::new(),
                free: Vec::new(),
                overflow: None,
            }),
        }
    }

    /// Runs `use_cell` on the cell of `labels`, which is created where it does not exist.
    /// `use_cell` is this crate's own code and short: it runs under a read lock.
    #[inline]
    pub(super) fn record<L: Labels, R>(
        &self,
        labels: &L,
        new: impl FnOnce() -> C,
        use_cell: impl FnOnce(&Arc<C>) -> R,
    ) -> R {
        let hash = self.hash_of(labels);
        {
            let table = self.table.read();
            if let Some(series) = self.find(&table, hash, labels) {
                return use_cell(&series.cell);
            }
        }
        use_cell(&self.create(hash, labels, new))
    }

    /// The cell of `labels`, if that series exists.
    pub(super) fn get<L: Labels>(&self, labels: &L) -> Option<Arc<C>> {
        let table = self.table.read();
        self.find(&table, self.hash_of(labels), labels)
            .map(|series| Arc::clone(&series.cell))
    }

    /// Removes the series of `labels`; handles that are held go on and count for nobody.
    pub(super) fn remove<L: Labels>(&self, labels: &L) -> bool {
        let hash = self.hash_of(labels);
        let mut table = self.table.write();
        let Table {
            index,
            series,
            free,
            ..
        } = &mut *table;
        let Ok(entry) = index.find_entry(hash, |&at| {
            matches(&self.separators, series[at as usize].as_ref(), labels)
        }) else {
            return false;
        };
        let (at, _) = entry.remove();
        series[at as usize] = None;
        free.push(at);
        self.total.series.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// Calls `visit` with the rendered labels and the cell of every series from position `from`
    /// on, oldest first as long as none was removed, until `visit` breaks off or a few are done.
    /// The lock is let go before this returns the position to go on from; `None` at the end.
    pub(super) fn each_from(
        &self,
        from: usize,
        visit: &mut dyn FnMut(&str, &C) -> ControlFlow<()>,
    ) -> Option<usize> {
        let table = self.table.read();
        let end = table.series.len().min(from.saturating_add(CHUNK));
        for at in from..end {
            if let Some(series) = &table.series[at]
                && visit(&series.text, &series.cell).is_break()
            {
                return Some(at + 1);
            }
        }
        (end < table.series.len()).then_some(end)
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.table.read().index.len()
    }

    /// How many look-ups the overflow series has taken.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    fn hash_of<L: Labels>(&self, labels: &L) -> u64 {
        let mut hasher = self.hash.build_hasher();
        labels.visit(&mut |value| {
            let value = cut(value);
            hasher.write(value.as_bytes());
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hasher.write_usize(value.len());
        });
        hasher.finish()
    }

    #[inline]
    fn find<'t, L: Labels>(
        &self,
        table: &'t Table<C>,
        hash: u64,
        labels: &L,
    ) -> Option<&'t Series<C>> {
        let at = table.index.find(hash, |&at| {
            matches(&self.separators, table.series[at as usize].as_ref(), labels)
        })?;
        table.series[*at as usize].as_ref()
    }

    #[cold]
    fn create<L: Labels>(&self, hash: u64, labels: &L, new: impl FnOnce() -> C) -> Arc<C> {
        let mut table = self.table.write();
        if let Some(series) = self.find(&table, hash, labels) {
            return Arc::clone(&series.cell);
        }
        if table.index.len() >= self.limit || !self.total.take() {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            if let Some(series) = table
                .overflow
                .and_then(|at| table.series[at as usize].as_ref())
            {
                return Arc::clone(&series.cell);
            }
            let text = self.render_overflow();
            let (at, cell) = table.push(Series {
                text,
                escaped: false,
                cell: Arc::new(new()),
            });
            table.overflow = Some(at);
            return cell;
        }
        let (text, escaped) = self.render(labels);
        let (at, cell) = table.push(Series {
            text,
            escaped,
            cell: Arc::new(new()),
        });
        let Table { index, series, .. } = &mut *table;
        index.insert_unique(hash, at, |&at| {
            series[at as usize].as_ref().map_or(0, |series| {
                self.hash_of(&Rendered(&self.separators, series))
            })
        });
        cell
    }

    fn render<L: Labels>(&self, labels: &L) -> (Box<str>, bool) {
        let mut text = String::new();
        let mut escaped = false;
        let mut separators = self.separators.iter();
        labels.visit(&mut |value| {
            // A set with more values than the family has names cannot be written in the type
            // system for tuples and arrays; a user's own impl that does it loses the rest.
            if let Some(separator) = separators.next() {
                let value = cut(value);
                escaped |= escape::needs_escape(value);
                text.push_str(separator);
                escape::label_value(&mut text, value);
            }
        });
        if !text.is_empty() {
            text.push('"');
        }
        (text.into_boxed_str(), escaped)
    }

    fn render_overflow(&self) -> Box<str> {
        let mut text = String::new();
        for separator in &self.separators {
            text.push_str(separator);
            text.push_str(OVERFLOW);
        }
        if !text.is_empty() {
            text.push('"');
        }
        text.into_boxed_str()
    }
}

impl Total {
    /// Takes room for one more series, if there is any.
    fn take(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        self.series
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < limit).then_some(n + 1)
            })
            .is_ok()
    }
}

impl<C> Table<C> {
    fn push(&mut self, series: Series<C>) -> (u32, Arc<C>) {
        let cell = Arc::clone(&series.cell);
        if let Some(at) = self.free.pop() {
            self.series[at as usize] = Some(series);
            return (at, cell);
        }
        // More than four thousand million series do not fit in memory.
        let at = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        self.series.push(Some(series));
        (at, cell)
    }
}

/// Whether the rendered text of `series` is that of `labels`.
#[inline]
fn matches<C, L: Labels>(separators: &[Box<str>], series: Option<&Series<C>>, labels: &L) -> bool {
    let Some(series) = series else { return false };
    let mut rest = series.text.as_bytes();
    let mut same = true;
    let mut separators = separators.iter();
    let mut scratch = String::new();
    labels.visit(&mut |value| {
        let Some(separator) = separators.next() else {
            return;
        };
        let mut value = cut(value);
        if series.escaped {
            scratch.clear();
            escape::label_value(&mut scratch, value);
            value = &scratch;
        }
        // A text without escapes has no quote inside a value, so equal bytes mean equal values.
        same = same
            && eat(&mut rest, separator.as_bytes())
            && eat(&mut rest, value.as_bytes())
            && rest.first() == Some(&b'"');
    });
    same && rest.len() <= 1
}

#[inline]
fn eat(rest: &mut &[u8], head: &[u8]) -> bool {
    match rest.strip_prefix(head) {
        Some(tail) => {
            *rest = tail;
            true
        }
        None => false,
    }
}

/// The values of a series read back from its text, to hash it anew when the index grows.
struct Rendered<'a, C>(&'a [Box<str>], &'a Series<C>);

impl<C> Labels for Rendered<'_, C> {
    type Key = ();

    fn visit(&self, visit: &mut impl FnMut(&str)) {
        let mut rest = &*self.1.text;
        for separator in self.0 {
            let Some(tail) = rest.strip_prefix(&**separator) else {
                return;
            };
            let end = escape::value_end(tail);
            if self.1.escaped {
                visit(&escape::unescape(&tail[..end]));
            } else {
                visit(&tail[..end]);
            }
            rest = &tail[end..];
        }
    }
}

#[cfg(test)]
mod tests;
