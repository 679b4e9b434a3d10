//! Evaluates an expression at each step.

mod aggregate;
mod args;
mod arithmetic;
mod binary;
mod bounds;
mod load;
mod loaded;
mod notes;
mod sets;
mod window;
mod windows;

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::error::{Place, QueryError};
use super::labels::LabelSet;
use super::options::QueryOptions;
use super::parse::{Call, Kind, Node, Parsed};
use super::source::{Matcher, Queryable};
use super::value::{InstantSample, PointValue};
pub(crate) use aggregate::Fold;
use aggregate::{Groups, LastGroups};
pub(crate) use args::Args;
pub(crate) use arithmetic::{arithmetic, compare};
pub(crate) use binary::pair_labels;
use bounds::Bounds;
pub(crate) use bounds::{Guard, first_step, millis};
pub(crate) use load::Span;
use load::Spans;
use loaded::Loaded;
pub(crate) use notes::Notes;
pub(crate) use window::{Window, WindowFunction};
pub(crate) use windows::Steps;

/// The value of a part of an expression at one time.
#[derive(Debug)]
pub(crate) enum Value {
    Scalar(f64),
    Text(Arc<str>),
    Vector(Vec<InstantSample>),
}

/// A function of arbitrary arguments.
pub(crate) type GeneralFunction = fn(&mut Args<'_, '_>) -> Result<Value, QueryError>;

/// How a function is applied.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// To each number of an instant vector; the metric's name is dropped.
    Float(fn(f64) -> f64),
    /// To each series of a range.
    Window {
        function: WindowFunction,
        keeps_name: bool,
    },
    General(GeneralFunction),
}

pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// One evaluation of a query.
pub(crate) struct Eval<'a> {
    text: &'a str,
    parsed: &'a Parsed,
    /// The called functions, in the order of the calls.
    functions: &'a [&'static Function],
    query: Span,
    /// The interval of the steps of a range query, 0 for others.
    pub(crate) step: i64,
    bounds: Bounds,
    spans: Spans,
    series: Vec<Rc<Vec<Loaded>>>,
    /// The results of the subqueries evaluated so far, for the whole time of the query.
    subqueries: Vec<Option<Rc<Vec<Loaded>>>>,
    /// Whether any part is evaluated repeatedly.
    repeats: bool,
    /// The last groups of each aggregation, by its position, if any part is evaluated repeatedly.
    groups: HashMap<usize, LastGroups, foldhash::fast::RandomState>,
    /// The groups of each aggregation of a function over ranges, by its position, for all steps.
    range_groups: HashMap<usize, Option<Rc<Groups>>, foldhash::fast::RandomState>,
    pub(crate) notes: Notes<'a>,
    pub(crate) guard: Guard<'a>,
}

impl<'a> Eval<'a> {
    /// Reads the series that the query needs from its first step to its last.
    pub(crate) fn new(
        text: &'a str,
        (parsed, functions): (&'a Parsed, &'a [&'static Function]),
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
            functions,
            query,
            step: 0,
            bounds,
            spans,
            series,
            subqueries: vec![None; parsed.subqueries],
            repeats: query.0 != query.1 || parsed.subqueries > 0,
            groups: HashMap::default(),
            range_groups: HashMap::default(),
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
        match &node.kind {
            Kind::Call(call) if call.name.starts_with("sort") => self.notes.warn(
                node.at,
                "sort is ineffective for range queries since results are always ordered by labels",
            ),
            Kind::Subquery(_) => return,
            _ => {}
        }
        for child in node.children() {
            self.warn_of_sorting(child);
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
                Err(self.error(node.at, "a range is not a value: use a function over time"))
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
    fn select(&self, place: usize, time: i64) -> Vec<InstantSample> {
        self.found(place, time, |sample, _| sample)
    }

    /// The same, with the time of each sample.
    pub(crate) fn select_samples(&self, place: usize, time: i64) -> Vec<(InstantSample, i64)> {
        self.found(place, time, |sample, taken| (sample, taken))
    }

    fn found<T>(&self, place: usize, time: i64, make: impl Fn(InstantSample, i64) -> T) -> Vec<T> {
        let time = self.parsed.selectors[place].shift.apply(time, self.query);
        let after = time.saturating_sub(self.bounds.lookback);
        let series = &self.series[place];
        let mut found = Vec::with_capacity(series.len());
        for series in series.iter() {
            let newest = series.newest(time);
            let live = newest.filter(|sample| sample.time > after && !sample.value.is_stale());
            if let Some(sample) = live {
                let found_one = InstantSample {
                    labels: series.labels.clone(),
                    value: sample.value.clone(),
                };
                found.push(make(found_one, sample.time));
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
        let Some(function) = self.functions.get(call.place) else {
            return Err(self.error(node.at, "the function is missing"));
        };
        match function.run {
            Run::Float(function) => {
                let Some(argument) = call.arguments.first() else {
                    return Err(self.error(node.at, "an argument is missing"));
                };
                let vector = self.vector(argument, time)?;
                self.floats(node.at, vector, function)
            }
            Run::Window {
                function,
                keeps_name,
            } => self.over_time(node, call, function, keeps_name, time),
            Run::General(function) => function(&mut Args {
                eval: self,
                node,
                call,
                time,
            }),
        }
    }

    /// Maps each number of a vector; native histograms and the metric's name are dropped.
    pub(crate) fn floats(
        &self,
        at: usize,
        mut vector: Vec<InstantSample>,
        function: impl Fn(f64) -> f64,
    ) -> Result<Value, QueryError> {
        vector.retain_mut(|sample| match &mut sample.value {
            PointValue::Float(value) => {
                *value = function(*value);
                true
            }
            PointValue::Histogram(_) => false,
        });
        self.drop_names(at, vector).map(Value::Vector)
    }

    /// Removes the metric names. It is a fault if two samples then have the same labels.
    pub(crate) fn drop_names(
        &self,
        at: usize,
        mut vector: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        let one_name = match vector.split_first() {
            Some((first, rest)) => rest.iter().all(|it| it.labels.has_name_of(&first.labels)),
            None => true,
        };
        for sample in &mut vector {
            sample.labels.drop_name();
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
