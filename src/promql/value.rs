use std::sync::Arc;

use super::histogram::FloatHistogram;
use super::labels::LabelSet;
use crate::util::STALE;

/// The value of a series at one time.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

impl PointValue {
    /// The number, if it is one.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Histogram(_) => None,
        }
    }

    /// The native histogram, if it is one.
    #[must_use]
    pub fn as_histogram(&self) -> Option<&FloatHistogram> {
        match self {
            Self::Float(_) => None,
            Self::Histogram(histogram) => Some(histogram),
        }
    }

    /// Whether it is a stale marker.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Float(value) => value.to_bits() == STALE,
            Self::Histogram(histogram) => histogram.sum.to_bits() == STALE,
        }
    }
}

impl From<f64> for PointValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<FloatHistogram> for PointValue {
    fn from(histogram: FloatHistogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}

/// A value of a series and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970.
    pub time: i64,
    /// The value at that time.
    pub value: PointValue,
}

/// An element of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// The labels of the series.
    pub labels: LabelSet,
    /// Its value at the time of the query.
    pub value: PointValue,
}

impl InstantSample {
    /// A number without labels.
    pub(crate) fn unlabelled(value: f64) -> Self {
        Self {
            labels: LabelSet::empty(),
            value: value.into(),
        }
    }
}

/// A series: its labels and its samples, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels, which identify the series.
    pub labels: LabelSet,
    /// Sorted by time, without duplicate times.
    pub samples: Vec<Sample>,
}

/// The result of a query, by the type of its expression.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryResult {
    /// A number without labels.
    Scalar(f64),
    /// A text, such as of the expression `"text"`.
    Text(Arc<str>),
    /// At most one sample per label set. Unordered, unless the outermost function sorts.
    Vector(Vec<InstantSample>),
    /// Series over time, sorted by labels: the result of a range query, or of an expression such as
    /// `up[5m]`.
    Matrix(Vec<Series>),
}
