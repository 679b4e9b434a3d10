//! The results of a part and their inputs, as far as they depend on labels only.

use crate::promql::eval::pair_labels;
use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Many, Op};

pub(super) type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// The vector matching of an operator.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    pub(super) on: Grouping,
    pub(super) many: Many,
    pub(super) include: Vec<std::sync::Arc<str>>,
}

/// The indices of the left and right side of each pair.
pub(super) type Pairs = Vec<(usize, usize)>;

/// The labels without the metric's name; `None` if two become equal.
pub(super) fn without_names(labels: &[LabelSet]) -> Option<Vec<LabelSet>> {
    let bare: Vec<LabelSet> = labels.iter().map(LabelSet::without_name).collect();
    let first = labels.first().and_then(LabelSet::name);
    let one_name = labels.iter().all(|labels| labels.name() == first);
    (one_name || are_unique(&bare)).then_some(bare)
}

pub(super) fn are_unique(labels: &[LabelSet]) -> bool {
    let mut seen: Map<&LabelSet, ()> = Map::default();
    labels
        .iter()
        .all(|labels| seen.insert(labels, ()).is_none())
}

/// The group of each series, and the labels of the groups.
pub(super) fn groups(
    labels: &[LabelSet],
    group: impl Fn(&LabelSet) -> LabelSet,
) -> (Vec<usize>, Vec<LabelSet>) {
    let mut places: Map<LabelSet, usize> = Map::default();
    let mut groups = Vec::new();
    let of = labels.iter().map(|labels| {
        let labels = group(labels);
        *places.entry(labels).or_insert_with_key(|labels| {
            groups.push(labels.clone());
            groups.len() - 1
        })
    });
    let of = of.collect();
    (of, groups)
}

/// The pairs of two sides, left and right, and the labels of their results. `None` if the matching
/// depends on which series have values.
pub(super) fn pairs(
    matching: &Matching,
    keeps_name: bool,
    (left, right): (&[LabelSet], &[LabelSet]),
) -> Option<(Pairs, Vec<LabelSet>)> {
    let swapped = matching.many == Many::Right;
    let (many, one) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let mut places: Map<LabelSet, usize> = Map::default();
    for (at, labels) in one.iter().enumerate() {
        if places.insert(matching.on.apply(labels), at).is_some() {
            return None;
        }
    }
    let mut taken = vec![false; one.len()];
    let (mut pairs, mut labels) = (Vec::new(), Vec::new());
    for (at, own) in many.iter().enumerate() {
        let Some(partner) = places.get(&matching.on.apply(own)).copied() else {
            continue;
        };
        if matching.many == Many::None && std::mem::replace(&mut taken[partner], true) {
            return None;
        }
        pairs.push(if swapped {
            (partner, at)
        } else {
            (at, partner)
        });
        let sides = (own, &one[partner]);
        let (on, many) = (&matching.on, matching.many);
        labels.push(pair_labels(
            (on, many, &matching.include),
            keeps_name,
            sides,
        ));
    }
    are_unique(&labels).then_some((pairs, labels))
}

/// For each series of one side, the series of the other side with the same matching labels.
#[derive(Debug, Default)]
pub(super) struct Partners {
    /// The end of each series' part of `places`.
    ends: Vec<usize>,
    places: Vec<usize>,
}

impl Partners {
    pub(super) fn new(on: &Grouping, of: &[LabelSet], among: &[LabelSet]) -> Self {
        let mut known: Map<LabelSet, Vec<usize>> = Map::default();
        for (at, labels) in among.iter().enumerate() {
            known.entry(on.apply(labels)).or_default().push(at);
        }
        let mut partners = Self::default();
        for labels in of {
            let found = known.get(&on.apply(labels));
            partners.places.extend(found.into_iter().flatten());
            partners.ends.push(partners.places.len());
        }
        partners
    }

    pub(super) fn of(&self, at: usize) -> &[usize] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let range = start.copied().unwrap_or(0)..self.ends.get(at).copied().unwrap_or(0);
        self.places.get(range).unwrap_or_default()
    }
}

/// `and`, `or`, `unless`: the results are those of the left side, and for `or` also those of the
/// right side with other labels.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// For each series of the deciding side (the right for `or`), its partners on the other.
    pub(super) partners: Partners,
    /// For `or`, the index of the result of each series on the right.
    pub(super) places: Vec<usize>,
}

impl Sets {
    pub(super) fn new(
        op: Op,
        on: &Grouping,
        (left, right): (&[LabelSet], &[LabelSet]),
    ) -> (Self, Vec<LabelSet>) {
        let mut labels = left.to_vec();
        if op != Op::Or {
            let partners = Partners::new(on, left, right);
            let places = Vec::new();
            return (Self { partners, places }, labels);
        }
        let known = left.iter().enumerate().map(|(at, labels)| (labels, at));
        let known: Map<&LabelSet, usize> = known.collect();
        let places = right.iter().map(|own| {
            known.get(own).copied().unwrap_or_else(|| {
                labels.push(own.clone());
                labels.len() - 1
            })
        });
        let places = places.collect();
        let partners = Partners::new(on, right, left);
        (Self { partners, places }, labels)
    }
}
