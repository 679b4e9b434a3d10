//! Evaluates an expression at each step.

mod aggregate;
mod arithmetic;
mod binary;
mod load;
mod notes;
mod sets;
mod windows;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;

use super::error::{Limit, Place, QueryError};
use super::functions::Run;
use super::labels::LabelSet;
use super::options::QueryOptions;
use super::parse::{Call, Kind, Node, Parsed, Subquery};
use super::source::{Matcher, Queryable};
use super::value::{InstantSample, PointValue, Series};
pub(crate) use aggregate::Fold;
pub(crate) use arithmetic::{arithmetic, compare};
pub(crate) use binary::pair_labels;
pub(crate) use load::Span;
use load::Spans;
pub(crate) use notes::Notes;
pub(crate) use windows::{Steps, Window};

/// The value of a part of an expression at one time.
#[derive(Debug)]
pub(crate) enum Value {
    Scalar(f64),
    Text(Arc<str>),
    Vector(Vec<InstantSample>),
}

/// The options of a query, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    lookback: i64,
    subquery_step: i64,
}

impl Bounds {
    fn new(options: &QueryOptions) -> Self {
        Self {
            lookback: millis(options.lookback),
            subquery_step: millis(options.subquery_step).max(1),
        }
    }

    fn step(&self, subquery: &Subquery) -> i64 {
        subquery.step.unwrap_or(self.subquery_step)
    }

    /// The first step of a subquery at `time`: a multiple of the step after the start of the range.
    fn first_step(&self, subquery: &Subquery, time: i64) -> i64 {
        let step = self.step(subquery);
        let start = time.saturating_sub(subquery.range);
        start
            .div_euclid(step)
            .saturating_add(1)
            .saturating_mul(step)
    }
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

/// One evaluation of a query.
pub(crate) struct Eval<'a> {
    text: &'a str,
    parsed: &'a Parsed,
    query: Span,
    /// The interval of the steps of a range query, 0 for others.
    pub(crate) step: i64,
    bounds: Bounds,
    spans: Spans,
    series: Vec<Rc<[Series]>>,
    /// The results of the subqueries evaluated so far, for the whole time of the query.
    subqueries: Vec<Option<Rc<[Series]>>>,
    pub(crate) notes: Notes<'a>,
    pub(crate) guard: Guard<'a>,
}

impl<'a> Eval<'a> {
    /// Reads the series that the query needs from its first step to its last.
    pub(crate) fn new(
        text: &'a str,
        parsed: &'a Parsed,
        source: &(impl Queryable + ?Sized),
        query: Span,
        options: &'a QueryOptions,
    ) -> Result<Self, QueryError> {
        let bounds = Bounds::new(options);
        let spans = Spans::of(parsed, query, &bounds);
        let mut guard = Guard::new(text, options);
        let series = load::load(parsed, &spans, source, options, &bounds, &mut guard)?;
        Ok(Self {
            text,
            parsed,
            query,
            step: 0,
            bounds,
            spans,
            series,
            subqueries: vec![None; parsed.subqueries],
            notes: Notes::new(text),
            guard,
        })
    }

    /// The first and last time of the query.
    pub(crate) fn query(&self) -> Span {
        self.query
    }

    /// The matchers of a selector.
    pub(crate) fn matchers(&self, place: usize) -> &'a [Matcher] {
        &self.parsed.selectors[place].matchers
    }

    /// Warns in a range query that sorting functions have no effect.
    pub(crate) fn warn_of_sorting(&mut self, node: &Node) {
        if let Kind::Call(call) = &node.kind {
            if call.function.name.starts_with("sort") {
                self.notes.warn(
                    node.at,
                    "sort is ineffective for range queries since results are always ordered by \
                     labels",
                );
            }
            for argument in &call.arguments {
                self.warn_of_sorting(argument);
            }
        }
        match &node.kind {
            Kind::Aggregate(aggregate) => self.warn_of_sorting(&aggregate.inner),
            Kind::Negate(inner) => self.warn_of_sorting(inner),
            Kind::Binary(binary) => {
                self.warn_of_sorting(&binary.left);
                self.warn_of_sorting(&binary.right);
            }
            _ => {}
        }
    }

    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> QueryError {
        QueryError::Evaluation {
            place: Place::of(self.text, at),
            message: message.into(),
        }
    }

    /// The value of a node at a time, in milliseconds.
    pub(crate) fn value(&mut self, node: &Node, time: i64) -> Result<Value, QueryError> {
        self.guard.check(node.at)?;
        match &node.kind {
            Kind::Number(number) => Ok(Value::Scalar(*number)),
            Kind::Text(text) => Ok(Value::Text(Arc::clone(text))),
            Kind::Selector(place) => Ok(Value::Vector(self.select(*place, time))),
            Kind::Negate(inner) => self.negate(inner, time),
            Kind::Binary(binary) => self.binary(node.at, binary, time),
            Kind::Aggregate(aggregate) => {
                self.aggregate(node.at, aggregate, time).map(Value::Vector)
            }
            Kind::Call(call) => self.call(node, call, time),
            Kind::Range(..) | Kind::Subquery(_) => {
                Err(self.error(node.at, "a range is no value: use a function over time"))
            }
        }
    }

    pub(crate) fn vector(
        &mut self,
        node: &Node,
        time: i64,
    ) -> Result<Vec<InstantSample>, QueryError> {
        match self.value(node, time)? {
            Value::Vector(vector) => Ok(vector),
            _ => Err(self.error(node.at, "an instant vector is expected here")),
        }
    }

    pub(crate) fn scalar(&mut self, node: &Node, time: i64) -> Result<f64, QueryError> {
        match self.value(node, time)? {
            Value::Scalar(value) => Ok(value),
            _ => Err(self.error(node.at, "a scalar is expected here")),
        }
    }

    pub(crate) fn string(&mut self, node: &Node, time: i64) -> Result<Arc<str>, QueryError> {
        match self.value(node, time)? {
            Value::Text(text) => Ok(text),
            _ => Err(self.error(node.at, "a string is expected here")),
        }
    }

    /// The samples of an instant selector at a time.
    fn select(&mut self, place: usize, time: i64) -> Vec<InstantSample> {
        let found = self.select_samples(place, time);
        found.into_iter().map(|(sample, _)| sample).collect()
    }

    /// The same, with the time of each sample.
    pub(crate) fn select_samples(&self, place: usize, time: i64) -> Vec<(InstantSample, i64)> {
        let time = self.parsed.selectors[place].shift.apply(time, self.query);
        let after = time.saturating_sub(self.bounds.lookback);
        let series = &self.series[place];
        let mut found = Vec::with_capacity(series.len());
        for series in series.iter() {
            let samples = &series.samples;
            let newest = match samples.last() {
                Some(last) if last.time <= time => samples.len(),
                _ => samples.partition_point(|sample| sample.time <= time),
            };
            let newest = newest.checked_sub(1).and_then(|at| samples.get(at));
            let live =
                |sample: &&super::value::Sample| sample.time > after && !sample.value.is_stale();
            if let Some(sample) = newest.filter(live) {
                let found_one = InstantSample {
                    labels: series.labels.clone(),
                    value: sample.value.clone(),
                };
                found.push((found_one, sample.time));
            }
        }
        found
    }

    fn negate(&mut self, inner: &Node, time: i64) -> Result<Value, QueryError> {
        match self.value(inner, time)? {
            Value::Vector(mut vector) => {
                for sample in &mut vector {
                    sample.value = match &sample.value {
                        PointValue::Float(value) => PointValue::Float(-value),
                        PointValue::Histogram(histogram) => histogram.scaled(-1.0).into(),
                    };
                }
                self.drop_names(inner.at, vector).map(Value::Vector)
            }
            Value::Scalar(value) => Ok(Value::Scalar(-value)),
            Value::Text(_) => Err(self.error(inner.at, "a string cannot be negated")),
        }
    }

    fn call(&mut self, node: &Node, call: &Call, time: i64) -> Result<Value, QueryError> {
        match call.function.run {
            Run::Float(function) => {
                let Some(argument) = call.arguments.first() else {
                    return Err(self.error(node.at, "an argument is missing"));
                };
                let mut vector = self.vector(argument, time)?;
                vector.retain_mut(|sample| match &mut sample.value {
                    PointValue::Float(value) => {
                        *value = function(*value);
                        true
                    }
                    PointValue::Histogram(_) => false,
                });
                self.drop_names(node.at, vector).map(Value::Vector)
            }
            Run::Window {
                function,
                keeps_name,
            } => self.over_time(node, call, function, keeps_name, time),
            Run::General(function) => function(self, node, call, time),
        }
    }

    /// Removes the metric names. It is a fault if two samples then have the same labels.
    pub(crate) fn drop_names(
        &self,
        at: usize,
        mut vector: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        let first = vector.first().and_then(|sample| sample.labels.name());
        let one_name = vector.iter().all(|sample| sample.labels.name() == first);
        for sample in &mut vector {
            sample.labels = sample.labels.without_name();
        }
        if !one_name {
            self.check_unique(at, &vector)?;
        }
        Ok(vector)
    }

    /// Checks that no two samples have the same labels.
    pub(crate) fn check_unique(
        &self,
        at: usize,
        vector: &[InstantSample],
    ) -> Result<(), QueryError> {
        let mut seen: HashSet<&LabelSet, foldhash::fast::RandomState> =
            HashSet::with_capacity_and_hasher(vector.len(), foldhash::fast::RandomState::default());
        if vector.iter().all(|sample| seen.insert(&sample.labels)) {
            return Ok(());
        }
        Err(self.error(at, "vector cannot contain metrics with the same labelset"))
    }
}
