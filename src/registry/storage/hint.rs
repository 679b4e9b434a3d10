//! Where a thread found a series last time.
//!
//! A look-up by content reads every byte twice, to hash it and to compare it. But what an
//! application records under is mostly the same few texts at the same addresses, so that each
//! thread keeps the positions where it found its latest series, by the addresses of their
//! values. That an address is known proves nothing: the text there is compared before it is
//! believed. Values of fewer than eight bytes are kept themselves, not their addresses.
//!
//! Hints are never handed from thread to thread and own nothing.

use std::cell::{Cell, OnceCell};

use super::key;
use crate::registry::labels::Labels;

/// Sets of two hints: 64 KiB for a thread that records by labels.
const SETS: usize = 512;

/// Sets of more labels are looked up the long way.
const MOST_LABELS: usize = 4;

/// Odd numbers without a pattern, from the digits of π.
const MULTIPLIERS: [u64; MOST_LABELS] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
];

/// A set of label values as hints know it.
#[derive(Clone, Copy, Default)]
pub(super) struct Guess {
    /// A short value, or the address of a longer one.
    values: [u64; MOST_LABELS],
    /// The length of each value.
    lengths: u64,
    /// The number of the table; 0 in a hint that is not one yet.
    table: u32,
    /// The set that its hint is in.
    set: u32,
}

/// The lengths of values that are too many.
const UNKNOWN: u64 = u64::MAX;

/// Where a series was found; it fills one line of the cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Hint {
    guess: Guess,
    pub(super) position: u32,
    /// Where in the text of the series each value begins.
    pub(super) starts: [u16; MOST_LABELS],
}

thread_local! {
    /// Made when there is something to remember.
    static HINTS: OnceCell<Box<[[Cell<Hint>; 2]]>> = const { OnceCell::new() };
}

impl Guess {
    /// For the table with this number, which is not 0.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "in registers it is half as long as in memory"
    )]
    pub(super) fn new<L: Labels>(table: u32, labels: &L) -> Self {
        let mut values = [0; MOST_LABELS];
        let mut lengths = 0;
        // Families that have the same labels have other sets for them.
        let mut mix = u64::from(table) << 48;
        let mut place = 0;
        labels.visit(&mut |value| {
            let bytes = value.as_bytes();
            if let (Some(word), Some(multiplier)) = (values.get_mut(place), MULTIPLIERS.get(place))
            {
                *word = if key::is_short(bytes) {
                    key::few(bytes)
                } else {
                    bytes.as_ptr().addr() as u64
                };
                mix = mix.wrapping_add(word.wrapping_mul(*multiplier));
            }
            // A length that runs into the one before is that of a value that no text has.
            lengths = lengths << 16 | bytes.len() as u64;
            place += 1;
        });
        #[expect(clippy::cast_possible_truncation, reason = "far fewer sets than 2³²")]
        let set = (mix >> 48) as u32 % SETS as u32;
        Self {
            values,
            lengths: if place <= MOST_LABELS {
                lengths
            } else {
                UNKNOWN
            },
            table,
            set,
        }
    }

    /// Where this thread found a series whose short values are the same, and whose longer ones
    /// had the same lengths and addresses.
    #[inline]
    pub(super) fn hint(&self) -> Option<Hint> {
        let same = |hint: &Cell<Hint>| Some(hint.get()).filter(|hint| self.is(&hint.guess));
        // A thread that is ending has its hints to the last: they need no destructor.
        HINTS
            .try_with(|hints| hints.get()?.get(self.set as usize)?.iter().find_map(same))
            .ok()?
    }

    #[inline]
    fn is(&self, other: &Self) -> bool {
        let values = self.values.iter().zip(&other.values);
        (self.lengths, self.table) == (other.lengths, other.table)
            && values.fold(0, |other, (a, b)| other | (a ^ b)) == 0
    }

    /// Remembers where a series without escapes was found, and where its values begin.
    pub(super) fn note(self, position: u32, starts: [u16; MOST_LABELS]) {
        if self.lengths == UNKNOWN {
            return;
        }
        let hint = Hint {
            guess: self,
            position,
            starts,
        };
        let _ = HINTS.try_with(|hints| {
            let hints = hints.get_or_init(|| (0..SETS).map(|_| Default::default()).collect());
            if let Some([latest, older]) = hints.get(self.set as usize) {
                older.set(latest.replace(hint));
            }
        });
    }
}
