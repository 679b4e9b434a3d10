//! Series by position, and the index that finds them.

use std::fmt;
use std::ops::{ControlFlow, Range};

use super::index::{Index, POSITIONS};
use crate::registry::sync::{Arc, AtomicU32, OnceLock, Ordering, RwLock};

/// How many series are allocated together. A group is freed when its last series and the last
/// handle to one of them are gone; few, so that a survivor keeps little else alive.
pub(super) const GROUP: u32 = 8;

/// A table with fewer groups than this is not worth leaving.
const FEW_GROUPS: u32 = 16;

/// The groups of a small family are found without a detour.
const NEAR: u32 = 32;

/// Directories of the groups behind: 32, 64, 128, …
const DIRECTORIES: usize = 16;

/// A series: its labels as they are exposed, and its value.
pub(super) struct Series<C> {
    pub(super) text: Box<str>,
    pub(super) cell: C,
}

type Slot<C> = OnceLock<Series<C>>;
type Directory<C> = Box<[OnceLock<Group<C>>]>;
type Group<C> = Arc<[Slot<C>; GROUP as usize]>;

/// Where a series is, whatever becomes of its family. A series that was removed lives on in the
/// handles to it, and its place is never taken by another.
pub struct Place<C> {
    group: Arc<[Slot<C>]>,
    at: u32,
}

impl<C> Place<C> {
    /// A series that stands alone.
    pub(super) fn alone(series: Series<C>) -> Self {
        Self {
            group: Arc::new([OnceLock::from(series)]),
            at: 0,
        }
    }

    /// One that no family has.
    pub(crate) fn of_nobody(cell: C) -> Self {
        Self::alone(Series {
            text: Box::default(),
            cell,
        })
    }

    /// The series, which is there in every place but the default one.
    #[inline]
    pub(super) fn series(&self) -> Option<&Series<C>> {
        self.group.get(self.at as usize)?.get()
    }

    /// The cell of the series.
    #[inline]
    pub(crate) fn cell(&self) -> Option<&C> {
        Some(&self.series()?.cell)
    }

    #[inline]
    pub(crate) fn use_cell(&self, use_cell: impl Fn(&C)) {
        if let Some(cell) = self.cell() {
            use_cell(cell);
        }
    }
}

/// A place with no series, where recording has no effect.
impl<C> Default for Place<C> {
    fn default() -> Self {
        Self {
            group: Arc::new([]),
            at: 0,
        }
    }
}

impl<C> fmt::Debug for Place<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.series().map_or("nowhere", |series| &series.text))
    }
}

impl<C> Clone for Place<C> {
    fn clone(&self) -> Self {
        Self {
            group: Arc::clone(&self.group),
            at: self.at,
        }
    }
}

/// The series of a family. Series are only ever added; a family that has lost many moves to a
/// new table, which shares the groups that still have series.
///
/// Anybody may read at any time. Those who add hold the lock of the family.
pub(super) struct Table<C> {
    /// No other table has this number; it is not 0.
    pub(super) number: u32,
    near: [OnceLock<Group<C>>; NEAR as usize],
    directories: [OnceLock<Directory<C>>; DIRECTORIES],
    pub(super) index: Index,
    /// All positions below were handed out.
    end: AtomicU32,
    /// For each group the series that were removed, a bit for each; not there, or too short,
    /// where none was.
    dead: OnceLock<RwLock<Vec<u8>>>,
}

impl<C> Default for Table<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Table<C> {
    pub(super) fn new() -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(1);
        Self {
            // Wrapped round, it would still have to meet a hint to a table of long ago.
            number: TABLES.fetch_add(1, Ordering::Relaxed).max(1),
            near: std::array::from_fn(|_| OnceLock::new()),
            directories: std::array::from_fn(|_| OnceLock::new()),
            index: Index::new(),
            end: AtomicU32::new(0),
            dead: OnceLock::new(),
        }
    }

    /// The position after the last one.
    pub(super) fn end(&self) -> u32 {
        self.end.load(Ordering::Acquire)
    }

    /// The directory of a group that is not near. Each begins with the group whose number is
    /// the size of the directory.
    #[inline]
    fn directory(group: u32) -> usize {
        (group.ilog2() - NEAR.ilog2()) as usize
    }

    /// The slots of the group with this number.
    #[inline]
    pub(super) fn group(&self, group: u32) -> Option<&Group<C>> {
        match self.near.get(group as usize) {
            Some(near) => near.get(),
            None => self.far_group(group),
        }
    }

    #[inline]
    fn far_group(&self, group: u32) -> Option<&Group<C>> {
        let directory = self.directories.get(Self::directory(group))?.get()?;
        directory
            .get(group as usize & directory.len().wrapping_sub(1))?
            .get()
    }

    /// The series at a position.
    #[inline]
    pub(super) fn series(&self, position: u32) -> Option<&Series<C>> {
        let group = self.group(position / GROUP)?;
        group.get((position % GROUP) as usize)?.get()
    }

    /// The series at a position, unless it is removed.
    pub(super) fn living(&self, position: u32) -> Option<&Series<C>> {
        let dead = self.dead(position / GROUP) & 1 << (position % GROUP);
        self.series(position).filter(|_| dead == 0)
    }

    /// A handle to the series at a position.
    pub(super) fn place(&self, position: u32) -> Option<Place<C>> {
        let group = Arc::clone(self.group(position / GROUP)?);
        Some(Place {
            group,
            at: position % GROUP,
        })
    }

    /// Whether there is a position left.
    pub(super) fn has_room(&self) -> bool {
        self.end() < POSITIONS
    }

    /// Adds a series and returns its position; the table has room.
    pub(super) fn push(&self, series: Series<C>) -> u32 {
        let position = self.end.load(Ordering::Relaxed);
        if position.is_multiple_of(GROUP) {
            let group = std::array::from_fn(|_| OnceLock::new());
            self.put(position / GROUP, Arc::new(group));
        }
        if let Some(group) = self.group(position / GROUP) {
            let _ = group[(position % GROUP) as usize].set(series);
        }
        self.end.store(position + 1, Ordering::Release);
        position
    }

    fn put(&self, number: u32, group: Group<C>) {
        if let Some(near) = self.near.get(number as usize) {
            let _ = near.set(group);
            return;
        }
        let at = Self::directory(number);
        let size = NEAR << at;
        let directory =
            self.directories[at].get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        let _ = directory[(number & (size - 1)) as usize].set(group);
    }

    /// Marks the series at a position as removed. True if that was the last one of its group.
    pub(super) fn bury(&self, position: u32) -> bool {
        let at = (position / GROUP) as usize;
        let mut dead = self.dead.get_or_init(RwLock::default).write();
        if dead.len() <= at {
            dead.resize(at + 1, 0);
        }
        dead[at] |= 1 << (position % GROUP);
        dead[at] == u8::MAX
    }

    /// Whether a series was removed from here, ever.
    #[inline]
    pub(super) fn has_dead(&self) -> bool {
        self.dead.get().is_some()
    }

    /// Which series of a group are removed, a bit for each.
    fn dead(&self, group: u32) -> u8 {
        let Some(dead) = self.dead.get() else {
            return 0;
        };
        dead.read().get(group as usize).copied().unwrap_or(0)
    }

    /// Whether a new table would be much smaller, given how many groups have no series left.
    pub(super) fn is_worth_leaving(&self, dead_groups: u32) -> bool {
        dead_groups >= FEW_GROUPS && dead_groups > self.end().div_ceil(GROUP) / 2
    }

    /// Calls `visit` with the groups that have series, and which of those are removed.
    pub(super) fn each_living_group(&self, mut visit: impl FnMut(&Group<C>, u8)) {
        for number in 0..self.end().div_ceil(GROUP) {
            let dead = self.dead(number);
            if let Some(group) = self.group(number).filter(|_| dead != u8::MAX) {
                visit(group, dead);
            }
        }
    }

    /// Adds a group of another table, in which nothing more will be put, and returns the
    /// position of its first series.
    pub(super) fn adopt(&self, group: &Group<C>, dead: u8) -> u32 {
        let first = self.end().next_multiple_of(GROUP);
        self.put(first / GROUP, Arc::clone(group));
        self.end.store(first + GROUP, Ordering::Release);
        for (at, slot) in (0..).zip(group.iter()) {
            if dead & 1 << at != 0 || slot.get().is_none() {
                self.bury(first + at);
            }
        }
        first
    }

    /// Calls `visit` with the text and the cell of the series in a range of positions. Returns
    /// where `visit` broke off.
    pub(super) fn each_in(
        &self,
        range: Range<u32>,
        visit: &mut dyn FnMut(&str, &C) -> ControlFlow<()>,
    ) -> Option<u32> {
        for number in range.start / GROUP..range.end.div_ceil(GROUP) {
            let Some(group) = self.group(number) else {
                continue;
            };
            let dead = self.dead(number);
            for (at, slot) in (0..).zip(group.iter()) {
                let position = number * GROUP + at;
                if dead & 1 << at == 0
                    && range.contains(&position)
                    && let Some(series) = slot.get()
                    && visit(&series.text, &series.cell).is_break()
                {
                    return Some(position);
                }
            }
        }
        None
    }
}
