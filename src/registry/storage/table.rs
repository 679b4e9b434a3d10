//! Series by position, and the index that finds them.

use std::fmt;
use std::ops::{ControlFlow, Range};

use super::cell::Cell;
use super::index::{Entry, Index, Indexed, POSITIONS, Progress};
use super::life::Life;
use super::notes::{Notebook, Notes};
use super::places::{Layout, Places};
use super::sync::{Arc, AtomicU16, AtomicU32, OnceLock, Ordering};
use super::text::Rendered;

/// How many series are allocated together. A group is freed when its last series and the last
/// handle to one of them are gone; few, so that a survivor keeps little else alive.
pub(super) const GROUP: u32 = 16;

/// A table with fewer groups than this is not worth leaving.
const FEW_GROUPS: u32 = 8;

/// The groups of a small family are found without a detour.
const NEAR: u32 = 32;

/// Directories of the groups behind: 32, 64, 128, …
const DIRECTORIES: usize = 16;

/// A series: its labels as they are exposed, its value, and what else is known of it.
pub(super) struct Series<'a, C> {
    pub(super) text: &'a str,
    pub(super) cell: &'a C,
    pub(super) notes: Notes<'a>,
}

/// Where a series is, or will be.
pub(super) struct Slot<C: Cell> {
    /// The labels of the series, once it is there.
    text: OnceLock<Box<str>>,
    room: C::Room,
}

type Directory<C> = Box<[OnceLock<Group<C>>]>;
type Group<C> = Arc<Slots<[Slot<C>; GROUP as usize]>>;

/// Series that are allocated together.
pub(super) struct Slots<S: ?Sized> {
    /// Which of them are removed, a bit for each in the lower half; and which of them may be
    /// about to expire, in the upper half. Tables that share a group share this.
    gone: AtomicU32,
    /// Whose text has escapes, a bit for each.
    escaped: AtomicU16,
    /// The hash of each, so that an index grows without reading the texts.
    hashes: [AtomicU32; GROUP as usize],
    /// In a family whose idle series expire.
    life: Option<Box<Life>>,
    notes: Notebook,
    series: S,
}

impl<C: Cell, const N: usize> Slots<[Slot<C>; N]> {
    /// Without any series yet.
    fn new(expires: bool) -> Arc<Self> {
        Arc::new(Self {
            gone: AtomicU32::new(0),
            escaped: AtomicU16::new(0),
            hashes: std::array::from_fn(|_| AtomicU32::new(0)),
            life: expires.then(|| Box::new(Life::new())),
            notes: Notebook::new(),
            series: std::array::from_fn(|_| Slot {
                text: OnceLock::new(),
                room: C::Room::default(),
            }),
        })
    }
}

impl<C: Cell> Slots<[Slot<C>]> {
    /// Puts a series in its place, which is free.
    fn settle(&self, at: u32, text: Box<str>, new: impl FnOnce(Notes<'_>) -> C) {
        if let Some(slot) = self.series.get(at as usize) {
            new(self.notes.at(at)).settle(&slot.room);
            // Who sees the text sees what was there before it.
            let _ = slot.text.set(text);
        }
    }

    #[inline]
    fn series(&self, at: u32) -> Option<Series<'_, C>> {
        let slot = self.series.get(at as usize)?;
        Some(Series {
            text: slot.text.get()?,
            cell: C::of(&slot.room)?,
            notes: self.notes.at(at),
        })
    }
}

impl<S: ?Sized> Slots<S> {
    #[inline]
    fn is_dead(&self, at: u32) -> bool {
        self.gone.load(Ordering::Relaxed) & dead(at) != 0
    }

    /// Whether a series may be recorded to, which counts as use.
    #[inline]
    fn may_use(&self, at: u32) -> bool {
        self.gone.load(Ordering::Relaxed) & (dead(at) | doomed(at)) == 0
            && self
                .life
                .as_ref()
                .is_none_or(|life| life.is_used(at as usize) || self.wake(life, at))
    }

    /// Uses a series that was idle. False if it expires at this moment.
    #[cold]
    #[inline(never)]
    fn wake(&self, life: &Life, at: u32) -> bool {
        life.set_used(at as usize);
        self.gone.load(Ordering::SeqCst) & (dead(at) | doomed(at)) == 0
    }
}

const ALL: u32 = (1 << GROUP) - 1;

fn dead(at: u32) -> u32 {
    1 << at
}

fn doomed(at: u32) -> u32 {
    1 << (GROUP + at)
}

/// Where a series is, whatever becomes of its family. A series that was removed lives on in the
/// handles to it, and its place is never taken by another.
pub struct Place<C: Cell> {
    group: Arc<Slots<[Slot<C>]>>,
    at: u32,
}

impl<C: Cell> Place<C> {
    fn new(group: Arc<Slots<[Slot<C>]>>, at: u32) -> Self {
        if let Some(life) = &group.life {
            life.hold(at as usize);
        }
        Self { group, at }
    }

    /// Whether the series is removed.
    pub(in crate::registry) fn is_removed(&self) -> bool {
        self.group.gone.load(Ordering::SeqCst) & dead(self.at) != 0
    }

    /// Whether the series may be about to expire. That is decided under the lock of the family,
    /// for it to stay where this handle came first; a handle that found it safe keeps it.
    pub(super) fn is_doomed(&self) -> bool {
        self.group.gone.load(Ordering::SeqCst) & doomed(self.at) != 0
    }

    /// A series that stands alone.
    pub(super) fn alone(text: Box<str>, new: impl FnOnce(Notes<'_>) -> C) -> Self {
        let group: Arc<Slots<[Slot<C>]>> = Slots::<[Slot<C>; 1]>::new(false);
        group.settle(0, text, new);
        Self { group, at: 0 }
    }

    /// The series, which is there in every place but the default one.
    pub(super) fn series(&self) -> Option<Series<'_, C>> {
        self.group.series(self.at)
    }

    /// The cell of the series.
    #[inline]
    pub(crate) fn cell(&self) -> Option<&C> {
        C::of(&self.group.series.get(self.at as usize)?.room)
    }

    /// What else is known of the series.
    #[inline]
    pub(in crate::registry) fn notes(&self) -> Notes<'_> {
        self.group.notes.at(self.at)
    }

    /// Runs `use_cell` on the cell and what else is known of the series.
    pub(super) fn record(&self, use_cell: impl FnOnce(&C, Notes<'_>)) {
        if let Some(cell) = self.cell() {
            use_cell(cell, self.notes());
        }
    }

    #[inline]
    pub(crate) fn use_cell(&self, use_cell: impl FnOnce(&C)) {
        if let Some(cell) = self.cell() {
            use_cell(cell);
        }
    }
}

/// A place with no series, where recording has no effect.
impl<C: Cell> Default for Place<C> {
    fn default() -> Self {
        Self {
            group: Slots::<[Slot<C>; 0]>::new(false),
            at: 0,
        }
    }
}

impl<C: Cell> fmt::Debug for Place<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.series().map_or("nowhere", |series| series.text))
    }
}

impl<C: Cell> Clone for Place<C> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.group), self.at)
    }
}

impl<C: Cell> Drop for Place<C> {
    #[inline]
    fn drop(&mut self) {
        if let Some(life) = &self.group.life {
            life.let_go(self.at as usize);
        }
    }
}

/// The series of a family. Series are only ever added; a family that has lost many moves to a
/// new table, which shares the groups that still have series.
///
/// Anybody may read at any time. Those who add hold the lock of the family.
pub(super) struct Table<C: Cell> {
    /// No other table has this number; it is not 0.
    pub(super) number: u32,
    near: [OnceLock<Group<C>>; NEAR as usize],
    directories: [OnceLock<Directory<C>>; DIRECTORIES],
    pub(super) index: Index,
    /// In a family with a closed label set.
    places: OnceLock<Places>,
    /// All positions below were handed out.
    end: AtomicU32,
    /// Whether idle series expire.
    expires: bool,
}

impl<C: Cell> Table<C> {
    pub(super) fn new(expires: bool) -> Self {
        // It says nothing about other memory, so that no model has to know of it.
        static TABLES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        Self {
            // Wrapped round, it would still have to meet a hint to a table of long ago.
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

    /// The group of a position, and which of its series it is.
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

    /// The series at a position, unless it is removed.
    pub(super) fn living(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        group.series(at).filter(|_| !group.is_dead(at))
    }

    /// The series at a position to record to, unless it is removed.
    #[inline]
    pub(super) fn to_use(&self, position: u32) -> Option<Series<'_, C>> {
        let (group, at) = self.slots(position)?;
        let series = group.series(at)?;
        group.may_use(at).then_some(series)
    }

    /// Looks whether a series that expires was idle for so many nanoseconds.
    pub(super) fn is_idle(&self, position: u32, now: u64, after: u64) -> bool {
        let at = (position % GROUP) as usize;
        self.group(position / GROUP)
            .and_then(|group| group.life.as_ref())
            .is_some_and(|life| life.look(at, now, after))
    }

    /// The position that was last noted for a combination of closed values.
    #[inline]
    pub(super) fn position_at(&self, layout: Layout, place: usize) -> Option<u32> {
        self.places.get()?.position(layout, place)
    }

    /// Notes where the series of a combination of closed values is.
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

    /// Whether there is a position left.
    pub(super) fn has_room(&self) -> bool {
        self.end() < POSITIONS
    }

    /// Adds a series and returns its position; the table has room.
    pub(super) fn push(&self, rendered: Rendered, new: impl FnOnce(Notes<'_>) -> C) -> u32 {
        let position = self.end.load(Ordering::Relaxed);
        if position.is_multiple_of(GROUP) {
            self.put(position / GROUP, Slots::new(self.expires));
        }
        if let Some((group, at)) = self.slots(position) {
            group.hashes[at as usize].store(rendered.hash, Ordering::Relaxed);
            group
                .escaped
                .fetch_or(u16::from(rendered.escaped) << at, Ordering::Relaxed);
            group.settle(at, rendered.text, new);
        }
        self.end.store(position + 1, Ordering::Release);
        position
    }

    /// Enters the series at a position in the index, unless it is removed.
    pub(super) fn enter(&self, progress: &mut Progress, position: u32) {
        if let Some(indexed) = self.indexed(position) {
            self.index.insert(progress, indexed, &|at| self.indexed(at));
        }
    }

    /// Takes the series at a position out of the index.
    pub(super) fn leave(&self, position: u32) {
        if let Some(group) = self.group(position / GROUP) {
            let hash = group.hashes[(position % GROUP) as usize].load(Ordering::Relaxed);
            self.index.remove(hash, position);
        }
    }

    /// What the index has to know of the series at a position, unless it is removed.
    fn indexed(&self, position: u32) -> Option<Indexed> {
        let (group, at) = (self.group(position / GROUP)?, position % GROUP);
        let escaped = group.escaped.load(Ordering::Relaxed) & 1 << at != 0;
        (!group.is_dead(at)).then(|| Indexed {
            hash: group.hashes[at as usize].load(Ordering::Relaxed),
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
        if let Some(group) = self.group(position / GROUP) {
            let dead = dead(position % GROUP);
            group.gone.fetch_or(dead, Ordering::SeqCst);
        }
    }

    /// The same for a series that seems idle, unless it is in use. Until that is known it is
    /// read out as ever; who wants to use it waits for the lock of the family.
    pub(super) fn bury_idle(&self, position: u32) -> bool {
        let (Some(group), at) = (self.group(position / GROUP), position % GROUP) else {
            return false;
        };
        group.gone.fetch_or(doomed(at), Ordering::SeqCst);
        let in_use = |life: &Life| life.is_in_use(at as usize);
        if group.life.as_deref().is_some_and(in_use) {
            group.gone.fetch_and(!doomed(at), Ordering::SeqCst);
            return false;
        }
        self.bury(position);
        true
    }

    /// Whether the group at a position has no series any more.
    pub(super) fn is_group_dead(&self, position: u32) -> bool {
        self.group(position / GROUP)
            .is_some_and(|group| group.gone.load(Ordering::Relaxed) & ALL == ALL)
    }

    /// Whether a new table would be much smaller, given how many groups have no series left.
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

    /// Adds a group of another table, in which nothing more will be put, and returns the
    /// position of its first series.
    pub(super) fn adopt(&self, group: &Group<C>) -> u32 {
        let first = self.end().next_multiple_of(GROUP);
        self.put(first / GROUP, Arc::clone(group));
        self.end.store(first + GROUP, Ordering::Release);
        for (at, slot) in (0..).zip(&group.series) {
            if slot.text.get().is_none() {
                self.bury(first + at);
            }
        }
        first
    }

    /// Calls `visit` with the series in a range of positions: their texts, cells and notes.
    /// Returns where `visit` broke off.
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
