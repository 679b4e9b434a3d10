//! Queries that are evaluated again and again over one history, as those of rules are.
//!
//! What a query costs are labels, and copies of samples. Here both are paid when the set of series
//! changes, and a tick moves numbers alone:
//!
//! | part | for a set of series | at each tick |
//! |---|---|---|
//! | selector | the list of its series | the newest value of each |
//! | range | the same, and their samples | the newest value of each into a ring |
//! | function | the labels of its results | applied to each number or range |
//! | aggregation | the group of each series | every value added to its group |
//! | operator | the pairs of its two sides | applied to each pair |
//!
//! - A part that several queries have in common is evaluated once.
//! - Whatever is none of these parts (offsets, subqueries, functions of whole vectors), and what
//!   depends on which series have a value at the moment (native histograms, labels that clash), is
//!   left to [`Query::instant`], which gives the same values.

mod leaf;
mod plan;
mod shape;
mod work;

use std::sync::Arc;

use hashbrown::HashMap;

use self::leaf::{Leaf, Ring};
use self::plan::Planner;
use self::work::{Scratch, Work};
use super::labels::LabelSet;
use super::options::QueryOptions;
use super::query::Query;
use super::recorded::{Index, Recorded};
use super::source::Matcher;
use super::value::InstantSample;
use crate::util::STALE;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What stands for no value. A sample of these bits ends a series and is no value either.
const ABSENT: f64 = f64::from_bits(STALE);

fn is_absent(value: f64) -> bool {
    value.to_bits() == STALE
}

/// The series beside the history that a query may read, as those that rules make.
pub(crate) struct Beside<'a> {
    /// Another number whenever there may be series of other names.
    pub(crate) generation: u64,
    /// Whether there may be series that match.
    pub(crate) has: &'a dyn Fn(&[Matcher]) -> bool,
}

/// Queries and what is kept of them from one tick to the next.
#[derive(Default)]
pub(crate) struct Standing {
    /// Each after those that it is computed from.
    parts: Vec<Part>,
    /// The parts by what they say.
    known: Map<String, usize>,
    /// By the address of the query.
    plans: Map<usize, Plan>,
    /// The series that the parts were made for.
    index: Option<Arc<Index>>,
    /// Another number for each set of series.
    generation: u64,
    scratch: Scratch,
    /// How many values all ranges hold.
    cells: usize,
}

/// How a query is evaluated.
struct Plan {
    /// Kept, so that no other query gets its address.
    _query: Query,
    /// Its parts in order, its own result last; none where it has parts of other kinds.
    parts: Box<[usize]>,
}

/// A part of a query.
struct Part {
    work: Work,
    /// What it is computed from.
    inputs: Vec<usize>,
    /// The labels of its results.
    labels: Vec<LabelSet>,
    /// A value for each of these, or [`ABSENT`].
    values: Vec<f64>,
    /// The set of series that `labels` belongs to, and whether it can be computed for that.
    built: Option<(u64, bool)>,
    /// The time that `values` belongs to, and whether there was a way to compute them.
    computed: Option<(i64, bool)>,
    /// Of a leaf: whether there are series beside the history that it would have to read.
    clear: Option<(u64, bool)>,
}

impl Standing {
    /// Evaluates a query at a time, in milliseconds since 1970, as [`Query::instant`] does; the
    /// samples go into `found`. False if it is to be evaluated by that.
    pub(crate) fn evaluate(
        &mut self,
        query: &Query,
        source: &Recorded,
        beside: &Beside<'_>,
        (time, options): (i64, &QueryOptions),
        found: &mut Vec<InstantSample>,
    ) -> bool {
        found.clear();
        let key = query.address();
        if !self.plans.contains_key(&key) {
            let parts = Planner::new(&mut self.parts, &mut self.known).plan(query);
            let plan = Plan {
                _query: query.clone(),
                parts: parts.unwrap_or_default().into(),
            };
            self.plans.insert(key, plan);
        }
        let Some(plan) = self.plans.get(&key) else {
            return false;
        };
        let Some(root) = plan.parts.last().copied() else {
            return false;
        };
        let index = source.index();
        if !self
            .index
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &index))
        {
            self.generation += 1;
            self.cells = 0;
            self.index = Some(Arc::clone(&index));
        }
        let mut series = 0;
        for at in &plan.parts {
            let (before, rest) = self.parts.split_at_mut(*at);
            let Some(part) = rest.first_mut() else {
                return false;
            };
            if part.built.is_none_or(|(known, _)| known != self.generation) {
                let good = part.build(before, &index, options);
                part.built = Some((self.generation, good));
                part.computed = None;
            }
            if !part.built.is_some_and(|(_, good)| good) || !part.is_clear(beside) {
                return false;
            }
            series += part.leaf().map_or(0, |_| part.labels.len());
            if series > options.max_series {
                return false;
            }
            if part.computed.is_none_or(|(known, _)| known != time) {
                let scratch = &mut self.scratch;
                let good = part.compute(before, source, (time, options), scratch, &mut self.cells);
                part.computed = Some((time, good));
            }
            if !part.computed.is_some_and(|(_, good)| good) {
                return false;
            }
        }
        let Some(root) = self.parts.get(root) else {
            return false;
        };
        let results = root.labels.iter().zip(&root.values);
        let results = results.filter(|(_, value)| !is_absent(**value));
        found.extend(results.map(|(labels, value)| InstantSample {
            labels: labels.clone(),
            value: (*value).into(),
        }));
        true
    }
}

impl Part {
    fn new(work: Work, inputs: Vec<usize>) -> Self {
        Self {
            work,
            inputs,
            labels: Vec::new(),
            values: Vec::new(),
            built: None,
            computed: None,
            clear: None,
        }
    }

    /// The leaf that it is.
    fn leaf(&self) -> Option<&Leaf> {
        match &self.work {
            Work::Select(leaf) | Work::Range(Ring { leaf, .. }) => Some(leaf),
            _ => None,
        }
    }

    /// Whether no series beside the history have to be read.
    fn is_clear(&mut self, beside: &Beside<'_>) -> bool {
        let Some(leaf) = self.leaf() else {
            return true;
        };
        match self.clear {
            Some((generation, clear)) if generation == beside.generation => clear,
            _ => {
                let clear = !(beside.has)(&leaf.matchers);
                self.clear = Some((beside.generation, clear));
                clear
            }
        }
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing")
            .field("parts", &self.parts.len())
            .field("queries", &self.plans.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
