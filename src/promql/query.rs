use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::annotation::Annotation;
use super::error::{Limit, QueryError};
use super::eval::{Eval, Function, Guard, Steps, Value};
use super::functions;
use super::options::QueryOptions;
use super::parse::{self, Kind, Parsed, QueryType};
use super::source::{Matcher, Queryable};
use super::value::{InstantSample, QueryResult, Series};

/// A valid expression, which can be evaluated repeatedly. Clones are cheap.
///
/// ```
/// use selfheal::promql::{LabelSet, PointValue, Query, QueryOptions, QueryResult, Sample, Series};
///
/// # fn main() -> Result<(), selfheal::promql::QueryError> {
/// let labels = |zone| LabelSet::new([("__name__", "jobs"), ("zone", zone)]);
/// let sample = |value| Sample { time: 1_000, value: PointValue::Float(value) };
/// let series = [
///     Series { labels: labels("a"), samples: vec![sample(1.0)] },
///     Series { labels: labels("b"), samples: vec![sample(2.0)] },
/// ];
/// let query = Query::parse("sum(jobs) * 10")?;
/// let answer = query.instant(&series[..], 5_000, &QueryOptions::default())?;
/// let QueryResult::Vector(vector) = answer.result else { panic!("sums are vectors") };
/// assert_eq!(vector[0].value, PointValue::Float(30.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Query {
    inner: Arc<Inner>,
}

struct Inner {
    text: Box<str>,
    parsed: Parsed,
    /// The called functions, in the order of the calls.
    functions: Box<[&'static Function]>,
}

/// A result and its annotations.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result.
    pub result: QueryResult,
    /// The annotations, without duplicates.
    pub annotations: Vec<Annotation>,
}

/// The times of a range query, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryRange {
    /// The first time.
    pub start: i64,
    /// The last possible time, inclusive.
    pub end: i64,
    /// The interval, greater than zero.
    pub step: i64,
}

impl Query {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// [`QueryError::Syntax`], with the position of the fault.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let parsed = parse::parse(text)?;
        Ok(Self {
            inner: Arc::new(Inner {
                functions: functions::called(text, &parsed)?,
                parsed,
                text: text.into(),
            }),
        })
    }

    /// Returns the text of the expression.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The type of its result.
    #[must_use]
    pub fn result_type(&self) -> QueryType {
        self.inner.parsed.root.result_type()
    }

    /// Iterates over the matchers of each selector, in the order of the text.
    pub fn selectors(&self) -> impl Iterator<Item = &[Matcher]> {
        let selectors = self.inner.parsed.selectors.iter();
        selectors.map(|selector| &*selector.matchers)
    }

    /// The longest range in it, without offsets.
    pub(crate) fn longest_range(&self) -> Duration {
        let millis = self.inner.parsed.root.longest_range();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Whether it aggregates away a label.
    pub(crate) fn drops(&self, label: &str) -> bool {
        self.inner.parsed.root.drops(label)
    }

    /// Unique among the queries that are alive.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// The tree of the expression, and the functions that it calls.
    pub(super) fn tree(&self) -> (&Parsed, &[&'static Function]) {
        (&self.inner.parsed, &self.inner.functions)
    }

    /// Evaluates the query at one time, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`QueryError::Evaluation`] if these series cannot be combined as in the expression,
    /// [`QueryError::Limit`] or [`QueryError::Source`].
    pub fn instant(
        &self,
        source: &(impl Queryable + ?Sized),
        time: i64,
        options: &QueryOptions,
    ) -> Result<Answer, QueryError> {
        let Inner {
            text,
            parsed,
            functions,
        } = &*self.inner;
        let tree = (parsed, &**functions);
        let mut eval = Eval::new(text, tree, source, (time, time), options)?;
        let root = &parsed.root;
        let result = if matches!(root.kind, Kind::Range(..) | Kind::Subquery(_)) {
            let windows = eval.windows(root, time)?;
            let series = windows.iter().map(|(labels, samples)| Series {
                labels: labels.clone(),
                samples: samples.to_vec(),
            });
            QueryResult::Matrix(sorted(series.collect()))
        } else {
            match eval.value(root, time)? {
                Value::Scalar(value) => QueryResult::Scalar(value),
                Value::Text(text) => QueryResult::Text(text),
                Value::Vector(vector) => QueryResult::Vector(vector),
            }
        };
        Ok(Answer {
            result,
            annotations: eval.notes.into_list(),
        })
    }

    /// Evaluates the query at each time of a range. The result is always a [`QueryResult::Matrix`];
    /// for a scalar it has one series without labels.
    ///
    /// # Errors
    ///
    /// As [`instant`](Self::instant), and if the expression itself is a text or a range.
    pub fn range(
        &self,
        source: &(impl Queryable + ?Sized),
        range: QueryRange,
        options: &QueryOptions,
    ) -> Result<Answer, QueryError> {
        let Inner {
            text,
            parsed,
            functions,
        } = &*self.inner;
        let root = &parsed.root;
        if steps(range).is_none_or(|steps| steps > options.max_steps) {
            return Err(Guard::new(text, options).limit(Limit::Steps, root.at));
        }
        let span = (range.start, range.end);
        let mut eval = Eval::new(text, (parsed, functions), source, span, options)?;
        eval.step = range.step;
        if matches!(self.result_type(), QueryType::Text | QueryType::Matrix) {
            let message = "invalid expression type for range query, must be scalar or instant \
                           vector";
            return Err(eval.error(root.at, message));
        }
        eval.warn_of_sorting(root);
        let mut found = Steps::default();
        let mut time = range.start;
        while time <= range.end {
            let vector = match eval.value(root, time)? {
                Value::Vector(vector) => vector,
                Value::Scalar(value) => vec![InstantSample::unlabelled(value)],
                Value::Text(_) => Vec::new(),
            };
            eval.guard.hold(vector.len(), root.at)?;
            if !found.add(time, vector) {
                let message = "vector cannot contain metrics with the same labelset";
                return Err(eval.error(root.at, message));
            }
            let Some(next) = time.checked_add(range.step) else {
                break;
            };
            time = next;
        }
        Ok(Answer {
            result: QueryResult::Matrix(sorted(found.series)),
            annotations: eval.notes.into_list(),
        })
    }
}

/// The number of times in a range; `None` for an invalid range.
fn steps(range: QueryRange) -> Option<usize> {
    let whole = range.end.checked_sub(range.start);
    let whole = whole.filter(|whole| *whole >= 0 && range.step > 0)?;
    usize::try_from(whole / range.step).ok()?.checked_add(1)
}

fn sorted(mut series: Vec<Series>) -> Vec<Series> {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query").field(&self.text()).finish()
    }
}
