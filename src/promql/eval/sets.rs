//! The set operators `and`, `or`, `unless`.

use hashbrown::HashTable;

use crate::promql::parse::{Binary, Op};
use crate::promql::value::InstantSample;

pub(super) fn apply(
    binary: &Binary,
    mut left: Vec<InstantSample>,
    mut right: Vec<InstantSample>,
) -> Vec<InstantSample> {
    let on = &binary.on;
    let index = |samples: &[InstantSample]| {
        let mut index = HashTable::with_capacity(samples.len());
        for (place, sample) in samples.iter().enumerate() {
            let hash = on.hash(&sample.labels);
            let rehash = |place: &usize| on.hash(&samples[*place].labels);
            index.insert_unique(hash, place, rehash);
        }
        index
    };
    let has = |samples: &[InstantSample], index: &HashTable<usize>, sample: &InstantSample| {
        let same = |place: &usize| on.same(&samples[*place].labels, &sample.labels);
        index.find(on.hash(&sample.labels), same).is_some()
    };
    match binary.op {
        Op::Or => {
            let known = index(&left);
            right.retain(|sample| !has(&left, &known, sample));
            left.append(&mut right);
        }
        op => {
            let known = index(&right);
            let wanted = op == Op::And;
            left.retain(|sample| has(&right, &known, sample) == wanted);
        }
    }
    left
}
