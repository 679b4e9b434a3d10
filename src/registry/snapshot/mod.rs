//! Owned and borrowed results of a scrape: families of series with values.

mod exemplar;
mod histogram;
mod native;

use std::collections::HashSet;
use std::sync::Arc;

pub use exemplar::{Exemplar, ExemplarLabels, InvalidExemplar, MAX_EXEMPLAR};
pub use histogram::{HistogramRef, HistogramSnapshot};
pub use native::NativeBuckets;

use super::labels::cut;
use crate::catalog::MetricDef;
use crate::config::LABEL_LIMITS;
use crate::util::escape;

/// A number as recorded; whole numbers are written without conversion to floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number that only increases.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A floating-point number.
    F64(f64),
}

impl Number {
    /// The number as Prometheus stores it.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::U64(n) => n as f64,
            Self::I64(n) => n as f64,
            Self::F64(n) => n,
        }
    }
}

/// The value of one series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A counter, a gauge, an info or a metric of unknown kind.
    Number(Number),
    /// A histogram, with classic buckets, native ones or both.
    Histogram(HistogramSnapshot),
    /// Quantiles computed elsewhere.
    Summary {
        /// Pairs of quantile (0 to 1) and value.
        quantiles: Vec<(f64, f64)>,
        /// The sum of all observations.
        sum: f64,
        /// Number of observations.
        count: u64,
    },
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl Value {
    /// Borrows the value.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Number(number) => ValueRef::Number(*number),
            Self::Histogram(histogram) => ValueRef::Histogram(histogram.as_ref()),
            Self::Summary {
                quantiles,
                sum,
                count,
            } => ValueRef::Summary {
                quantiles,
                sum: *sum,
                count: *count,
            },
        }
    }
}

/// The value of one series while it is read: a borrowed [`Value`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// A counter, a gauge, an info or a metric of unknown kind.
    Number(Number),
    /// A histogram, with classic buckets, native ones or both.
    Histogram(HistogramRef<'a>),
    /// Quantiles computed elsewhere.
    Summary {
        /// Pairs of quantile (0 to 1) and value.
        quantiles: &'a [(f64, f64)],
        /// The sum of all observations.
        sum: f64,
        /// Number of observations.
        count: u64,
    },
}

impl ValueRef<'_> {
    /// An owned copy.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number),
            Self::Histogram(histogram) => Value::Histogram(histogram.to_snapshot()),
            Self::Summary {
                quantiles,
                sum,
                count,
            } => Value::Summary {
                quantiles: quantiles.to_vec(),
                sum,
                count,
            },
        }
    }
}

/// The value of one series while it is read, with its exemplar and creation time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample<'a> {
    /// The value.
    pub value: ValueRef<'a>,
    /// When the series was created, in seconds since 1970-01-01T00:00:00Z, if known: lets a scraper
    /// see a counter's first increment.
    pub created: Option<f64>,
    /// The exemplar of a counter. A histogram's are in its value.
    pub exemplar: Option<&'a Exemplar>,
}

impl<'a> Sample<'a> {
    pub(crate) fn has_exemplars(&self) -> bool {
        let of_histogram =
            matches!(self.value, ValueRef::Histogram(one) if !one.exemplars.is_empty());
        of_histogram || self.exemplar.is_some()
    }

    /// The sample without exemplars.
    pub(crate) fn without_exemplars(&self) -> Self {
        let mut bare = *self;
        bare.exemplar = None;
        if let ValueRef::Histogram(histogram) = &mut bare.value {
            histogram.exemplars = &[];
        }
        bare
    }

    /// A sample with only a value.
    #[must_use]
    #[inline]
    pub fn new(value: ValueRef<'a>) -> Self {
        Self {
            value,
            created: None,
            exemplar: None,
        }
    }

    /// An owned copy, with the rendered labels of the series.
    #[must_use]
    pub fn to_series(self, labels: &str) -> SeriesSnapshot {
        SeriesSnapshot {
            labels: labels.into(),
            value: self.value.to_value(),
            created: self.created,
            exemplar: self.exemplar.cloned(),
        }
    }
}

/// A buffer for the parts that a sample borrows while it is read, reused between series.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) counts: Vec<u64>,
    pub(super) native: NativeBuckets,
    pub(super) exemplars: Vec<Exemplar>,
}

/// One series of a [`FamilySnapshot`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SeriesSnapshot {
    /// The labels, escaped and rendered: `method="GET",status="200"`; empty without labels.
    pub labels: Box<str>,
    /// The value.
    pub value: Value,
    /// See [`Sample::created`].
    pub created: Option<f64>,
    /// See [`Sample::exemplar`].
    pub exemplar: Option<Exemplar>,
}

impl SeriesSnapshot {
    /// A series; `labels` are pairs of name and raw value. Values are cut at 4,096 bytes here, and
    /// to the limit of their family by the registry that collects them.
    #[must_use]
    pub fn new<'a>(
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            labels: render_pairs(labels, *LABEL_LIMITS.end()).into_boxed_str(),
            value: value.into(),
            created: None,
            exemplar: None,
        }
    }

    /// Sets when the series was created, in seconds since 1970-01-01T00:00:00Z.
    /// Default: unknown.
    #[must_use]
    pub fn created(mut self, at: f64) -> Self {
        self.created = Some(at);
        self
    }

    /// Sets the exemplar of a counter. Default: none.
    #[must_use]
    pub fn exemplar(mut self, exemplar: Exemplar) -> Self {
        self.exemplar = Some(exemplar);
        self
    }

    /// Borrows the series without its labels.
    #[must_use]
    pub fn sample(&self) -> Sample<'_> {
        Sample {
            value: self.value.as_ref(),
            created: self.created,
            exemplar: self.exemplar.as_ref(),
        }
    }
}

/// All series of one metric at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilySnapshot {
    /// The definition of the metric.
    pub def: Arc<MetricDef>,
    /// Its series, in a stable order.
    pub series: Vec<SeriesSnapshot>,
}

impl FamilySnapshot {
    /// Cuts label values to `most` bytes. Of series that become equal the first is kept; returns
    /// the number of the others.
    pub(super) fn shorten(&mut self, most: usize) -> usize {
        let mut is_changed = false;
        for series in &mut self.series {
            if let Some(labels) = shortened(&series.labels, most) {
                series.labels = labels;
                is_changed = true;
            }
        }
        let before = self.series.len();
        if is_changed {
            let mut there = HashSet::new();
            self.series
                .retain(|series| there.insert(series.labels.clone()));
        }
        before - self.series.len()
    }
}

/// Renders pairs of name and raw value as between the braces, each value cut to `most` bytes.
pub(crate) fn render_pairs<'a>(
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    most: usize,
) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        escape::label_value(&mut text, cut(value, most));
        text.push('"');
    }
    text
}

/// Rendered labels with each value cut to `most` bytes, if one may be longer.
pub(super) fn shortened(text: &str, most: usize) -> Option<Box<str>> {
    // A value is at most as long as its escaped form.
    let is_long = text.len() > most && escape::labels(text).any(|(_, value)| value.len() > most);
    is_long.then(|| {
        let labels = parse_labels(text);
        let pairs = labels.iter().map(|(name, value)| (&**name, &**value));
        render_pairs(pairs, most).into()
    })
}

/// Parses rendered labels into names and raw values.
#[must_use]
pub fn parse_labels(text: &str) -> Vec<(String, String)> {
    let labels = escape::labels(text);
    labels
        .map(|(name, value)| (name.to_owned(), escape::unescape(value).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_survives_being_read_out() {
        let exemplar = Exemplar::new([("trace_id", "1")], 1.0, 2.0).unwrap();
        let series = SeriesSnapshot::new([("a", "b")], Value::Number(Number::U64(1)))
            .created(1.5)
            .exemplar(exemplar);
        assert_eq!(series.sample().to_series("a=\"b\""), series);
    }

    #[test]
    fn long_values_are_cut_in_rendered_labels() {
        let text = render_pairs([("a", "x\"y\"zzz"), ("b", "short"), ("c", "ääää")], 100);
        assert_eq!(shortened(&text, 9), None);
        assert_eq!(
            shortened(&text, 5).as_deref(),
            Some(r#"a="x\"y\"z",b="short",c="ää""#)
        );
        assert_eq!(shortened("", 5), None);
    }

    #[test]
    fn pairs_survive_rendering() {
        let pairs = [("a", "x\",b=\"y"), ("b", ""), ("c", "\\\n")];
        let back = parse_labels(&render_pairs(pairs, 16));
        let want: Vec<_> = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(back, want);
    }
}
