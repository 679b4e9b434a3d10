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

/// Sets of two hints: 48 KiB for a thread that records by labels.
const SETS: usize = 512;

/// Sets of more labels, or with a value of 256 bytes, are looked up the long way.
const MOST_LABELS: usize = 4;

/// Odd numbers without a pattern, from the digits of π.
const MULTIPLIERS: [u64; MOST_LABELS] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
];

#[derive(Default)]
struct Hint {
    owner: Cell<u64>,
    values: [Cell<u64>; MOST_LABELS],
    position: Cell<u32>,
}

thread_local! {
    /// Made when there is something to remember.
    static HINTS: OnceCell<Box<[[Hint; 2]]>> = const { OnceCell::new() };
}

/// A set of label values as hints know it.
pub(super) struct Guess {
    /// The number of the table and the length of each value; 0 if the set cannot be known.
    owner: u64,
    /// A short value, or the address of a longer one.
    values: [u64; MOST_LABELS],
    set: usize,
}

impl Guess {
    /// For the table with this number, which is not 0.
    #[inline]
    pub(super) fn new<L: Labels>(table: u32, labels: &L) -> Self {
        let mut values = [0; MOST_LABELS];
        let mut mix = 0_u64;
        let mut lengths = 0_u64;
        let mut all = 0;
        let mut place = 0;
        labels.visit(&mut |value| {
            let bytes = value.as_bytes();
            if let (Some(word), Some(multiplier)) = (values.get_mut(place), MULTIPLIERS.get(place))
            {
                *word = key::short(bytes).unwrap_or_else(|| bytes.as_ptr().addr() as u64);
                mix = mix.wrapping_add(word.wrapping_mul(*multiplier));
            }
            lengths = lengths << 8 | value.len() as u64;
            all |= value.len();
            place += 1;
        });
        let known = all < 256 && place <= MOST_LABELS;
        Self {
            owner: if known {
                u64::from(table) << 32 | lengths
            } else {
                0
            },
            values,
            // The upper bits are those that depend on all others.
            set: (mix >> 48) as usize,
        }
    }

    /// Where this thread found a series whose short values are the same, and whose longer ones
    /// had the same lengths and addresses.
    #[inline]
    pub(super) fn position(&self) -> Option<u32> {
        // A thread that is ending has its hints to the last: they need no destructor.
        HINTS
            .try_with(|hints| {
                let same = |hint: &&Hint| {
                    let values = hint.values.iter().zip(&self.values);
                    hint.owner.get() == self.owner
                        && values.fold(0, |other, (a, b)| other | (a.get() ^ b)) == 0
                };
                let set = hints.get()?.get(self.set % SETS)?;
                set.iter().find(same).map(|hint| hint.position.get())
            })
            .ok()?
    }

    /// Remembers where a series without escapes was found.
    pub(super) fn note(&self, position: u32) {
        if self.owner == 0 {
            return;
        }
        let _ = HINTS.try_with(|hints| {
            let hints = hints.get_or_init(|| (0..SETS).map(|_| Default::default()).collect());
            let [latest, older] = &hints[self.set % SETS];
            let values = latest.values.each_ref().map(Cell::get);
            older.set(latest.owner.get(), values, latest.position.get());
            latest.set(self.owner, self.values, position);
        });
    }
}

impl Hint {
    fn set(&self, owner: u64, values: [u64; MOST_LABELS], position: u32) {
        self.owner.set(owner);
        for (cell, value) in self.values.iter().zip(values) {
            cell.set(value);
        }
        self.position.set(position);
    }
}
