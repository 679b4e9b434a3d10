//! A counter for each value of a closed set.

use std::marker::PhantomData;

use crate::util::ClosedSet;

/// The size of the largest of these sets.
const MOST: usize = 9;

/// A number for each value of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts<L> {
    values: [u64; MOST],
    labels: PhantomData<L>,
}

impl<L> Default for Counts<L> {
    fn default() -> Self {
        Self {
            values: [0; MOST],
            labels: PhantomData,
        }
    }
}

impl<L: ClosedSet> Counts<L> {
    /// The count of one value.
    #[must_use]
    pub fn get(&self, label: L) -> u64 {
        self.values.get(label.index()).copied().unwrap_or(0)
    }

    /// Each value and its count.
    pub fn iter(&self) -> impl Iterator<Item = (L, u64)> {
        L::VALUES
            .iter()
            .zip(self.values)
            .map(|(&label, n)| (label, n))
    }

    /// The sum over all values.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.values.iter().sum()
    }

    /// Adds one.
    pub fn add(&mut self, label: L) {
        self.add_many(label, 1);
    }

    /// Adds one, or removes one.
    pub(in crate::healing) fn count(&mut self, label: L, more: bool) {
        if more {
            self.add(label);
        } else {
            self.remove(label);
        }
    }

    pub(in crate::healing) fn add_many(&mut self, label: L, n: u64) {
        if let Some(value) = self.values.get_mut(label.index()) {
            *value = value.saturating_add(n);
        }
    }

    pub(in crate::healing) fn remove(&mut self, label: L) {
        if let Some(value) = self.values.get_mut(label.index()) {
            *value = value.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healing::core::{
        AttemptResult, Closed, Dropped, Phase, ServiceEscalation, Severity,
    };

    fn fits<L: ClosedSet + PartialEq + std::fmt::Debug>() {
        assert!(L::VALUES.len() <= MOST);
        let mut counts = Counts::<L>::default();
        for (place, &label) in L::VALUES.iter().enumerate() {
            assert_eq!(label.index(), place);
            assert!(!label.as_str().is_empty());
            counts.add(label);
        }
        assert!(counts.iter().all(|(_, n)| n == 1));
        assert_eq!(counts.sum(), L::VALUES.len() as u64);
    }

    #[test]
    fn every_word_has_a_place_of_its_own() {
        fits::<Phase>();
        fits::<AttemptResult>();
        fits::<Closed>();
        fits::<Dropped>();
        fits::<Severity>();
        fits::<ServiceEscalation>();
    }
}
