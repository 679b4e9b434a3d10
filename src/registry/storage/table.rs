//! Series by position, and their index.

use std::ops::{ControlFlow, Range};

use super::cell::Cell;
use super::group::{Place, Series, Slot, Slots};
use super::index::{Entry, Index, Indexed, POSITIONS, Progress};
use super::life::GROUP;
use super::notes::Notes;
use super::places::{Layout, Places};
use super::sync::{Arc, AtomicU32, OnceLock, Ordering};
use super::text::Rendered;

/// A table with fewer groups than this is not compacted.
const FEW_GROUPS: u32 = 8;

/// The groups of a small family are found directly.
const NEAR: u32 = 32;

/// Directories of further groups: 32, 64, 128, …
const DIRECTORIES: usize = 16;

type Directory<C> = Box<[OnceLock<Group<C>>]>;
type Group<C> = Arc<Slots<[Slot<C>; GROUP as usize]>>;

/// The series of a family. Series are only ever added; a family that has lost many moves to a new
/// table, which shares the groups that still have series.
///
/// Any thread may read at any time. Writers hold the lock of the family.
pub(super) struct Table<C: Cell> {
    /// A unique number, never 0.
    pub(super) number: u32,
    near: [OnceLock<Group<C>>; NEAR as usize],
    directories: [OnceLock<Directory<C>>; DIRECTORIES],
    pub(super) index: Index,
    /// Set in a family with a closed label set.
    places: OnceLock<Places>,
    /// All lower positions are in use.
    end: AtomicU32,
    /// Whether idle series expire.
    expires: bool,
}

impl<C: Cell> Table<C> {
    pub(super) fn new(expires: bool) -> Self {
        // It orders no other memory, so that it may stay outside of the models.
        static TABLES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        Self {
            // If the number wraps around, only a hint to a very old table could match it.
            number: TABLES.fetch_add(1, Ordering::Relaxed).max(1),
            near: std::array::from_fn(|_| OnceLock::new()),
            directories: std::array::from_fn(|_| OnceLock::new()),
            index: Index::new(),
            places: OnceLock::new(),
            end: AtomicU32::new(0),
            expires,
        }
    }

    /// The position after the last one.
    pub(super) fn end(&self) -> u32 {
        self.end.load(Ordering::Acquire)
    }

    /// The directory of a group that is not near. Each begins with the group whose number is the
    /// size of the directory.
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

    /// The group of a position, and the index in it.
    #[inline]
    fn slots(&self, position: u32) -> Option<(&Slots<[Slot<C>]>, u32)> {
        Some((&**self.group(position / GROUP)?, position % GROUP))
    }

    /// The series at a position.
    #[inline]
    pub(super) fn series(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        group.series(at)
    }

    /// The series at a position, unless removed.
    pub(super) fn living(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        group.series(at).filter(|_| !group.is_dead(at))
    }

    /// The series at a position for recording, unless removed.
    #[inline]
    pub(super) fn to_use(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        let series = group.series(at)?;
        group.may_use(at).then_some(series)
    }

    /// The series at a position for recording, unless removed or its text has escapes.
    #[inline]
    pub(super) fn plain_to_use(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        let series = group.series(at)?;
        (!group.is_escaped(at) && group.may_use(at)).then_some(series)
    }

    /// Checks whether a series with expiry was idle for `after` nanoseconds.
    pub(super) fn is_idle(&self, position: u32, now: u64, after: u64) -> bool {
        self.slots(position)
            .is_some_and(|(group, at)| group.is_idle(at, now, after))
    }

    /// The last recorded position of a combination of closed values.
    #[inline]
    pub(super) fn position_at(&self, layout: Layout, place: usize) -> Option<u32> {
        self.places.get()?.position(layout, place)
    }

    /// Records the position of the series of a combination of closed values.
    pub(super) fn note_place(&self, layout: Layout, place: usize, position: u32) {
        let places = self.places.get_or_init(|| Places::new(layout));
        places.note(layout, place, position);
    }

    /// A handle to the series at a position.
    pub(super) fn place(&self, position: u32) -> Option<Place<C>> {
        let group: Arc<Slots<[_]>> =
            Arc::<Slots<[_; GROUP as usize]>>::clone(self.group(position / GROUP)?);
        Some(Place::new(group, position % GROUP))
    }

    /// Whether there is a free position.
    pub(super) fn has_space(&self) -> bool {
        self.end() < POSITIONS
    }

    /// Adds a series and returns its position; the table must have space.
    pub(super) fn push(&self, rendered: Rendered, new: impl FnOnce(Notes<'_>) -> C) -> u32 {
        let position = self.end.load(Ordering::Relaxed);
        if position.is_multiple_of(GROUP) {
            self.put(position / GROUP, Slots::new(self.expires));
        }
        if let Some((group, at)) = self.slots(position) {
            group.put(at, rendered, new);
        }
        self.end.store(position + 1, Ordering::Release);
        position
    }

    /// Adds the series at a position to the index, unless removed.
    pub(super) fn enter(&self, progress: &mut Progress, position: u32) {
        if let Some(indexed) = self.indexed(position) {
            self.index.insert(progress, indexed, &|at| self.indexed(at));
        }
    }

    /// Removes the series at a position from the index.
    pub(super) fn leave(&self, position: u32) {
        if let Some((group, at)) = self.slots(position) {
            self.index.remove(group.hash(at), position);
        }
    }

    /// The index data of the series at a position, unless removed.
    fn indexed(&self, position: u32) -> Option<Indexed> {
        let (group, at) = self.slots(position)?;
        let escaped = group.is_escaped(at);
        (!group.is_dead(at)).then(|| Indexed {
            hash: group.hash(at),
            entry: Entry { position, escaped },
        })
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

    /// Marks the series at a position as removed.
    pub(super) fn bury(&self, position: u32) {
        if let Some((group, at)) = self.slots(position) {
            group.bury(at);
        }
    }

    /// Marks a series that seems idle as removed, unless it is in use. Until that is decided
    /// scrapes still read it; a thread that wants to use it waits for the family's lock.
    pub(super) fn bury_idle(&self, position: u32) -> bool {
        self.slots(position)
            .is_some_and(|(group, at)| group.bury_idle(at))
    }

    /// Whether the group at a position has no series left.
    pub(super) fn is_group_dead(&self, position: u32) -> bool {
        self.group(position / GROUP)
            .is_some_and(|group| group.is_all_dead())
    }

    /// Whether a new table would be much smaller, given the number of groups without series.
    pub(super) fn is_worth_leaving(&self, dead_groups: u32) -> bool {
        dead_groups >= FEW_GROUPS && dead_groups > self.end().div_ceil(GROUP) / 2
    }

    /// Calls `visit` with the groups that have series.
    pub(super) fn each_living_group(&self, mut visit: impl FnMut(&Group<C>)) {
        for number in 0..self.end().div_ceil(GROUP) {
            let first = number * GROUP;
            if let Some(group) = self.group(number)
                && (first..first + GROUP).any(|position| self.living(position).is_some())
            {
                visit(group);
            }
        }
    }

    /// Adds a group of another table, which gets no more series, and returns the position of its
    /// first series.
    pub(super) fn adopt(&self, group: &Group<C>) -> u32 {
        let first = self.end().next_multiple_of(GROUP);
        self.put(first / GROUP, Arc::clone(group));
        self.end.store(first + GROUP, Ordering::Release);
        let group: &Slots<[_]> = &**group;
        for at in 0..GROUP {
            if group.series(at).is_none() {
                group.bury(at);
            }
        }
        first
    }

    /// Calls `visit` with the series in a range of positions: their texts, cells and notes. Returns
    /// where `visit` broke off.
    pub(super) fn each_in(
        &self,
        range: Range<u32>,
        mut visit: impl FnMut(Series<'_, C>) -> ControlFlow<()>,
    ) -> Option<u32> {
        for number in range.start / GROUP..range.end.div_ceil(GROUP) {
            let Some(group) = self.group(number) else {
                continue;
            };
            let group: &Slots<[_]> = &**group;
            for at in 0..GROUP {
                let position = number * GROUP + at;
                if !group.is_dead(at)
                    && range.contains(&position)
                    && let Some(series) = group.series(at)
                    && visit(series).is_break()
                {
                    return Some(position);
                }
            }
        }
        None
    }
}
