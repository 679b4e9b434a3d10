//! The values of subqueries: of an expression at each step of a range.

use super::leaf::{MOST_CELLS, present};
use crate::promql::eval::{first_step, millis};
use crate::promql::options::QueryOptions;
use crate::promql::value::Sample;

/// The values of an expression at the steps of a range, all of which are computed at each tick.
pub(super) struct Steps {
    /// In milliseconds.
    range: i64,
    /// In milliseconds; `None` for the default.
    step: Option<i64>,
    /// In milliseconds.
    offset: i64,
    times: Vec<i64>,
    /// The values of each step, one after another.
    cells: Vec<f64>,
    /// The number of values of a step.
    width: usize,
}

impl Steps {
    pub(super) fn new(range: i64, step: Option<i64>, offset: i64) -> Self {
        Self {
            range,
            step,
            offset,
            times: Vec::new(),
            cells: Vec::new(),
            width: 0,
        }
    }

    /// Prepares the steps at a time, each with so many values. False if they are too many to hold, or
    /// more than a query may have.
    pub(super) fn begin(&mut self, time: i64, width: usize, options: &QueryOptions) -> bool {
        self.times.clear();
        self.cells.clear();
        self.width = width;
        let step = self.step.unwrap_or(millis(options.subquery_step).max(1));
        let until = time.saturating_sub(self.offset);
        let first = first_step(until.saturating_sub(self.range), step);
        let count = until.saturating_sub(first).div_euclid(step);
        let count = usize::try_from(count.saturating_add(1)).unwrap_or(0);
        let most = options.max_samples.min(MOST_CELLS);
        if count > options.max_steps || count.saturating_mul(width) > most {
            return false;
        }
        let steps = (0..).map(|nth: i64| first + nth * step);
        self.times.extend(steps.take(count));
        true
    }

    /// The number of steps.
    pub(super) fn count(&self) -> usize {
        self.times.len()
    }

    /// The time of a step, in milliseconds since 1970.
    pub(super) fn time(&self, nth: usize) -> i64 {
        self.times.get(nth).copied().unwrap_or(i64::MIN)
    }

    /// Adds the values of the next step.
    pub(super) fn push(&mut self, values: &[f64]) {
        self.cells.extend(values);
    }

    /// The values of a series after one time and up to another.
    pub(super) fn samples(
        &self,
        series: usize,
        (after, until): (i64, i64),
        into: &mut Vec<Sample>,
    ) {
        into.clear();
        let values = self.cells.iter().skip(series).step_by(self.width.max(1));
        let steps = self.times.iter().zip(values);
        let steps = steps.filter(|(time, _)| after < **time && **time <= until);
        into.extend(present(steps));
    }
}
