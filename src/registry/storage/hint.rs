//! Per-thread cache of the positions of recently used series.
//!
//! A lookup by content reads every byte twice, to hash and to compare it. But an application
//! mostly records under the same few texts at the same addresses, so each thread caches the
//! positions of its latest series, by the addresses of their values, of short ones by the bytes
//! themselves, of closed ones by their indexes. That proves nothing: the text at the position is
//! compared before it is trusted.
//!
//! Hints are never passed between threads and own nothing.

use std::cell::{Cell, OnceCell};

use super::key;
use crate::registry::labels::{Labels, Visitor};

/// The number of sets of eight hints: 8 KiB for a thread that records by labels.
const SETS: usize = 128;

/// The number of hints that share a cache line.
const WAYS: usize = 8;

/// One of this many cache misses is cached: otherwise a thread that cycles through more series than
/// there are hints would miss every time, and pay for each.
const PATIENCE: u32 = 4;

/// Odd numbers without a pattern, from the digits of π. Labels beyond the last reuse them.
const MULTIPLIERS: [u64; 8] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
    0x4528_21E6_38D0_1377,
    0xBE54_66CF_34E9_0C6D,
    0xC0AC_29B7_C97C_50DD,
    0x3F84_D5B5_B547_0917,
];

/// A set of label values, prepared for the cache and for the comparison.
pub(super) struct Guess {
    /// A mix of all values and the number of the table.
    mix: u64,
    /// The number of values.
    values: usize,
    /// The first values in their [quoted](key::quoted) form, if they are short.
    quoted: [u64; 4],
}

/// Hints that share a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Set {
    keys: [Cell<u32>; WAYS],
    /// Counted from 1; 0 is none.
    positions: [Cell<u32>; WAYS],
}

thread_local! {
    /// Allocated on first use.
    static HINTS: OnceCell<Box<[Set; SETS]>> = const { OnceCell::new() };
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

#[expect(clippy::inline_always, reason = "as for `Guess::new`")]
impl Visitor for Guess {
    #[inline(always)]
    fn text(&mut self, text: &str) -> bool {
        let word = self.quote(text);
        // With the length, since one text may be a prefix of another.
        let word = word.unwrap_or_else(|| key::sketch(text).wrapping_add(text.len() as u64));
        self.add(word)
    }

    #[inline(always)]
    fn closed(&mut self, index: usize, values: &'static [&'static str]) -> bool {
        self.quote(values.get(index).copied().unwrap_or_default());
        self.add(index as u64)
    }
}

#[expect(
    clippy::inline_always,
    reason = "with the value in registers it takes half as long"
)]
impl Guess {
    /// The labels for the table with this number.
    #[inline(always)]
    pub(super) fn new<L: Labels>(table: u32, labels: &L) -> Self {
        let mut guess = Self {
            // Different sets for families with the same labels.
            mix: u64::from(table) << 48,
            values: 0,
            quoted: [0; 4],
        };
        labels.accept(&mut guess);
        guess
    }

    #[inline(always)]
    fn quote(&mut self, text: &str) -> Option<u64> {
        let quoted = key::quoted(text.as_bytes())?;
        if let Some(place) = self.quoted.get_mut(self.values) {
            *place = quoted;
        }
        Some(quoted)
    }

    #[inline(always)]
    fn add(&mut self, word: u64) -> bool {
        let multiplier = MULTIPLIERS[self.values % MULTIPLIERS.len()];
        self.mix = self.mix.wrapping_add(word.wrapping_mul(multiplier));
        self.values += 1;
        true
    }

    /// The value at this place in its quoted form, if it is short and one of the first.
    #[inline(always)]
    pub(super) fn quoted(&self, place: usize, value: &[u8]) -> Option<u64> {
        let quoted = self.quoted.get(place).copied();
        quoted.filter(|_| value.len() <= key::MOST_QUOTED)
    }

    /// The cache key.
    #[inline(always)]
    fn key(&self) -> u32 {
        // The shift leaves 32 bits.
        (self.mix >> 32) as u32
    }

    /// The position where this thread found a series with the same key: most likely, but not for
    /// certain, that of the labels.
    #[inline(always)]
    pub(super) fn position(&self) -> Option<u32> {
        // Accessible even in an ending thread, since they have no destructor.
        let found = HINTS.try_with(|hints| Some(set(hints.get()?, self.key()).find(self.key())));
        found.ok()??.checked_sub(1)
    }

    /// Caches the position of a series without escapes.
    pub(super) fn note(&self, position: u32) {
        let _ = HINTS.try_with(|hints| {
            let hints = hints.get_or_init(|| Box::new(std::array::from_fn(|_| Set::default())));
            set(hints, self.key()).note(self.key(), position + 1);
        });
    }
}

/// The set of a key.
#[inline]
fn set(hints: &[Set; SETS], key: u32) -> &Set {
    &hints[(key >> 16) as usize % SETS]
}

impl Set {
    /// The position for this key, counted from 1; 0 if there is none. No two hints have the same
    /// key, so that it takes no branch, which could not be predicted.
    #[inline]
    fn find(&self, key: u32) -> u32 {
        let mut found = 0;
        for (there, position) in self.keys.iter().zip(&self.positions) {
            let same = 0_u32.wrapping_sub(u32::from(there.get() == key));
            found |= same & position.get();
        }
        found
    }

    fn note(&self, key: u32, position: u32) {
        let same = self.keys.iter().position(|there| there.get() == key);
        let free = || self.positions.iter().position(|there| there.get() == 0);
        // Any entry may be evicted: one in use is stored again at its next lookup.
        let any = (MISSED.get() / PATIENCE) as usize % WAYS;
        let way = same.or_else(free).unwrap_or(any);
        self.keys[way].set(key);
        self.positions[way].set(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_one_hint_for_a_key_and_gives_up_one_for_the_next() {
        let set = Set::default();
        assert_eq!((set.find(0), set.find(7)), (0, 0));
        for key in [7, 0, 7, 9] {
            set.note(key, key + 1);
        }
        assert_eq!([7, 0, 9].map(|key| set.find(key)), [8, 1, 10]);
        set.note(7, 1_000);
        assert_eq!(set.find(7), 1_000, "the latest position");
        for key in 100..200 {
            set.note(key, key);
            assert_eq!(set.find(key), key);
        }
        let kept = (0..200).filter(|key| set.find(*key) > 0);
        assert_eq!(kept.count(), WAYS);
    }

    #[test]
    fn a_guess_depends_on_the_table_and_on_each_value_at_its_place() {
        let long = ["a text that is long", "another that is long"];
        let key = |table, labels: &[&str; 2]| Guess::new(table, labels).key();
        let mut keys = vec![key(1, &["GET", "200"]), key(2, &["GET", "200"])];
        keys.push(key(1, &["200", "GET"]));
        keys.push(key(1, &["GET", "20"]));
        keys.push(key(1, &["checkout", "200"]));
        keys.push(key(1, &["checkouts", "200"]));
        keys.push(key(1, &["GET", long[0]]));
        keys.push(key(1, &["GET", long[1]]));
        keys.push(key(1, &["GET", &long[0][..18]]));
        let known: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(known.len(), keys.len());
        // A short text is known by its bytes, wherever it is.
        let copy = ["checkout", "200"].map(String::from);
        assert_eq!(key(1, &[&copy[0], &copy[1]]), keys[4]);
        // A value of a closed set is known by its index.
        assert_eq!(
            Guess::new(1, &(true, "x")).key(),
            Guess::new(1, &(Some(&true), "x")).key()
        );
    }
}
