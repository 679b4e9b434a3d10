//! The index from the hash of a label set to the position of its series.
//!
//! An open-addressing table of positions, read without a lock. It grows level by level: the next
//! level, twice as large, is filled incrementally with each insertion, so that no insertion waits
//! for all. Old levels stay allocated until the index is dropped; together they are as large as the
//! current one.
//!
//! A reader gets a candidate, and compares the label values itself.

use super::sync::{AtomicU32, OnceLock, Ordering};

/// Sizes from 16 to 2²⁵ entries.
const LEVELS: usize = 22;
const SMALLEST: usize = 16;
/// Series moved with each insertion. One would suffice, as the new level has space for as many
/// again as the old one had.
const MOVED_AT_ONCE: u32 = 4;

/// An entry of the index: the position of a series, and hash bits for a quick check.
///
/// Two bits are `USED` and `ESCAPED`. Of the others, the position takes as many as the size of the
/// level needs, and the rest are from the hash; 0 is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) position: u32,
    /// Whether the text of the series differs from its raw values.
    pub(super) escaped: bool,
}

/// The maximum number of positions in an index.
pub(super) const POSITIONS: u32 = 1 << 24;

const USED: u32 = 1 << 31;
const ESCAPED: u32 = 1 << 30;
/// A removed entry; a search continues after it.
const REMOVED: u32 = ESCAPED;

/// The index of one table. Any thread may read; writers hold the lock of the family.
pub(super) struct Index {
    levels: [OnceLock<Box<[AtomicU32]>>; LEVELS],
    /// The current level, counted from 1; 0 if there is none. `MOVING` is set while series of the
    /// previous level are missing in it.
    state: AtomicU32,
}

const MOVING: u32 = 1 << 8;

/// The writers' progress in an [`Index`].
#[derive(Default)]
pub(super) struct Progress {
    /// Taken entries of the current level, including removed ones.
    taken: usize,
    /// The positions still to move from the previous level.
    next: u32,
    end: u32,
}

/// An entry and its hash.
#[derive(Clone, Copy)]
pub(super) struct Indexed {
    pub(super) hash: u32,
    pub(super) entry: Entry,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            levels: std::array::from_fn(|_| OnceLock::new()),
            state: AtomicU32::new(0),
        }
    }

    /// The entry for which `is` returns true, among those with this hash.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the closure is half of every lookup")]
    pub(super) fn find(&self, hash: u32, mut is: impl FnMut(Entry) -> bool) -> Option<Entry> {
        let state = self.state.load(Ordering::Acquire);
        let mut level = state % MOVING;
        loop {
            let found = self.search(level, hash, &mut is);
            if found.is_some() || state < MOVING || level != state % MOVING {
                return found.map(|(entry, _)| entry);
            }
            level -= 1;
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for `find`")]
    fn search(
        &self,
        level: u32,
        hash: u32,
        is: &mut impl FnMut(Entry) -> bool,
    ) -> Option<(Entry, &AtomicU32)> {
        let entries = self.level(level)?;
        let mask = entries.len().wrapping_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "no level has more than 2²⁵ entries"
        )]
        let positions = mask as u32;
        let hash_bits = !positions & !ESCAPED;
        let mut at = hash as usize;
        loop {
            let slot = entries.get(at & mask)?;
            let word = slot.load(Ordering::Acquire);
            if word == 0 {
                return None;
            }
            if (word ^ (hash | USED)) & hash_bits == 0 {
                let entry = Entry {
                    position: word & positions,
                    escaped: word & ESCAPED != 0,
                };
                if is(entry) {
                    return Some((entry, slot));
                }
            }
            at = at.wrapping_add(1);
        }
    }

    #[inline]
    fn level(&self, level: u32) -> Option<&[AtomicU32]> {
        let at = (level as usize).wrapping_sub(1);
        Some(self.levels.get(at)?.get()?)
    }

    /// Adds a series after all others. `at` returns the data of an earlier position, if its series
    /// still exists.
    pub(super) fn insert(
        &self,
        progress: &mut Progress,
        indexed: Indexed,
        at: &dyn Fn(u32) -> Option<Indexed>,
    ) {
        self.go_on_moving(progress, MOVED_AT_ONCE, at);
        // More than once if many earlier positions belong to removed series.
        while !self.has_space(progress, indexed.entry.position) {
            self.go_on_moving(progress, u32::MAX, at);
            self.grow(progress, indexed.entry.position);
        }
        self.enter(progress, indexed);
    }

    /// Whether the current level can take an entry with this position; the last one always can.
    fn has_space(&self, progress: &Progress, position: u32) -> bool {
        let level = self.state.load(Ordering::Relaxed) % MOVING;
        let capacity = self.level(level).map_or(0, <[_]>::len);
        // At most four fifths full: then a successful search takes three steps on average.
        (progress.taken < capacity / 5 * 4 && (position as usize) < capacity)
            || level as usize == LEVELS
    }

    /// Allocates the next level.
    fn grow(&self, progress: &mut Progress, end: u32) {
        let level = self.state.load(Ordering::Relaxed) % MOVING;
        let Some(next) = self.levels.get(level as usize) else {
            return;
        };
        let size = SMALLEST << level;
        next.get_or_init(|| (0..size).map(|_| AtomicU32::new(0)).collect());
        *progress = Progress {
            taken: 0,
            next: 0,
            end,
        };
        let moving = if end == 0 { 0 } else { MOVING };
        self.state.store(level + 1 + moving, Ordering::Release);
    }

    /// Moves series of the previous level to the current one.
    fn go_on_moving(
        &self,
        progress: &mut Progress,
        most: u32,
        at: &dyn Fn(u32) -> Option<Indexed>,
    ) {
        let state = self.state.load(Ordering::Relaxed);
        if state < MOVING {
            return;
        }
        let to = progress.end.min(progress.next.saturating_add(most));
        for position in progress.next..to {
            if let Some(indexed) = at(position) {
                self.enter(progress, indexed);
            }
        }
        progress.next = to;
        if to == progress.end {
            self.state.store(state % MOVING, Ordering::Release);
        }
    }

    fn enter(&self, progress: &mut Progress, indexed: Indexed) {
        let level = self.state.load(Ordering::Relaxed) % MOVING;
        let Some(entries) = self.level(level) else {
            return;
        };
        let Indexed { hash, entry } = indexed;
        let mask = entries.len() - 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "no level has more than 2²⁵ entries"
        )]
        let positions = mask as u32;
        let escaped = if entry.escaped { ESCAPED } else { 0 };
        let word = hash & !positions & !ESCAPED | USED | escaped | entry.position & positions;
        for step in 0..entries.len() {
            let slot = &entries[(hash as usize).wrapping_add(step) & mask];
            if slot.load(Ordering::Relaxed) == 0 {
                // The series was published earlier: whoever reads the entry sees it.
                slot.store(word, Ordering::Release);
                progress.taken += 1;
                return;
            }
        }
    }

    /// Removes the series at a position.
    pub(super) fn remove(&self, hash: u32, position: u32) {
        let state = self.state.load(Ordering::Relaxed);
        let level = state % MOVING;
        let before = if state < MOVING { 0 } else { level - 1 };
        for level in [level, before] {
            let found = self.search(level, hash, &mut |entry| entry.position == position);
            if let Some((_, slot)) = found {
                slot.store(REMOVED, Ordering::Release);
            }
        }
    }
}
