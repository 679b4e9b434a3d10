use super::OVERFLOW;
use super::cell::Cell;
use super::group::Place;
use super::hint::{self, Guess};
use super::index::{Entry, Progress};
use super::key::Keys;
use super::limits::{Rules, Total};
use super::notes::Notes;
use super::places::Layout;
use super::sync::{Arc, AtomicU64, AtomicUsize, Mutex, OnceLock, Ordering, RwLock};
use super::table::Table;
use super::text::{Frame, Rendered};
use super::view::View;
use crate::registry::allowed::Bounds;
use crate::registry::labels::Labels;

/// The series of one family. `C` is the cell type of their values.
pub(in crate::registry) struct Storage<C: Cell> {
    pub(super) frame: Frame,
    pub(super) keys: &'static Keys,
    limit: usize,
    /// Whether idle series expire.
    pub(super) expires: bool,
    /// Number and limit of series in the whole registry.
    pub(super) total: Arc<Total>,
    /// Number of series.
    pub(super) live: AtomicUsize,
    /// Number of lookups redirected to the overflow series.
    overflowed: AtomicU64,
    overflow: OnceLock<Place<C>>,
    /// Number of expired series.
    pub(super) expired: AtomicU64,
    /// In a disabled family, the place of all lookups, without a series.
    off: Option<Place<C>>,
    /// The series of a family without labels.
    alone: OnceLock<Place<C>>,
    pub(super) first: OnceLock<Arc<Table<C>>>,
    /// The table after the first one, once the family has moved.
    pub(super) later: OnceLock<RwLock<Arc<Table<C>>>>,
    pub(super) writer: Mutex<Writer>,
    /// The bounds of label values.
    pub(in crate::registry) bounds: Bounds,
}

/// State of a table's writers.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) progress: Progress,
    /// Groups that are full and have no series left.
    pub(super) dead_groups: u32,
}

impl<C: Cell> Storage<C> {
    /// Creates the storage of a family with these label names.
    pub(in crate::registry) fn new(
        labels: &[impl AsRef<str>],
        rules: Rules,
        bounds: Bounds,
        total: Arc<Total>,
    ) -> Self {
        Self {
            off: (!rules.enabled).then(Place::default),
            frame: Frame::new(labels, rules.max_label_value),
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
            bounds,
        }
    }

    /// Runs `use_cell` on the cell and the notes of the series of `labels`, which is created if it
    /// does not exist.
    #[inline]
    pub(in crate::registry) fn record<L: Labels>(
        &self,
        labels: &L,
        new: impl FnOnce(Notes<'_>) -> C,
        use_cell: impl FnOnce(&C, Notes<'_>),
    ) {
        let Some(table) = self.first.get() else {
            if let Some(alone) = self.alone.get() {
                alone.record(use_cell);
            } else if self.is_enabled() {
                self.create(labels, false, new).record(use_cell);
            }
            return;
        };
        if let Some(layout) = const { Layout::of(L::VALUES) } {
            let place = labels.place();
            if let Some(position) = table.position_at(layout, place)
                && let Some(series) = table.to_use(position)
            {
                return use_cell(series.cell, series.notes);
            }
            let note = |entry: Entry| table.note_place(layout, place, entry.position);
            self.record_by_content(table, labels, note, new, use_cell);
        } else {
            let Some(use_cell) = recall(table, &self.frame, labels, use_cell) else {
                return;
            };
            let note = |entry: Entry| {
                if !entry.escaped && hint::is_due() {
                    Guess::new(table.number, labels).note(entry.position);
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
        new: impl FnOnce(Notes<'_>) -> C,
        use_cell: impl FnOnce(&C, Notes<'_>),
    ) {
        let was_full = self.is_full();
        let hash = self.frame.hash(self.keys, labels);
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
            use_cell(series.cell, series.notes);
            // Hints hold positions of the first table only.
            if std::ptr::eq(table, first) {
                note(entry);
            }
        } else {
            self.create(labels, was_full, new).record(use_cell);
        }
    }

    /// The place of `labels`, created if it does not exist.
    pub(in crate::registry) fn place<L: Labels>(
        &self,
        labels: &L,
        new: impl FnOnce(Notes<'_>) -> C,
    ) -> Place<C> {
        let was_full = self.is_full();
        let create = || self.create(labels, was_full, new);
        self.get(labels).unwrap_or_else(create)
    }

    /// The place of `labels`, if that series exists.
    pub(in crate::registry) fn get<L: Labels>(&self, labels: &L) -> Option<Place<C>> {
        if self.frame.is_bare() {
            return self.alone.get().cloned();
        }
        let table = self.table()?;
        let entry = self.find(&table, self.frame.hash(self.keys, labels), labels)?;
        let place = table.place(entry.position)?;
        if place.is_doomed() {
            drop(self.writer.lock());
        }
        (!place.is_removed()).then_some(place)
    }

    /// The current table.
    pub(super) fn table(&self) -> Option<Arc<Table<C>>> {
        match self.later.get() {
            Some(later) => Some(Arc::clone(&later.read())),
            None => self.first.get().cloned(),
        }
    }

    #[inline]
    fn find<L: Labels>(&self, table: &Table<C>, hash: u32, labels: &L) -> Option<Entry> {
        let guess = Guess::new(table.number, labels);
        table.index.find(hash, |entry| {
            let Some(series) = table.series(entry.position) else {
                return false;
            };
            if entry.escaped {
                self.frame.is_escaped_of(series.text, labels)
            } else {
                self.frame.is_of(series.text, labels, &guess)
            }
        })
    }

    /// Creates the series of `labels`, unless it exists by now or there is no space. If a value is
    /// beyond the bounds of its label, it is replaced by `other`.
    #[cold]
    #[inline(never)]
    fn create<L: Labels>(
        &self,
        labels: &L,
        was_full: bool,
        new: impl FnOnce(Notes<'_>) -> C,
    ) -> Place<C> {
        if let Some(off) = &self.off {
            return off.clone();
        }
        match self.bounds.substitute(labels) {
            None => self.create_allowed(labels, was_full, new),
            Some(labels) => match self.get(&labels) {
                Some(place) => place,
                None => self.create_allowed(&labels, false, new),
            },
        }
    }

    /// Creates the series of `labels`, unless it exists by now or there is no space. `was_full` is
    /// whether there was no space before an unsuccessful search.
    fn create_allowed<L: Labels>(
        &self,
        labels: &L,
        was_full: bool,
        new: impl FnOnce(Notes<'_>) -> C,
    ) -> Place<C> {
        if self.frame.is_bare() {
            return self.create_alone(new);
        }
        // A search without the lock finds every series that existed when it began, so that new
        // labels for a full family neither wait for the lock nor allocate.
        if self.is_full() && (was_full || !self.is_there(labels)) {
            return self.overflow(new);
        }
        // Prometheus rejects two series with the same labels.
        if labels.all(&mut |value| value == OVERFLOW) {
            return self.overflow(new);
        }
        // User code, so it runs before the lock is taken.
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
        if self.len() >= self.limit || !table.has_space() || !self.total.take() {
            drop(writer);
            return self.overflow(new);
        }
        let position = table.push(rendered, new);
        table.enter(&mut writer.progress, position);
        self.live.fetch_add(1, Ordering::Relaxed);
        table.place(position).unwrap_or_default()
    }

    fn create_alone(&self, new: impl FnOnce(Notes<'_>) -> C) -> Place<C> {
        let _writer = self.writer.lock();
        if let Some(place) = self.alone.get() {
            return place.clone();
        }
        if self.limit == 0 || !self.total.take() {
            return self.overflow(new);
        }
        self.live.store(1, Ordering::Relaxed);
        let place = Place::alone(Box::default(), new);
        self.alone.get_or_init(|| place).clone()
    }

    fn is_there<L: Labels>(&self, labels: &L) -> bool {
        self.table().is_some_and(|table| {
            let hash = self.frame.hash(self.keys, labels);
            self.find(&table, hash, labels).is_some()
        })
    }

    fn is_full(&self) -> bool {
        self.len() >= self.limit || !self.total.has_space()
    }

    /// The overflow series.
    fn overflow(&self, new: impl FnOnce(Notes<'_>) -> C) -> Place<C> {
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        let new = || Place::alone(self.frame.render_overflow(), new);
        self.overflow.get_or_init(new).clone()
    }

    /// Whether the family is enabled.
    pub(in crate::registry) fn is_enabled(&self) -> bool {
        self.off.is_none()
    }

    /// The series to read now.
    pub(in crate::registry) fn view(&self) -> View<C> {
        let places = [&self.alone, &self.overflow];
        let places = places.map(|place| place.get().cloned());
        View::new(self.table(), places)
    }

    pub(in crate::registry) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(in crate::registry) fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// Number of lookups redirected to the overflow series.
    pub(in crate::registry) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

/// Runs `use_cell` if this thread has a cached position of `labels`, or else returns it. Not
/// inlined: a call costs less than saving the registers of the slow path.
#[inline(never)]
fn recall<C: Cell, L: Labels, U: FnOnce(&C, Notes<'_>)>(
    table: &Table<C>,
    frame: &Frame,
    labels: &L,
    use_cell: U,
) -> Option<U> {
    let guess = Guess::new(table.number, labels);
    if let Some(position) = guess.position()
        && let Some(series) = table.plain_to_use(position)
        && frame.is_of(series.text, labels, &guess)
    {
        use_cell(series.cell, series.notes);
        return None;
    }
    Some(use_cell)
}

pub(super) fn find_text<C: Cell>(table: &Table<C>, rendered: &Rendered) -> Option<u32> {
    let same = |entry: Entry| {
        let series = table.series(entry.position);
        series.is_some_and(|series| *series.text == *rendered.text)
    };
    table
        .index
        .find(rendered.hash, same)
        .map(|entry| entry.position)
}
