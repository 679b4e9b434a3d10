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
//! | offset | a range that includes the earlier time | the values of that time |
//! | subquery | the parts of its expression, over ranges | these at each step, from the rings |
//!
//! - A part shared by several queries is evaluated once.
//! - Series of rules are read like those of the history, except for ranges of them.
//! - Other parts (subqueries in subqueries, `@` with a time, functions of whole vectors), and results that depend on which
//!   series have a value (native histograms, conflicting labels), are evaluated by
//!   [`Query::instant`], which returns the same values.

mod absent;
mod beside;
mod choice;
mod leaf;
mod part;
mod plan;
mod shape;
mod steps;
mod work;

use std::sync::Arc;

use self::absent::is_absent;
pub(crate) use self::beside::Beside;
use self::part::{Built, Computed, Part};
use self::plan::Planner;
use self::shape::Map;
use self::work::Scratch;
use super::eval::millis;
use super::options::QueryOptions;
use super::query::Query;
use super::recorded::{Index, Recorded};
use super::value::InstantSample;

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
    /// Counts the sets of series of the history.
    generation: u64,
    /// Counts builds and computations.
    clock: u64,
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

impl Standing {
    /// Evaluates a query at a time, in milliseconds since 1970, as [`Query::instant`] does; stores
    /// the samples in `found`. False if that must be used instead.
    pub(crate) fn evaluate(
        &mut self,
        query: &Query,
        source: &Recorded,
        beside: &dyn Beside,
        (time, options): (i64, &QueryOptions),
        found: &mut Vec<InstantSample>,
    ) -> bool {
        found.clear();
        let key = query.address();
        if !self.plans.contains_key(&key) {
            let lookback = millis(options.lookback);
            let parts = Planner::new(&mut self.parts, &mut self.known, lookback).plan(query);
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
            let reads_beside = part.reads_beside(beside);
            let of = (self.generation, reads_beside.then(|| beside.series()));
            if !part.is_built(before, of) {
                self.clock += 1;
                let good = part.build(before, (&index, reads_beside.then_some(beside)), options);
                part.built = Some(Built {
                    at: self.clock,
                    good,
                    of,
                });
                part.computed = None;
            }
            if !part.built.is_some_and(|built| built.good) {
                return false;
            }
            series += part.series();
            if series > options.max_series {
                return false;
            }
            let of = reads_beside.then(|| beside.values());
            if !part.is_computed(before, time, of) {
                self.clock += 1;
                let scratch = &mut self.scratch;
                let sources = (source, beside);
                let good = part.compute(before, sources, (time, options), scratch, &mut self.cells);
                part.computed = Some(Computed {
                    at: self.clock,
                    good,
                    time,
                    of,
                });
            }
            if !part.computed.is_some_and(|computed| computed.good) {
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
