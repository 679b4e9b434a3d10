use std::sync::Arc;

use super::sync::{AtomicUsize, OnceLock, Ordering};
use super::table::{Bucket, Found, Key, Scale, Table};
use crate::catalog::Native;
use crate::registry::exponential::COARSEST_SCHEMA;
use crate::registry::snapshot::NativeBuckets;

/// The number of slots of the first table.
const FEWEST: usize = 16;

/// The growth factor from one table to the next.
const GROWTH: usize = 4;

/// Slots for the coarsest schema, which has 132 indices for each sign, and zero.
const ALL_OF_THE_COARSEST: usize = 512;

/// The sequence of tables used by the histograms of a family.
#[derive(Clone, Debug)]
pub(crate) struct Plan(Arc<[Step]>);

#[derive(Clone, Copy, Debug)]
struct Step {
    scale: Scale,
    slots: usize,
    limit: u32,
}

impl Plan {
    pub(crate) fn new(native: &Native) -> Self {
        let limit = usize::try_from(native.max_buckets).unwrap_or(usize::MAX);
        // Tables are at most five eighths full.
        let slots = (limit.saturating_mul(8) / 5)
            .max(FEWEST)
            .checked_next_power_of_two()
            .unwrap_or(FEWEST);
        // A definition without a schema is not registered, so nothing is recorded here.
        let finest = native.finest().unwrap_or(COARSEST_SCHEMA);
        let scale = Scale {
            schema: finest,
            zero_threshold: native.zero_threshold,
        };
        let full = Step {
            scale,
            slots,
            limit: native.max_buckets,
        };
        let small = std::iter::successors(Some(FEWEST), |slots| Some(slots * GROWTH));
        let small = small.take_while(|small| *small < slots).map(|slots| Step {
            limit: u32::try_from(slots * 5 / 8).unwrap_or(u32::MAX),
            slots,
            scale,
        });
        let mut steps: Vec<Step> = small.chain([full]).collect();
        let mut wide = full;
        if native.max_zero_threshold > native.zero_threshold {
            wide.scale.zero_threshold = native.max_zero_threshold;
            steps.push(wide);
        }
        steps.extend((COARSEST_SCHEMA..finest).rev().map(|schema| {
            let mut step = wide;
            step.scale.schema = schema;
            step
        }));
        if let Some(last) = steps.last_mut() {
            last.slots = last.slots.max(ALL_OF_THE_COARSEST);
            last.limit = u32::MAX;
        }
        Self(steps.into())
    }
}

/// The native buckets of one series.
#[derive(Debug)]
pub(in crate::registry::metric) struct Buckets {
    plan: Plan,
    /// A table for each step of the plan; skipped ones are empty.
    pub(super) tables: Box<[OnceLock<Table>]>,
    /// The table that is written to.
    current: AtomicUsize,
    /// Number of columns of counts a table has besides the counts in its slots.
    columns: usize,
}

impl Buckets {
    pub(in crate::registry::metric) fn new(plan: &Plan, columns: usize) -> Self {
        Self {
            tables: plan.0.iter().map(|_| OnceLock::new()).collect(),
            plan: plan.clone(),
            current: AtomicUsize::new(0),
            columns,
        }
    }

    /// The bucket of a finite value; always found.
    #[inline]
    pub(in crate::registry::metric) fn find(&self, value: f64) -> Option<Found<'_>> {
        let current = self.current.load(Ordering::Relaxed);
        let table = self.tables.get(current)?.get();
        let found = table.and_then(|table| table.find(table.scale.key(value)));
        if found.is_some() {
            return found;
        }
        self.find_further(current, value)
    }

    /// Advances through the steps until a bucket fits.
    #[cold]
    #[inline(never)]
    fn find_further(&self, from: usize, value: f64) -> Option<Found<'_>> {
        (from..self.tables.len()).find_map(|at| {
            let table = self.table(at, value)?;
            self.current.fetch_max(at, Ordering::Relaxed);
            table.find(table.scale.key(value))
        })
    }

    /// The table of a step, initialized with the empty buckets of earlier tables, so that the total
    /// never exceeds its limit. None if those and one for `value` are too many.
    fn table(&self, at: usize, value: f64) -> Option<&Table> {
        if let Some(table) = self.tables[at].get() {
            return Some(table);
        }
        let step = self.plan.0.get(at)?;
        let mut keys: Vec<Key> = self.tables[..at]
            .iter()
            .filter_map(OnceLock::get)
            .flat_map(|table| table.keys().map(|key| step.scale.coarser(key, table.scale)))
            .chain([step.scale.key(value)])
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let buckets = keys.iter().filter(|key| key.bucket() != Bucket::Zero);
        if buckets.count() > usize::try_from(step.limit).unwrap_or(usize::MAX) {
            return None;
        }
        let new = || {
            let table = Table::new(step.scale, step.slots, step.limit, self.columns);
            for key in keys {
                table.find(key);
            }
            table
        };
        Some(self.tables[at].get_or_init(new))
    }

    /// Sums all tables at the scale of the last one, or of the next at which the buckets do not
    /// exceed the limit: threads that add buckets concurrently may add one too many.
    pub(in crate::registry::metric) fn read(&self, out: &mut NativeBuckets) {
        // A table that is added from here on is left to the next read.
        let tables: &[_] = match self.tables.iter().rposition(|table| table.get().is_some()) {
            Some(last) => &self.tables[..=last],
            None => &self.tables[..1],
        };
        let steps = self.plan.0.get(tables.len() - 1..).unwrap_or_default();
        for step in steps {
            step.add_up(tables, out);
            let buckets = out.positive.len() + out.negative.len();
            if buckets <= usize::try_from(step.limit).unwrap_or(usize::MAX) {
                return;
            }
        }
    }
}

impl Step {
    /// Sums the tables at the scale of this step.
    fn add_up(&self, tables: &[OnceLock<Table>], out: &mut NativeBuckets) {
        out.schema = self.scale.schema;
        out.zero_threshold = self.scale.zero_threshold;
        out.zero_count = 0;
        out.positive.clear();
        out.negative.clear();
        for table in tables.iter().filter_map(OnceLock::get) {
            for (key, count) in table.counts() {
                match self.scale.coarser(key, table.scale).bucket() {
                    Bucket::Zero => out.zero_count = out.zero_count.wrapping_add(count),
                    Bucket::Positive(index) => out.positive.push((index, count)),
                    Bucket::Negative(index) => out.negative.push((index, count)),
                }
            }
        }
        merge(&mut out.positive);
        merge(&mut out.negative);
    }
}

/// Merges the counts of equal indices, by rising index.
fn merge(buckets: &mut Vec<(i32, u64)>) {
    buckets.sort_unstable_by_key(|(index, _)| *index);
    buckets.dedup_by(|(index, count), (kept, sum)| {
        let same = index == kept;
        if same {
            *sum = sum.wrapping_add(*count);
        }
        same
    });
}
