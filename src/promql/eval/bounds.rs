//! The look-back and the limits of a query.

use std::time::{Duration, Instant};

use crate::promql::error::{Limit, Place, QueryError};
use crate::promql::options::QueryOptions;
use crate::promql::parse::Subquery;

/// The options of a query, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(super) lookback: i64,
    subquery_step: i64,
}

impl Bounds {
    pub(super) fn new(options: &QueryOptions) -> Self {
        Self {
            lookback: millis(options.lookback),
            subquery_step: millis(options.subquery_step).max(1),
        }
    }

    pub(super) fn step(&self, subquery: &Subquery) -> i64 {
        subquery.step.unwrap_or(self.subquery_step)
    }

    /// The first step of a subquery at `time`: a multiple of the step after the start of the range.
    pub(super) fn first_step(&self, subquery: &Subquery, time: i64) -> i64 {
        first_step(time.saturating_sub(subquery.range), self.step(subquery))
    }
}

/// The first multiple of a step after a time.
pub(crate) fn first_step(after: i64, step: i64) -> i64 {
    let before = after.div_euclid(step);
    before.saturating_add(1).saturating_mul(step)
}

/// Converts a duration to milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(i64::MAX / 64, |millis| millis.min(i64::MAX / 64))
}

/// Stops a query that exceeds a limit.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    text: &'a str,
    options: &'a QueryOptions,
    deadline: Option<Instant>,
    held: usize,
}

impl<'a> Guard<'a> {
    pub(crate) fn new(text: &'a str, options: &'a QueryOptions) -> Self {
        Self {
            text,
            options,
            deadline: options.clock.now().checked_add(options.timeout),
            held: 0,
        }
    }

    pub(crate) fn limit(&self, limit: Limit, at: usize) -> QueryError {
        QueryError::Limit {
            place: Place::of(self.text, at),
            limit,
        }
    }

    /// Counts samples that are held until the query ends.
    pub(crate) fn hold(&mut self, samples: usize, at: usize) -> Result<(), QueryError> {
        self.held = self.held.saturating_add(samples);
        if self.held > self.options.max_samples {
            return Err(self.limit(Limit::Samples, at));
        }
        Ok(())
    }

    /// Checks the time limit.
    pub(crate) fn check(&self, at: usize) -> Result<(), QueryError> {
        if self
            .deadline
            .is_some_and(|deadline| self.options.clock.now() > deadline)
        {
            return Err(self.limit(Limit::Time, at));
        }
        Ok(())
    }
}
