//! Positions of the series of a closed label set, one for each combination of its values.

use super::sync::{AtomicU32, Ordering};

/// Sets with more combinations are looked up by content. An array of this size takes 4 KiB.
const MOST: usize = 1024;

/// The combinations of the values of a closed set, numbered in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registry) struct Layout {
    places: usize,
    /// A digest of the values. Types of one key should have the same values, but that is up to
    /// their authors: an index must not be used with other values.
    digest: u64,
}

impl Layout {
    /// The layout; `None` for a set that is open or has too many combinations.
    pub(in crate::registry) const fn of(labels: &[&[&str]]) -> Option<Self> {
        // FNV-1a, since it is short and runs at compile time; the values are constants, so no one
        // can force collisions.
        const PRIME: u64 = 0x0100_0000_01B3;
        let mut digest = 0xCBF2_9CE4_8422_2325_u64;
        let mut places = if labels.is_empty() { 0 } else { 1_usize };
        let mut label = 0;
        while label < labels.len() {
            let values = labels[label];
            places = places.saturating_mul(values.len());
            let mut value = 0;
            while value < values.len() {
                let text = values[value].as_bytes();
                let mut at = 0;
                while at < text.len() {
                    digest = (digest ^ text[at] as u64).wrapping_mul(PRIME);
                    at += 1;
                }
                // Not the value of a byte, so that the ends of texts count too.
                digest = (digest ^ 0x100).wrapping_mul(PRIME);
                value += 1;
            }
            digest = (digest ^ 0x200).wrapping_mul(PRIME);
            label += 1;
        }
        if 0 < places && places <= MOST {
            Some(Self { places, digest })
        } else {
            None
        }
    }

    /// Number of combinations.
    pub(in crate::registry) fn places(self) -> usize {
        self.places
    }
}

/// The known positions of the series of one table. Like a hint, a position is only a candidate: its
/// series may be gone.
pub(super) struct Places {
    layout: Layout,
    /// Counted from 1; 0 is unknown.
    positions: Box<[AtomicU32]>,
}

impl Places {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            positions: (0..layout.places).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    #[inline]
    pub(super) fn position(&self, layout: Layout, place: usize) -> Option<u32> {
        if self.layout != layout {
            return None;
        }
        let position = self.positions.get(place)?.load(Ordering::Relaxed);
        position.checked_sub(1)
    }

    pub(super) fn note(&self, layout: Layout, place: usize, position: u32) {
        if self.layout == layout
            && let Some(there) = self.positions.get(place)
        {
            there.store(position + 1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_that_of_closed_sets_of_bounded_size() {
        let (few, half) = (&["a", "b"][..], &["x"; 512][..]);
        assert_eq!(Layout::of(&[few, few, few]).map(Layout::places), Some(8));
        for open in [&[][..], &[few, &[]], &[half, few, few]] {
            assert_eq!(Layout::of(open), None);
        }
        assert!(Layout::of(&[half, few]).is_some());
    }

    #[test]
    fn a_layout_knows_its_values_and_their_order() {
        let layouts: [&[&[&str]]; 6] = [
            &[&["a", "b"]],
            &[&["b", "a"]],
            &[&["ab"]],
            &[&["a"], &["b"]],
            &[&["a", "b"], &["c"]],
            &[&["a"], &["b", "c"]],
        ];
        for (at, a) in layouts.iter().enumerate() {
            for (other, b) in layouts.iter().enumerate() {
                assert_eq!(Layout::of(a) == Layout::of(b), at == other, "{a:?} {b:?}");
            }
        }
    }
}
