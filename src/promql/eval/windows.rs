//! Evaluates range selectors and subqueries, and functions over them.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;

use super::loaded::Loaded;
use super::window::{Window, WindowFunction};
use super::{Eval, Notes, Value};
use crate::promql::error::QueryError;
use crate::promql::histogram::ResetHint;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Call, Kind, Node, Subquery};
use crate::promql::value::{InstantSample, PointValue, Sample, Series};

/// The series of a range, at one time.
#[derive(Debug)]
pub(crate) struct Windows {
    series: Rc<Vec<Loaded>>,
    /// The bounds of the range in milliseconds; the first one is exclusive.
    pub(crate) after: i64,
    pub(crate) until: i64,
}

impl Windows {
    /// Iterates over the series with samples in the range.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&LabelSet, &[Sample])> {
        self.series.iter().filter_map(|series| {
            let window = series.between(self.after, self.until);
            (!window.is_empty()).then_some((&series.labels, window))
        })
    }
}

impl Eval<'_> {
    /// Evaluates a range selector or subquery.
    pub(crate) fn windows(&mut self, node: &Node, time: i64) -> Result<Windows, QueryError> {
        match &node.kind {
            Kind::Range(place, range) => {
                let until = self.parsed.selectors[*place].shift.apply(time, self.query);
                Ok(Windows {
                    series: Rc::clone(&self.series[*place]),
                    after: until.saturating_sub(*range),
                    until,
                })
            }
            Kind::Subquery(subquery) => {
                let until = subquery.shift.apply(time, self.query);
                Ok(Windows {
                    series: self.subquery(node.at, subquery)?,
                    after: until.saturating_sub(subquery.range),
                    until,
                })
            }
            _ => Err(self.error(node.at, "a range is expected here")),
        }
    }

    /// Evaluates all steps of a subquery that any step of the query needs, once.
    fn subquery(&mut self, at: usize, subquery: &Subquery) -> Result<Rc<Vec<Loaded>>, QueryError> {
        if let Some(known) = &self.subqueries[subquery.place] {
            return Ok(Rc::clone(known));
        }
        let (from, to) = self.spans.subqueries[subquery.place];
        let step = self.bounds.step(subquery);
        let mut found = Steps::default();
        let mut time = self.bounds.first_step(subquery, from);
        while time <= to {
            let mut vector = self.vector(&subquery.inner, time)?;
            vector.iter_mut().for_each(forget_resets);
            self.guard.hold(vector.len(), at)?;
            if !found.add(time, vector) {
                return Err(self.error(at, "vector cannot contain metrics with the same labelset"));
            }
            time = time.saturating_add(step);
        }
        let found: Vec<_> = found.series.into_iter().map(Loaded::from).collect();
        let found = Rc::new(found);
        self.subqueries[subquery.place] = Some(Rc::clone(&found));
        Ok(found)
    }

    /// Applies a function to each series of the range among the arguments.
    pub(super) fn over_time(
        &mut self,
        node: &Node,
        call: &Call,
        function: WindowFunction,
        keeps_name: bool,
        time: i64,
    ) -> Result<Value, QueryError> {
        let ranges = self.ranges(node, call, function, time)?;
        let mut found: Vec<InstantSample> = Vec::with_capacity(ranges.series().len());
        let mut one_name = true;
        let mut first = None;
        for series in ranges.series() {
            if let Some(value) = ranges.value(series, &mut self.notes) {
                let labels = &series.labels;
                one_name &= labels.has_name_of(first.get_or_insert(labels));
                let labels = if keeps_name {
                    labels.clone()
                } else {
                    labels.without_name()
                };
                found.push(InstantSample { labels, value });
            }
        }
        self.guard.check(node.at)?;
        if !keeps_name && !one_name {
            self.check_unique(node.at, &found)?;
        }
        Ok(Value::Vector(found))
    }

    /// The series of the range among a function's arguments, at one time.
    pub(super) fn ranges(
        &mut self,
        node: &Node,
        call: &Call,
        function: WindowFunction,
        time: i64,
    ) -> Result<Ranges, QueryError> {
        let is_range = |node: &&Node| matches!(node.kind, Kind::Range(..) | Kind::Subquery(_));
        let Some(range) = call.arguments.iter().find(is_range) else {
            return Err(self.error(node.at, "a range is expected here"));
        };
        let mut scalars = Vec::new();
        let mut scalar_at = node.at;
        for argument in call.arguments.iter().filter(|argument| !is_range(argument)) {
            if scalars.is_empty() {
                scalar_at = argument.at;
            }
            scalars.push(self.scalar(argument, time)?);
        }
        Ok(Ranges {
            windows: self.windows(range, time)?,
            function,
            time,
            scalars,
            at: range.at,
            scalar_at,
        })
    }
}

/// A function over the series of a range, at one time.
pub(super) struct Ranges {
    windows: Windows,
    function: WindowFunction,
    time: i64,
    scalars: Vec<f64>,
    at: usize,
    scalar_at: usize,
}

impl Ranges {
    /// All series, which are the same at each step of a query.
    pub(super) fn series(&self) -> &[Loaded] {
        &self.windows.series
    }

    /// The result for one of them; `None` without samples in the range, or if the function has none.
    #[inline]
    pub(super) fn value(&self, series: &Loaded, notes: &mut Notes<'_>) -> Option<PointValue> {
        let Windows { after, until, .. } = self.windows;
        let samples = series.between(after, until);
        let window = Window {
            labels: &series.labels,
            samples,
            after,
            until,
            time: self.time,
            scalars: &self.scalars,
            at: self.at,
            scalar_at: self.scalar_at,
        };
        if samples.is_empty() {
            return None;
        }
        (self.function)(&window, notes)
    }
}

/// Removes the reset hint, which storage gives for its own samples, not for those of steps.
fn forget_resets(sample: &mut InstantSample) {
    if let PointValue::Histogram(histogram) = &mut sample.value
        && matches!(histogram.reset_hint, ResetHint::Reset | ResetHint::NotReset)
    {
        Arc::make_mut(histogram).reset_hint = ResetHint::Unknown;
    }
}

/// Collects the vectors of the steps into series.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    places: HashMap<LabelSet, usize, foldhash::fast::RandomState>,
    pub(crate) series: Vec<Series>,
}

impl Steps {
    /// Adds the vector of a later step. False if two of its samples have the same labels.
    pub(crate) fn add(&mut self, time: i64, vector: Vec<InstantSample>) -> bool {
        let mut next = 0;
        for InstantSample { labels, value } in vector {
            let place = self.place(labels, next);
            next = place + 1;
            let samples = &mut self.series[place].samples;
            if samples.last().is_some_and(|last| last.time == time) {
                return false;
            }
            samples.push(Sample { time, value });
        }
        true
    }

    /// The place of a series, which is often the one after that of the series before.
    fn place(&mut self, labels: LabelSet, guess: usize) -> usize {
        if let Some(series) = self.series.get(guess)
            && series.labels.is_clone_of(&labels)
        {
            return guess;
        }
        if let Some(place) = self.places.get(&labels) {
            return *place;
        }
        self.places.insert(labels.clone(), self.series.len());
        let samples = Vec::new();
        self.series.push(Series { labels, samples });
        self.series.len() - 1
    }
}
