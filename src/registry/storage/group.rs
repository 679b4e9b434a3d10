//! Series that are allocated together, and the handles that keep them.

use std::fmt;

use super::cell::Cell;
use super::life::{GROUP, Life};
use super::notes::{Notebook, Notes};
use super::sync::{Arc, AtomicU16, AtomicU32, OnceLock, Ordering};
use super::text::Rendered;

/// A series: its labels as they are exposed, its value, and what else is known of it.
pub(in crate::registry) struct Series<'a, C> {
    pub(in crate::registry) text: &'a str,
    pub(in crate::registry) cell: &'a C,
    pub(super) notes: Notes<'a>,
    /// What no other series of the process has, before or after.
    pub(in crate::registry) number: u64,
}

/// The numbers of groups that are used up. Not a part of what the models explore: it orders
/// nothing.
static NUMBERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Where a series is, or will be.
pub(super) struct Slot<C: Cell> {
    /// The labels of the series, once it is there.
    text: OnceLock<Box<str>>,
    place: C::Place,
}

/// Series that are allocated together.
pub(super) struct Slots<S: ?Sized> {
    /// What no other group of the process has, before or after.
    number: u64,
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
    pub(super) fn new(expires: bool) -> Arc<Self> {
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            gone: AtomicU32::new(0),
            escaped: AtomicU16::new(0),
            hashes: std::array::from_fn(|_| AtomicU32::new(0)),
            life: expires.then(|| Box::new(Life::new())),
            notes: Notebook::new(),
            series: std::array::from_fn(|_| Slot {
                text: OnceLock::new(),
                place: C::Place::default(),
            }),
        })
    }
}

impl<C: Cell> Slots<[Slot<C>]> {
    /// Puts a series in its place, which is free.
    fn settle(&self, at: u32, text: Box<str>, new: impl FnOnce(Notes<'_>) -> C) {
        if let Some(slot) = self.series.get(at as usize) {
            new(self.notes.at(at)).settle(&slot.place);
            // Who sees the text sees what was there before it.
            let _ = slot.text.set(text);
        }
    }

    /// Puts a series in its place, with what the index has to know of it.
    pub(super) fn put(&self, at: u32, rendered: Rendered, new: impl FnOnce(Notes<'_>) -> C) {
        self.hashes[at as usize].store(rendered.hash, Ordering::Relaxed);
        let escaped = u16::from(rendered.escaped) << at;
        self.escaped.fetch_or(escaped, Ordering::Relaxed);
        self.settle(at, rendered.text, new);
    }

    #[inline]
    pub(super) fn series(&self, at: u32) -> Option<Series<'_, C>> {
        let slot = self.series.get(at as usize)?;
        Some(Series {
            text: slot.text.get()?,
            cell: C::of(&slot.place)?,
            notes: self.notes.at(at),
            number: self.number * u64::from(GROUP) + u64::from(at),
        })
    }
}

impl<S: ?Sized> Slots<S> {
    #[inline]
    pub(super) fn is_dead(&self, at: u32) -> bool {
        self.gone.load(Ordering::Relaxed) & dead(at) != 0
    }

    /// Whether a series may be recorded to, which counts as use.
    #[inline]
    pub(super) fn may_use(&self, at: u32) -> bool {
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

    pub(super) fn hash(&self, at: u32) -> u32 {
        self.hashes[at as usize].load(Ordering::Relaxed)
    }

    pub(super) fn is_escaped(&self, at: u32) -> bool {
        self.escaped.load(Ordering::Relaxed) & 1 << at != 0
    }

    /// Checks whether a series that expires was idle for so many nanoseconds.
    pub(super) fn is_idle(&self, at: u32, now: u64, after: u64) -> bool {
        let life = self.life.as_ref();
        life.is_some_and(|life| life.check(at as usize, now, after))
    }

    /// Marks a series as removed.
    pub(super) fn bury(&self, at: u32) {
        self.gone.fetch_or(dead(at), Ordering::SeqCst);
    }

    /// The same for a series that seems idle, unless it is in use.
    pub(super) fn bury_idle(&self, at: u32) -> bool {
        self.gone.fetch_or(doomed(at), Ordering::SeqCst);
        let in_use = |life: &Life| life.is_in_use(at as usize);
        if self.life.as_deref().is_some_and(in_use) {
            self.gone.fetch_and(!doomed(at), Ordering::SeqCst);
            return false;
        }
        self.bury(at);
        true
    }

    pub(super) fn is_all_dead(&self) -> bool {
        self.gone.load(Ordering::Relaxed) & ALL == ALL
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
    /// Whether the series is in use as long as this is there.
    holds: bool,
}

impl<C: Cell> Place<C> {
    pub(super) fn new(group: Arc<Slots<[Slot<C>]>>, at: u32) -> Self {
        let place = Self {
            group,
            at,
            holds: true,
        };
        place.hold();
        place
    }

    /// The series is in use until [`let_go`](Self::let_go).
    #[inline]
    pub(in crate::registry) fn hold(&self) {
        if let Some(life) = &self.group.life {
            life.hold(self.at as usize);
        }
    }

    /// The series is in use no longer.
    #[inline]
    pub(in crate::registry) fn let_go(&self) {
        if let Some(life) = &self.group.life {
            life.let_go(self.at as usize);
        }
    }

    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    /// Lets the series expire although this is there. Says whether it may.
    pub(in crate::registry) fn loosen(&mut self) -> bool {
        if std::mem::take(&mut self.holds) {
            self.let_go();
        }
        self.group.life.is_some()
    }

    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    /// Whether the series may be recorded to, which counts as use.
    pub(in crate::registry) fn may_use(&self) -> bool {
        self.group.may_use(self.at)
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
        Self {
            group,
            at: 0,
            holds: true,
        }
    }

    /// The series, which is there in every place but the default one.
    pub(super) fn series(&self) -> Option<Series<'_, C>> {
        self.group.series(self.at)
    }

    /// The cell of the series.
    #[inline]
    pub(crate) fn cell(&self) -> Option<&C> {
        C::of(&self.group.series.get(self.at as usize)?.place)
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
            holds: true,
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
        if self.holds {
            self.hold();
        }
        Self {
            group: Arc::clone(&self.group),
            at: self.at,
            holds: self.holds,
        }
    }
}

impl<C: Cell> Drop for Place<C> {
    #[inline]
    fn drop(&mut self) {
        if self.holds {
            self.let_go();
        }
    }
}
