//! Evaluates range selectors and subqueries, and functions over them.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;

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
    series: Rc<[Series]>,
    /// The bounds of the range in milliseconds; the first one is exclusive.
    pub(crate) after: i64,
    pub(crate) until: i64,
}

impl Windows {
    /// Iterates over the series with samples in the range.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&LabelSet, &[Sample])> {
        self.series.iter().filter_map(|series| {
            let samples = &series.samples;
            let from = samples.partition_point(|sample| sample.time <= self.after);
            let to = match samples.last() {
                Some(last) if last.time <= self.until => samples.len(),
                _ => samples.partition_point(|sample| sample.time <= self.until),
            };
            let window = samples.get(from..to).filter(|window| !window.is_empty())?;
            Some((&series.labels, window))
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
    fn subquery(&mut self, at: usize, subquery: &Subquery) -> Result<Rc<[Series]>, QueryError> {
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
        let found: Rc<[Series]> = found.series.into();
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
        let windows = self.windows(range, time)?;
        let mut found = Vec::new();
        for (labels, samples) in windows.iter() {
            let window = Window {
                labels,
                samples,
                after: windows.after,
                until: windows.until,
                time,
                scalars: &scalars,
                at: range.at,
                scalar_at,
            };
            let notes: &mut Notes<'_> = &mut self.notes;
            if let Some(value) = function(&window, notes) {
                let labels = labels.clone();
                found.push(InstantSample { labels, value });
            }
        }
        self.guard.check(node.at)?;
        if keeps_name {
            return Ok(Value::Vector(found));
        }
        self.drop_names(node.at, found).map(Value::Vector)
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
        for InstantSample { labels, value } in vector {
            let place = if let Some(place) = self.places.get(&labels) {
                *place
            } else {
                self.places.insert(labels.clone(), self.series.len());
                let samples = Vec::new();
                self.series.push(Series { labels, samples });
                self.series.len() - 1
            };
            let samples = &mut self.series[place].samples;
            if samples.last().is_some_and(|last| last.time == time) {
                return false;
            }
            samples.push(Sample { time, value });
        }
        true
    }
}
