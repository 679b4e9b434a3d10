//! Per-thread cache of the positions of recently used series.
//!
//! A look-up by content reads every byte twice, to hash and to compare it. But an application
//! mostly records under the same few texts at the same addresses, so each thread caches the
//! positions of its latest series, by the addresses of their values, of short ones by the bytes
//! themselves. That proves nothing: the text at the position is compared before it is trusted.
//!
//! Hints are never passed between threads and own nothing.

use std::cell::{Cell, OnceCell};

use crate::registry::labels::Labels;

/// The number of sets of five hints: 8 KiB for a thread that records by labels.
const SETS: usize = 128;

/// One of this many cache misses is cached: otherwise a thread that cycles through more series than
/// there are hints would miss every time, and pay for each.
const PATIENCE: u32 = 4;

/// Sets with more labels are not cached.
const MOST_LABELS: usize = 4;

/// Odd numbers without a pattern, from the digits of π.
const MULTIPLIERS: [u64; MOST_LABELS] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
];

/// The cache key of a set of label values.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Guess {
    /// A mix of all values, with addresses for those that are not short.
    mix: u32,
    /// The number of the table; 0 in an empty hint, and of values that are too many to cache.
    table: u32,
}

/// The position of a series.
#[derive(Clone, Copy, Default)]
struct Hint {
    guess: Guess,
    position: u32,
}

/// Hints that share a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Set([Cell<Hint>; 5]);

thread_local! {
    /// Allocated on first use.
    static HINTS: OnceCell<Box<[Set]>> = const { OnceCell::new() };
    /// Number of cache misses.
    static MISSED: Cell<u32> = const { Cell::new(0) };
}

/// Whether this cache miss is one to be cached.
#[inline]
pub(super) fn is_due() -> bool {
    let missed = MISSED.get();
    MISSED.set(missed.wrapping_add(1));
    missed.is_multiple_of(PATIENCE)
}

/// Whether a value is mixed in itself.
#[inline]
fn is_short(value: &[u8]) -> bool {
    value.len() <= size_of::<u32>()
}

/// At most four bytes as a number that differs for different texts of one length.
#[inline]
fn few(bytes: &[u8]) -> u32 {
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        u32::from(u16::from_le_bytes(*head)) | u32::from(u16::from_le_bytes(*tail)) << 16
    } else {
        bytes.first().copied().map_or(0, u32::from)
    }
}

impl Guess {
    /// The key for the table with this number, which is not 0.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "in registers it is half as long as in memory"
    )]
    pub(super) fn new<L: Labels>(table: u32, labels: &L) -> Self {
        // Families that have the same labels have other sets for them.
        let mut mix = u64::from(table) << 48;
        let mut place = 0;
        labels.visit(&mut |value| {
            let bytes = value.as_bytes();
            if let Some(multiplier) = MULTIPLIERS.get(place) {
                let mixed = if is_short(bytes) {
                    u64::from(few(bytes))
                } else {
                    bytes.as_ptr().addr() as u64
                };
                // A text may begin with another.
                let mixed = mixed.wrapping_add(bytes.len() as u64);
                mix = mix.wrapping_add(mixed.wrapping_mul(*multiplier));
            }
            place += 1;
        });
        Self {
            mix: (mix >> 32) as u32,
            table: if place <= MOST_LABELS { table } else { 0 },
        }
    }

    /// The set of its hint.
    #[inline]
    fn set(self, hints: &[Set]) -> Option<&Set> {
        hints.get((self.mix >> 16) as usize % SETS)
    }

    /// The position where this thread found a series with the same key in the same table: most
    /// likely, but not for certain, that of the labels.
    #[inline]
    pub(super) fn position(self) -> Option<u32> {
        if self.table == 0 {
            return None;
        }
        let found = |hint: &Cell<Hint>| Some(hint.get()).filter(|hint| hint.guess == self);
        // A thread that is ending has its hints to the last: they need no destructor.
        let hint = HINTS
            .try_with(|hints| self.set(hints.get()?)?.0.iter().find_map(found))
            .ok()??;
        Some(hint.position)
    }

    /// Caches the position of a series without escapes.
    pub(super) fn note(self, position: u32) {
        if self.table == 0 {
            return;
        }
        let hint = Hint {
            guess: self,
            position,
        };
        let _ = HINTS.try_with(|hints| {
            let hints = hints.get_or_init(|| (0..SETS).map(|_| Set::default()).collect());
            if let Some(Set(set)) = self.set(hints) {
                // One is as good to lose as another: what is in use comes back.
                let any = (MISSED.get() / PATIENCE) as usize % set.len();
                let free = set.iter().find(|hint| hint.get().guess.table == 0);
                if let Some(place) = free.or_else(|| set.get(any)) {
                    place.set(hint);
                }
            }
        });
    }
}
