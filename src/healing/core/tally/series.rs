//! A value for each combination of labels, up to a limit.

use std::hash::Hash;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Values by labels, in the order of their first use. Beyond the limit all share one.
#[derive(Debug, Clone)]
pub(in crate::healing) struct Series<K, V> {
    list: Vec<(K, V)>,
    places: HashMap<K, usize, RandomState>,
    other: Option<V>,
}

impl<K, V> Default for Series<K, V> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: HashMap::default(),
            other: None,
        }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Series<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list && self.other == other.other
    }
}

impl<K: Clone + Eq + Hash, V: Default> Series<K, V> {
    pub(in crate::healing) fn entry(&mut self, labels: K, limit: u32) -> &mut V {
        let place = match self.places.get(&labels) {
            Some(&place) => place,
            None if self.list.len() < limit as usize => {
                let place = self.list.len();
                self.places.insert(labels.clone(), place);
                self.list.push((labels, V::default()));
                place
            }
            None => usize::MAX,
        };
        match self.list.get_mut(place) {
            Some((_, value)) => value,
            None => self.other.get_or_insert_default(),
        }
    }

    pub(in crate::healing) fn get(&self, labels: &K) -> Option<&V> {
        let &place = self.places.get(labels)?;
        self.list.get(place).map(|(_, value)| value)
    }

    pub(in crate::healing) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.list.iter().map(|(labels, value)| (labels, value))
    }

    /// All values; those beyond the limit under the given labels.
    pub(in crate::healing) fn to_vec(&self, other: impl FnOnce() -> K) -> Vec<(K, V)>
    where
        V: Clone,
    {
        let mut all = self.list.clone();
        if let Some(rest) = &self.other {
            all.push((other(), rest.clone()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_beyond_the_limit_share_one() {
        let mut series: Series<&str, u64> = Series::default();
        for labels in ["b", "a", "c", "d", "a"] {
            *series.entry(labels, 2) += 1;
        }
        assert_eq!(
            series.to_vec(|| "other"),
            [("b", 1), ("a", 2), ("other", 2)]
        );
        assert_eq!(series.get(&"c"), None);
    }
}
