//! Standing queries: evaluated repeatedly over one history, such as those of rules.
//!
//! The cost of a query is in labels and copies of samples. Here both occur only when the set of
//! series changes; a tick only moves numbers:
//!
//! | part | per set of series | per tick |
//! |---|---|---|
//! | selector | the list of its series | the newest value of each |
//! | range | the same, and their samples | the newest value of each, into a ring |
//! | function | the labels of its results | applied to each number or range |
//! | aggregation | the group of each series | every value added to its group |
//! | operator | the matching of its two sides | applied to each pair |
//!
//! - A part shared by several queries is evaluated once.
//! - Other parts (offsets, subqueries, functions of whole vectors), and results that depend on
//!   which series have a value (native histograms, conflicting labels), are evaluated by
//!   [`Query::instant`], which returns the same values.

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

/// Marks a missing value. A stale marker has these bits and is no value either.
const ABSENT: f64 = f64::from_bits(STALE);

fn is_absent(value: f64) -> bool {
    value.to_bits() == STALE
}

/// Series besides the history that a query may read, such as those of rules.
pub(crate) struct Beside<'a> {
    /// Changes whenever there may be series of other names.
    pub(crate) generation: u64,
    /// Whether any series may match.
    pub(crate) has: &'a dyn Fn(&[Matcher]) -> bool,
}

/// The state of queries kept from one tick to the next.
#[derive(Default)]
pub(crate) struct Standing {
    /// In topological order, inputs first.
    parts: Vec<Part>,
    /// The parts by their description.
    known: Map<String, usize>,
    /// By the address of the query.
    plans: Map<usize, Plan>,
    /// The series for which the parts were built.
    index: Option<Arc<Index>>,
    /// Counts the sets of series.
    generation: u64,
    scratch: Scratch,
    /// The number of values held by all ranges.
    cells: usize,
}

/// The plan of a query.
struct Plan {
    /// Kept alive, so that no other query gets its address.
    _query: Query,
    /// Its parts in order, the result last; empty if it needs other kinds of parts.
    parts: Box<[usize]>,
}

/// A part of a query.
struct Part {
    work: Work,
    /// The parts from which it is computed.
    inputs: Vec<usize>,
    /// The labels of its results.
    labels: Vec<LabelSet>,
    /// The value of each result, or [`ABSENT`].
    values: Vec<f64>,
    /// The set of series of `labels`, and whether the part supports it.
    built: Option<(u64, bool)>,
    /// The time of `values`, and whether they could be computed.
    computed: Option<(i64, bool)>,
    /// For a leaf: whether no series besides the history match.
    clear: Option<(u64, bool)>,
}

impl Standing {
    /// Evaluates a query at a time, in milliseconds since 1970, as [`Query::instant`] does; stores
    /// the samples in `found`. False if that must be used instead.
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

    /// The leaf of the part, if it is one.
    fn leaf(&self) -> Option<&Leaf> {
        match &self.work {
            Work::Select(leaf) | Work::Range(Ring { leaf, .. }) => Some(leaf),
            _ => None,
        }
    }

    /// Whether no series besides the history must be read.
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
