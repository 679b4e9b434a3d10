use super::sync::{AtomicU32, AtomicU64, OnceLock, Ordering};
use crate::registry::exponential;
use crate::util::{LINE, Padded};

/// The key of a bucket: sign and index as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u32);

/// A decoded key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    Zero,
    Positive(i32),
    Negative(i32),
}

impl Key {
    /// No key.
    const NONE: u32 = 0;
    const ZERO: Self = Self(1);
    /// Makes every index positive. No f64 has an index beyond ±275,200.
    const BIAS: i32 = 1 << 20;

    #[inline]
    pub(super) fn new(index: i32, negative: bool) -> Self {
        Self((index.wrapping_add(Self::BIAS)).cast_unsigned() << 1 | u32::from(negative))
    }

    /// Fibonacci hashing: spreads adjacent keys, as the buckets of a histogram are. The upper half
    /// of the product is the well-mixed one.
    #[inline]
    fn hash(self) -> usize {
        let product = u64::from(self.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(product >> 32).unwrap_or(0)
    }

    pub(super) fn bucket(self) -> Bucket {
        let index = (self.0 >> 1).cast_signed().wrapping_sub(Self::BIAS);
        match self {
            Self::ZERO => Bucket::Zero,
            Self(key) if key & 1 == 1 => Bucket::Negative(index),
            _ => Bucket::Positive(index),
        }
    }
}

/// The resolution of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) schema: i8,
    pub(super) zero_threshold: f64,
}

impl Scale {
    /// The key of a finite value.
    #[inline]
    pub(super) fn key(self, value: f64) -> Key {
        let magnitude = value.abs();
        if magnitude <= self.zero_threshold {
            return Key::ZERO;
        }
        Key::new(exponential::index(magnitude, self.schema), value < 0.0)
    }

    /// The key at this scale of values counted under `key` at a finer scale.
    pub(super) fn coarser(self, key: Key, from: Self) -> Key {
        let (index, negative) = match key.bucket() {
            Bucket::Zero => return key,
            Bucket::Positive(index) => (index, false),
            Bucket::Negative(index) => (index, true),
        };
        if exponential::upper_bound(index, from.schema) <= self.zero_threshold {
            return Key::ZERO;
        }
        Key::new(
            exponential::coarser(index, from.schema, self.schema),
            negative,
        )
    }
}

/// Counts by bucket: a hash table that only gains buckets, so that a found bucket stays valid.
/// Finding and adding a bucket take no lock.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) scale: Scale,
    slots: Box<[Slot]>,
    /// The maximum number of buckets, without that for zero.
    limit: u32,
    used: AtomicU32,
    /// Number of additional counts for each slot.
    width: usize,
    /// The additional counts, one column of all slots after the other, each on separate cache
    /// lines. Allocated with the first one.
    columns: OnceLock<Box<[Line]>>,
}

type Line = Padded<[AtomicU64; LINE]>;

#[derive(Debug)]
struct Slot {
    key: AtomicU32,
    count: AtomicU64,
}

/// A found bucket.
#[derive(Clone, Copy, Debug)]
pub(in crate::registry::metric) struct Found<'a> {
    table: &'a Table,
    at: usize,
}

impl Table {
    /// A table for `limit` buckets in `capacity` slots, a power of two above it and no less than
    /// [`LINE`], with `width` columns of counts beside those in the slots.
    pub(super) fn new(scale: Scale, capacity: usize, limit: u32, width: usize) -> Self {
        let slot = |_| Slot {
            key: AtomicU32::new(Key::NONE),
            count: AtomicU64::new(0),
        };
        Self {
            scale,
            slots: (0..capacity).map(slot).collect(),
            limit,
            used: AtomicU32::new(0),
            width,
            columns: OnceLock::new(),
        }
    }

    /// The bucket of `key`, which is added if it fits.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<Found<'_>> {
        let mask = self.slots.len() - 1;
        let start = key.hash();
        for step in 0..self.slots.len() {
            let at = (start + step) & mask;
            let there = self.slots.get(at)?.key.load(Ordering::Relaxed);
            if there == key.0 {
                return Some(Found { table: self, at });
            }
            if there == Key::NONE {
                return self.add(key, at);
            }
        }
        None
    }

    /// Adds a bucket at the first free slot from `at` on, unless another thread does.
    #[cold]
    #[inline(never)]
    fn add(&self, key: Key, at: usize) -> Option<Found<'_>> {
        if key != Key::ZERO && self.used.load(Ordering::Relaxed) >= self.limit {
            return None;
        }
        let mask = self.slots.len() - 1;
        for step in 0..self.slots.len() {
            let at = (at + step) & mask;
            let slot = &self.slots[at].key;
            match slot.compare_exchange(Key::NONE, key.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    if key != Key::ZERO {
                        self.used.fetch_add(1, Ordering::Relaxed);
                    }
                    return Some(Found { table: self, at });
                }
                Err(there) if there == key.0 => return Some(Found { table: self, at }),
                Err(_) => {}
            }
        }
        None
    }

    #[cold]
    fn new_columns(&self) -> Box<[Line]> {
        let lines = self.width * self.slots.len() / LINE;
        let line = |_| Padded(std::array::from_fn(|_| AtomicU64::new(0)));
        (0..lines).map(line).collect()
    }

    /// Raises the limit by one bucket.
    #[cfg(test)]
    pub(super) fn leave_one_free(&self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
    }

    /// The keys in the table, used or not.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let keys = self
            .slots
            .iter()
            .map(|slot| slot.key.load(Ordering::Relaxed));
        keys.filter(|key| *key != Key::NONE).map(Key)
    }

    /// The buckets and their counts.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Key, u64)> {
        let columns = self.columns.get().map_or(&[][..], |lines| lines);
        let lines_each = self.slots.len() / LINE;
        let slots = self.slots.iter().enumerate();
        slots.filter_map(move |(at, slot)| {
            let key = slot.key.load(Ordering::Relaxed);
            if key == Key::NONE {
                return None;
            }
            let line = columns.iter().skip(at / LINE).step_by(lines_each);
            let beside = line.map(|line| line.0[at % LINE].load(Ordering::Relaxed));
            let own = slot.count.load(Ordering::Relaxed);
            let count = beside.fold(own, u64::wrapping_add);
            (count > 0).then_some((Key(key), count))
        })
    }
}

impl<'a> Found<'a> {
    /// The count in the slot.
    #[inline]
    pub(in crate::registry::metric) fn count(self) -> Option<&'a AtomicU64> {
        Some(&self.table.slots.get(self.at)?.count)
    }

    /// The count in a column beside the slots.
    #[inline]
    pub(in crate::registry::metric) fn in_column(self, column: usize) -> Option<&'a AtomicU64> {
        let table = self.table;
        let columns = table.columns.get_or_init(|| table.new_columns());
        let at = column * table.slots.len() + self.at;
        columns.get(at / LINE)?.0.get(at % LINE)
    }
}

/// Adds to a count that no other thread writes.
#[inline]
pub(in crate::registry::metric) fn add_alone(count: &AtomicU64, n: u32) {
    let now = count.load(Ordering::Relaxed);
    count.store(now.wrapping_add(u64::from(n)), Ordering::Relaxed);
}
