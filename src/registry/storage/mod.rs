//! Where the series of one family live.
//!
//! A series is its labels, escaped and rendered once when it is created, and a cell that holds
//! its value. A look-up hashes the values as they come, takes a proposal from the index and
//! compares the values with the rendered text: it allocates nothing, takes no lock, and finds
//! series by value, never by hash alone. Who finds nothing takes the lock of the family, looks
//! again and creates.
//!
//! | part | job |
//! |---|---|
//! | `key` | hash and comparison of label values |
//! | `text` | rendered labels |
//! | `hint` | where this thread found a series last time |
//! | `places` | where the series of a closed label set are |
//! | `index` | from hash to position |
//! | `table` | series by position, in groups that are freed one by one |
//! | `life` | which series are in use, where idle ones expire |
//! | `remove` | removal, expiry, and moving to a new table |
//!
//! Nothing is ever written to the place of a removed series, so that a handle to it, or a
//! thread that found it just before, goes on harmlessly. A family that has lost many series
//! moves to a new table, which shares the groups that still have some; the old one is freed
//! with its last reader, the first one with the family.

mod hint;
mod index;
mod key;
mod life;
mod places;
mod remove;
mod table;
mod text;

use std::ops::ControlFlow;
use std::time::Duration;

use super::labels::Labels;
use super::sync::{Arc, AtomicU64, AtomicUsize, Mutex, OnceLock, Ordering, RwLock};
use hint::Guess;
use index::{Entry, Progress};
use key::Keys;
use table::{GROUP, Series, Table};
use text::{Frame, Rendered};

pub(super) use places::Layout;
pub(super) use table::Place;

/// The value of every label of the series that takes what is beyond a family's limit.
pub const OVERFLOW: &str = "__overflow__";

/// How many series are read out at once, so that whoever reads can let others go ahead.
const CHUNK: u32 = 128;

/// The series of one family. `C` is the cell that holds a value.
pub(super) struct Storage<C> {
    frame: Frame,
    keys: &'static Keys,
    limit: usize,
    /// Whether idle series expire.
    expires: bool,
    /// How many series the whole registry has, and how many it may have.
    total: Arc<Total>,
    /// How many series there are.
    live: AtomicUsize,
    /// How many look-ups were sent to the overflow series.
    overflowed: AtomicU64,
    overflow: OnceLock<Place<C>>,
    /// How many series have expired.
    expired: AtomicU64,
    /// In a family that is switched off, the place of everything, which holds nothing.
    nobody: Option<Place<C>>,
    /// The series of a family without labels.
    alone: OnceLock<Place<C>>,
    first: OnceLock<Arc<Table<C>>>,
    /// The table after the first one, once the family has moved.
    later: OnceLock<RwLock<Arc<Table<C>>>>,
    writer: Mutex<Writer>,
}

/// What those who change a table need to know of it.
#[derive(Default)]
struct Writer {
    progress: Progress,
    /// Groups that are full and have no series left.
    dead_groups: u32,
}

/// The number of series in a registry and its bound.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) series: AtomicUsize,
    pub(super) limit: AtomicUsize,
}

/// What is decided about a family when it is declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// A family that is not has no series, and what is recorded to it goes nowhere.
    pub(super) enabled: bool,
    /// How many series it may have.
    pub(super) limit: usize,
    /// How long a series may be idle, if that is bounded.
    pub(super) expire_after: Option<Duration>,
}

impl<C> Storage<C> {
    /// Storage for a family with these label names.
    pub(super) fn new(labels: &[impl AsRef<str>], rules: Rules, total: Arc<Total>) -> Self {
        Self {
            nobody: (!rules.enabled).then(Place::default),
            frame: Frame::new(labels),
            keys: Keys::shared(),
            limit: rules.limit,
            expires: rules.expire_after.is_some(),
            total,
            live: AtomicUsize::new(0),
            overflowed: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            overflow: OnceLock::new(),
            alone: OnceLock::new(),
            first: OnceLock::new(),
            later: OnceLock::new(),
            writer: Mutex::default(),
        }
    }

    /// Runs `use_cell` on the cell of `labels`, which is created where it does not exist.
    #[inline]
    pub(super) fn record<L: Labels>(
        &self,
        labels: &L,
        new: impl FnOnce() -> C,
        use_cell: impl Fn(&C),
    ) {
        let Some(table) = self.first.get() else {
            if self.is_enabled() {
                self.create(labels, new).use_cell(use_cell);
            }
            return;
        };
        if let Some(layout) = const { Layout::of(L::VALUES) } {
            let place = labels.place();
            if let Some(position) = table.position_at(layout, place)
                && let Some(series) = table.to_use(position)
            {
                return use_cell(&series.cell);
            }
            let note = |entry: Entry| table.note_place(layout, place, entry.position);
            self.record_by_content(table, labels, note, new, use_cell);
        } else {
            let guess = Guess::new(table.number, labels);
            if let Some(position) = guess.position()
                && let Some(series) = table.to_use(position)
                && self.frame.has_long_values_of(&series.text, labels)
            {
                return use_cell(&series.cell);
            }
            let note = |entry: Entry| {
                if !entry.escaped {
                    guess.note(entry.position);
                }
            };
            self.record_by_content(table, labels, note, new, use_cell);
        }
    }

    #[inline(never)]
    fn record_by_content<L: Labels>(
        &self,
        first: &Table<C>,
        labels: &L,
        note: impl Fn(Entry),
        new: impl FnOnce() -> C,
        use_cell: impl Fn(&C),
    ) {
        let hash = self.keys.hash(labels);
        let later;
        let table = if self.later.get().is_none() {
            first
        } else {
            later = self.table();
            later.as_deref().unwrap_or(first)
        };
        if let Some(entry) = self.find(table, hash, labels)
            && let Some(series) = table.to_use(entry.position)
        {
            use_cell(&series.cell);
            // What is noted is a position of the first table.
            if std::ptr::eq(table, first) {
                note(entry);
            }
        } else {
            self.create(labels, new).use_cell(use_cell);
        }
    }

    /// The place of `labels`, which is created where it does not exist.
    pub(super) fn place<L: Labels>(&self, labels: &L, new: impl FnOnce() -> C) -> Place<C> {
        self.get(labels).unwrap_or_else(|| self.create(labels, new))
    }

    /// The place of `labels`, if that series exists.
    pub(super) fn get<L: Labels>(&self, labels: &L) -> Option<Place<C>> {
        if self.frame.is_bare() {
            return self.alone.get().cloned();
        }
        let table = self.table()?;
        let entry = self.find(&table, self.keys.hash(labels), labels)?;
        let place = table.place(entry.position)?;
        (!place.is_removed()).then_some(place)
    }

    /// The table in use.
    fn table(&self) -> Option<Arc<Table<C>>> {
        match self.later.get() {
            Some(later) => Some(Arc::clone(&later.read())),
            None => self.first.get().cloned(),
        }
    }

    #[inline]
    fn find<L: Labels>(&self, table: &Table<C>, hash: u32, labels: &L) -> Option<Entry> {
        table.index.find(hash, |entry| {
            let Some(series) = table.series(entry.position) else {
                return false;
            };
            if entry.escaped {
                self.frame.is_escaped_of(&series.text, labels)
            } else {
                self.frame.is_of(&series.text, labels)
            }
        })
    }

    /// Creates the series of `labels`, unless there is one by now or there is no room.
    #[cold]
    #[inline(never)]
    fn create<L: Labels>(&self, labels: &L, new: impl FnOnce() -> C) -> Place<C> {
        if let Some(nobody) = &self.nobody {
            return nobody.clone();
        }
        if self.frame.is_bare() {
            return self.create_alone(new);
        }
        // What a search without the lock does not find was not there when it began, so that
        // what is thrown at a full family waits for nobody and takes no memory.
        if self.is_full() && !self.is_there(labels) {
            return self.overflow(new);
        }
        // The user's code runs before the lock is taken.
        let rendered = self.frame.render(self.keys, labels);
        let mut writer = self.writer.lock();
        let table = match self.table() {
            Some(table) => table,
            None => Arc::clone(
                self.first
                    .get_or_init(|| Arc::new(Table::new(self.expires))),
            ),
        };
        if let Some(position) = find_text(&table, &rendered) {
            return table.place(position).unwrap_or_default();
        }
        if self.len() >= self.limit || !table.has_room() || !self.total.take() {
            drop(writer);
            return self.overflow(new);
        }
        let Rendered {
            text,
            escaped,
            hash,
        } = rendered;
        let position = table.push(Series { text, cell: new() }, hash, escaped);
        table.enter(&mut writer.progress, position);
        self.live.fetch_add(1, Ordering::Relaxed);
        table.place(position).unwrap_or_default()
    }

    fn create_alone(&self, new: impl FnOnce() -> C) -> Place<C> {
        let _writer = self.writer.lock();
        if let Some(place) = self.alone.get() {
            return place.clone();
        }
        if self.limit == 0 || !self.total.take() {
            return self.overflow(new);
        }
        self.live.store(1, Ordering::Relaxed);
        let series = Series {
            text: Box::default(),
            cell: new(),
        };
        self.alone.get_or_init(|| Place::alone(series)).clone()
    }

    fn is_there<L: Labels>(&self, labels: &L) -> bool {
        self.table().is_some_and(|table| {
            let hash = self.keys.hash(labels);
            self.find(&table, hash, labels).is_some()
        })
    }

    fn is_full(&self) -> bool {
        self.len() >= self.limit || !self.total.has_room()
    }

    /// The series that takes what is beyond the limit.
    fn overflow(&self, new: impl FnOnce() -> C) -> Place<C> {
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        let new = || {
            Place::alone(Series {
                text: self.frame.render_overflow(),
                cell: new(),
            })
        };
        self.overflow.get_or_init(new).clone()
    }

    /// Whether the family is not switched off.
    pub(super) fn is_enabled(&self) -> bool {
        self.nobody.is_none()
    }

    /// What there is to read out now.
    pub(super) fn view(&self) -> View<C> {
        View {
            table: self.table(),
            alone: self.alone.get().cloned(),
            overflow: self.overflow.get().cloned(),
        }
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// How many series have expired.
    pub(super) fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// How many look-ups the overflow series has taken.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

fn find_text<C>(table: &Table<C>, rendered: &Rendered) -> Option<u32> {
    let same = |entry: Entry| {
        let series = table.series(entry.position);
        series.is_some_and(|series| series.text == rendered.text)
    };
    table
        .index
        .find(rendered.hash, same)
        .map(|entry| entry.position)
}

/// The series of a family as one scrape sees them. Series that come later may be in it, and
/// those that go may stay.
pub(super) struct View<C> {
    table: Option<Arc<Table<C>>>,
    alone: Option<Place<C>>,
    overflow: Option<Place<C>>,
}

impl<C> View<C> {
    /// Calls `visit` with the rendered labels and the cell of every series from position `from`
    /// on, oldest first, until `visit` breaks off or a few are done. Returns the position to go
    /// on from; `None` at the end. No lock is held.
    pub(super) fn each_from(
        &self,
        from: usize,
        visit: &mut dyn FnMut(&str, &C) -> ControlFlow<()>,
    ) -> Option<usize> {
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        let end = self.table.as_ref().map_or(0, |table| table.end());
        if let Some(table) = self.table.as_ref().filter(|_| from < end) {
            let to = end.min((from - from % GROUP).saturating_add(CHUNK));
            let stopped = table.each_in(from..to, visit);
            return Some(stopped.map_or(to, |at| at + 1) as usize);
        }
        let places = [&self.alone, &self.overflow];
        for place in places.into_iter().flatten() {
            if let Some(series) = place.series() {
                // A family has few of these: they come together, and nothing after them.
                if visit(&series.text, &series.cell).is_break() {
                    return None;
                }
            }
        }
        None
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

    fn has_room(&self) -> bool {
        self.series.load(Ordering::Relaxed) < self.limit.load(Ordering::Relaxed)
    }

    fn give_back(&self) {
        self.series.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
