//! Hashing and comparison of label values, without concatenating them.

use std::hash::{BuildHasher, RandomState};

use lazy_static::lazy_static;

/// The number of labels with separate multipliers; later labels reuse them.
const PLACES: usize = 8;

lazy_static! {
    static ref KEYS: Keys = Keys::random();
}

/// The secret keys of the hash, so that colliding values cannot be chosen.
///
/// Sixteen bytes of a value are two words; each is mixed with a secret, and their 128-bit product
/// is folded into 64 bits, as in wyhash and foldhash. The parts are summed, so that none depends on
/// another, which makes short values fast.
pub(super) struct Keys([[u64; 4]; PLACES]);

impl Keys {
    fn random() -> Self {
        let random = RandomState::new();
        let key = |place: usize, word: usize| random.hash_one((place, word));
        Self(std::array::from_fn(|place| {
            std::array::from_fn(|word| key(place, word))
        }))
    }

    /// The keys of this process.
    pub(super) fn shared() -> &'static Self {
        &KEYS
    }

    #[inline]
    pub(super) fn hasher(&self) -> Hasher<'_> {
        Hasher {
            keys: self,
            sum: 0,
            place: 0,
        }
    }
}

/// Hashes the values of a set in order, each cut to its limit. Equal sets have equal hashes,
/// whatever their type.
pub(super) struct Hasher<'k> {
    keys: &'k Keys,
    sum: u64,
    place: usize,
}

impl Hasher<'_> {
    #[inline]
    pub(super) fn add(&mut self, value: &str) {
        let keys = &self.keys.0[self.place % PLACES];
        self.sum = self.sum.wrapping_add(part(value, keys));
        self.place += 1;
    }

    #[inline]
    pub(super) fn finish(self) -> u32 {
        // The shift leaves 32 bits.
        (self.sum >> 32) as u32
    }
}

#[inline]
fn part(value: &str, keys: &[u64; 4]) -> u64 {
    let bytes = value.as_bytes();
    let length = bytes.len() as u64;
    if let Some(word) = short(bytes) {
        return fold(word ^ keys[0], length ^ keys[1]);
    }
    let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return 0;
    };
    let mut sum = fold(word(*head) ^ keys[0], word(*tail) ^ keys[1]);
    sum = sum.wrapping_add(length << 32);
    if bytes.len() > 16 {
        sum = sum.wrapping_add(middle(value, keys));
    }
    sum
}

/// Hashes the bytes between the first and the last eight.
#[inline]
fn middle(value: &str, keys: &[u64; 4]) -> u64 {
    let bytes = value.as_bytes();
    if bytes.len() <= 32
        && let (Some((_, rest)), Some((front, _))) = (
            bytes.split_first_chunk::<8>(),
            bytes.split_last_chunk::<8>(),
        )
        && let (Some(head), Some(tail)) = (rest.first_chunk(), front.last_chunk())
    {
        return fold(word(*head) ^ keys[2], word(*tail) ^ keys[3]);
    }
    long(value, keys)
}

#[cold]
fn long(value: &str, keys: &[u64; 4]) -> u64 {
    let (chunks, rest) = value.as_bytes().as_chunks::<8>();
    let rest = rest.iter().fold(1, |sum, byte| sum << 8 | u64::from(*byte));
    chunks.iter().fold(rest, |sum, chunk| {
        fold(sum ^ keys[2], word(*chunk) ^ keys[3])
    })
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    {
        (product as u64) ^ ((product >> 64) as u64)
    }
}

#[inline]
fn word(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

/// Whether [`few`] covers the whole text.
#[inline]
fn is_short(bytes: &[u8]) -> bool {
    bytes.len() < 8
}

/// The number of a short text, by [`few`].
#[inline]
fn short(bytes: &[u8]) -> Option<u64> {
    is_short(bytes).then(|| few(bytes))
}

/// Fewer than eight bytes as a number that differs for different texts of one length.
#[inline]
fn few(bytes: &[u8]) -> u64 {
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        u64::from(u16::from_le_bytes(*head)) | u64::from(u16::from_le_bytes(*tail)) << 16
    } else {
        bytes.first().copied().map_or(0, u64::from)
    }
}

const QUOTE: u64 = b'"' as u64;

/// The longest value whose [`quoted`] form fits into a number.
pub(super) const MOST_QUOTED: usize = size_of::<u64>() - 2;

/// A short value between two quotes, as the highest bytes of a number.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it stands in the middle of every lookup"
)]
pub(super) fn quoted(value: &[u8]) -> Option<u64> {
    let spare = MOST_QUOTED.checked_sub(value.len())? * 8;
    // Its first and its last bytes; where they overlap they are equal.
    let (head, tail) = if let (Some(head), Some(tail)) =
        (value.first_chunk::<4>(), value.last_chunk::<4>())
    {
        let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
        (u64::from(head), u64::from(tail) << 24)
    } else if let (Some(head), Some(tail)) = (value.first_chunk::<2>(), value.last_chunk::<2>()) {
        let (head, tail) = (u16::from_le_bytes(*head), u16::from_le_bytes(*tail));
        (u64::from(head), u64::from(tail) << 40)
    } else {
        (value.first().copied().map_or(0, u64::from), 0)
    };
    Some((head << 8 | QUOTE) << spare | tail | QUOTE << 56)
}

/// A number that most likely differs for different texts of one length, at an address or in
/// themselves: by content unless the text is long, since a short one may be created again each time.
#[inline]
pub(super) fn sketch(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if bytes.len() > 16 {
        return bytes.as_ptr().addr() as u64;
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), Some(tail)) => word(*head).rotate_left(32) ^ word(*tail).wrapping_mul(3),
        _ => few(bytes),
    }
}

/// Whether a text ends with a value of this length in quotes.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it stands in the middle of every lookup"
)]
pub(super) fn ends_with(text: [u8; 8], quoted: u64, length: usize) -> bool {
    let spare = MOST_QUOTED.wrapping_sub(length);
    (word(text) ^ quoted) >> (spare * 8) == 0
}

/// Whether two texts of one length are equal, faster than a call of `memcmp`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is part of every lookup")]
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() > 32 {
        return a == b;
    }
    let long = ends::<16>(a, b).or_else(|| ends::<8>(a, b));
    let any = long.or_else(|| ends::<4>(a, b)).or_else(|| ends::<2>(a, b));
    any.unwrap_or_else(|| a.first() == b.first())
}

/// Whether the first `N` bytes of two texts are equal, and the last `N`, which are all bytes of a
/// text of up to twice the length; `None` for a shorter text.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is part of every lookup")]
fn ends<const N: usize>(a: &[u8], b: &[u8]) -> Option<bool> {
    let heads = a.first_chunk::<N>()? == b.first_chunk()?;
    let tails = a.last_chunk::<N>()? == b.last_chunk()?;
    Some(heads && tails)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::labels::Labels;

    impl Keys {
        fn hash<L: Labels>(&self, labels: &L) -> u32 {
            let mut hasher = self.hasher();
            labels.visit(&mut |value| hasher.add(value));
            hasher.finish()
        }
    }

    #[test]
    fn equal_means_equal_at_every_length() {
        for length in 0..100_usize {
            let a: Vec<u8> = (0..).take(length).collect();
            assert!(equal(&a, &a.clone()));
            for at in 0..length {
                let mut b = a.clone();
                b[at] ^= 0x80;
                assert!(!equal(&a, &b), "{length} bytes, differing at {at}");
            }
        }
    }

    #[test]
    fn a_quoted_value_ends_a_text_at_every_length() {
        for length in 0..=MOST_QUOTED {
            let value: Vec<u8> = (b'a'..).take(length).collect();
            let word = quoted(&value).unwrap();
            let text: Vec<u8> = [b"=\"=\"=\"=\"", &value[..], b"\""].concat();
            let last = |text: &[u8]| *text.last_chunk().unwrap();
            assert!(ends_with(last(&text), word, length), "{length} bytes");
            // Each byte of it counts, and none before.
            for back in 1..=8 {
                let mut other = text.clone();
                let at = other.len() - back;
                other[at] ^= 0x80;
                let same = ends_with(last(&other), word, length);
                assert_eq!(same, back > length + 2, "{length} bytes, {back} back");
            }
        }
        assert_eq!(quoted(&[b'a'; MOST_QUOTED + 1]), None);
    }

    #[test]
    fn every_byte_counts_in_the_hash() {
        let keys = Keys::random();
        for length in 1..100_usize {
            let text = "a".repeat(length);
            let hash = keys.hash(&[text.as_str()]);
            for at in 0..length {
                let mut other = text.clone().into_bytes();
                other[at] = b'b';
                let other = String::from_utf8(other).unwrap();
                assert_ne!(
                    hash,
                    keys.hash(&[other]),
                    "{length} bytes, differing at {at}"
                );
            }
        }
    }

    #[test]
    fn what_stands_where_counts_in_the_hash() {
        let keys = Keys::random();
        let sets = [
            ["ab", "c"],
            ["a", "bc"],
            ["c", "ab"],
            ["", "abc"],
            ["abc", ""],
            ["", ""],
        ];
        for (at, a) in sets.iter().enumerate() {
            for b in &sets[..at] {
                assert_ne!(keys.hash(a), keys.hash(b), "{a:?} {b:?}");
            }
        }
    }

    /// Keys that are the same in every run, made with splitmix64.
    fn seeded(seed: u64) -> Keys {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        Keys(std::array::from_fn(|_| std::array::from_fn(|_| next())))
    }

    /// Of 4096 balls thrown into 4096 boxes, 63 % of the boxes (2,589) get one. Values that differ
    /// in a few digits come close to that on the average of the keys; single keys are worse, which
    /// costs search steps and never a wrong answer.
    #[test]
    fn hashes_are_spread() {
        const SEEDS: u64 = 32;
        let mut used = 0;
        for seed in 0..SEEDS {
            let keys = seeded(seed);
            let mut filled = vec![0_u32; 4096];
            for n in 0..4096 {
                let hash = keys.hash(&["GET", &format!("/api/v1/orders/{n}"), "200"]);
                filled[hash as usize % 4096] += 1;
            }
            used += filled.iter().filter(|n| **n > 0).count() as u64;
            assert!(filled.iter().all(|n| *n < 16), "seed {seed}");
        }
        let mean = used / SEEDS;
        assert!(mean > 2_450, "{mean}");
    }
}
