//! Series that are allocated together, and the handles to them.

use std::fmt;

use super::cell::Cell;
use super::life::{GROUP, Life};
use super::notes::{Notebook, Notes};
use super::sync::{Arc, AtomicU16, AtomicU32, OnceLock, Ordering};
use super::text::Rendered;

/// A series: its rendered labels, its value, and its note.
pub(in crate::registry) struct Series<'a, C> {
    pub(in crate::registry) text: &'a str,
    pub(in crate::registry) cell: &'a C,
    pub(super) notes: Notes<'a>,
    /// A process-wide unique number, never reused.
    pub(in crate::registry) number: u64,
}

/// The number of the next group. Not explored by the models: it orders nothing.
static NUMBERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// The slot of an existing or future series.
pub(super) struct Slot<C: Cell> {
    /// The labels of the series, once it exists.
    text: OnceLock<Box<str>>,
    place: C::Place,
}

/// Slots that are allocated together.
pub(super) struct Slots<S: ?Sized> {
    /// A process-wide unique number, never reused.
    number: u64,
    /// A bit for each removed series in the lower half, and for each that may be about to expire in
    /// the upper half. Shared by tables that share the group.
    gone: AtomicU32,
    /// A bit for each series whose text has escapes.
    escaped: AtomicU16,
    /// The hash of each, so that an index can grow without reading the texts.
    hashes: [AtomicU32; GROUP as usize],
    /// Usage state, if the family's idle series expire.
    life: Option<Box<Life>>,
    notes: Notebook,
    series: S,
}

impl<C: Cell, const N: usize> Slots<[Slot<C>; N]> {
    /// A group without series.
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
    /// Puts a series into a free slot.
    fn settle(&self, at: u32, text: Box<str>, new: impl FnOnce(Notes<'_>) -> C) {
        if let Some(slot) = self.series.get(at as usize) {
            new(self.notes.at(at)).settle(&slot.place);
            // Whoever reads the text also sees the writes before it.
            let _ = slot.text.set(text);
        }
    }

    /// Puts a series into a free slot, with its data for the index.
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

    /// Marks an idle series as used. False if it is expiring at this moment.
    #[cold]
    #[inline(never)]
    fn wake(&self, life: &Life, at: u32) -> bool {
        life.set_used(at as usize);
        self.gone.load(Ordering::SeqCst) & (dead(at) | doomed(at)) == 0
    }

    pub(super) fn hash(&self, at: u32) -> u32 {
        self.hashes[at as usize].load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_escaped(&self, at: u32) -> bool {
        self.escaped.load(Ordering::Relaxed) & 1 << at != 0
    }

    /// Checks whether a series with expiry was idle for `after` nanoseconds.
    pub(super) fn is_idle(&self, at: u32, now: u64, after: u64) -> bool {
        let life = self.life.as_ref();
        life.is_some_and(|life| life.check(at as usize, now, after))
    }

    /// Marks a series as removed.
    pub(super) fn bury(&self, at: u32) {
        self.gone.fetch_or(dead(at), Ordering::SeqCst);
    }

    /// Marks a series that seems idle as removed, unless it is in use.
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

/// The location of a series, independent of its family. A removed series lives on in its handles,
/// and its slot is never reused.
pub struct Place<C: Cell> {
    group: Arc<Slots<[Slot<C>]>>,
    at: u32,
    /// Whether this keeps the series in use.
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

    /// Marks the series as in use until [`let_go`](Self::let_go).
    #[inline]
    pub(in crate::registry) fn hold(&self) {
        if let Some(life) = &self.group.life {
            life.hold(self.at as usize);
        }
    }

    /// Ends the use of the series by this handle.
    #[inline]
    pub(in crate::registry) fn let_go(&self) {
        if let Some(life) = &self.group.life {
            life.let_go(self.at as usize);
        }
    }

    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    /// Lets the series expire even while this exists. Returns whether it may.
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

    /// Whether the series may be about to expire. That is decided under the lock of the family; the
    /// series stays if this handle came first, and then the handle is kept.
    pub(super) fn is_doomed(&self) -> bool {
        self.group.gone.load(Ordering::SeqCst) & doomed(self.at) != 0
    }

    /// A standalone series.
    pub(super) fn alone(text: Box<str>, new: impl FnOnce(Notes<'_>) -> C) -> Self {
        let group: Arc<Slots<[Slot<C>]>> = Slots::<[Slot<C>; 1]>::new(false);
        group.settle(0, text, new);
        Self {
            group,
            at: 0,
            holds: true,
        }
    }

    /// The series; `None` only for the default place.
    pub(super) fn series(&self) -> Option<Series<'_, C>> {
        self.group.series(self.at)
    }

    /// The cell of the series.
    #[inline]
    pub(crate) fn cell(&self) -> Option<&C> {
        C::of(&self.group.series.get(self.at as usize)?.place)
    }

    /// The notes of the series.
    #[inline]
    pub(in crate::registry) fn notes(&self) -> Notes<'_> {
        self.group.notes.at(self.at)
    }

    /// Runs `use_cell` on the cell and the notes of the series.
    #[inline]
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

/// A place without a series, where recording has no effect.
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
