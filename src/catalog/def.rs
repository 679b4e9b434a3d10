use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::alias::Alias;
use super::native::Native;
use crate::util::Printable;

/// The type of a metric, named as in Prometheus and OpenMetrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A sum that only increases; its name ends in `_total`.
    Counter,
    /// A value that can increase and decrease.
    Gauge,
    /// Observations counted by buckets.
    Histogram,
    /// Text about the service as labels of a series whose value is always 1; ends in `_info`.
    Info,
    /// The current state out of a closed set, each as a series with the value 0 or 1 and a label
    /// that has the name of the metric.
    StateSet,
    /// Quantiles computed elsewhere; only passed through from another library.
    Summary,
    /// A value of unknown meaning; only passed through from another library.
    Unknown,
}

impl Kind {
    /// The word after `# TYPE` in the Prometheus text format 0.0.4, where an info metric and
    /// a state set are gauges.
    #[must_use]
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge | Self::Info | Self::StateSet => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown => "untyped",
        }
    }

    /// The word after `# TYPE` in OpenMetrics 1.0.
    #[must_use]
    pub fn as_openmetrics(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_openmetrics())
    }
}

/// The unit of a metric, which is also the last word of its name (before `_total`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit(&'static str);

impl Unit {
    /// Seconds.
    pub const SECONDS: Self = Self("seconds");
    /// Bytes.
    pub const BYTES: Self = Self("bytes");
    /// A share, 0 to 1.
    pub const RATIO: Self = Self("ratio");
    /// A share, 0 to 100. Ratios are the base unit; this is for names already in use by dashboards.
    pub const PERCENT: Self = Self("percent");
    /// United States dollars.
    pub const USD: Self = Self("usd");

    const KNOWN: [Self; 5] = [
        Self::SECONDS,
        Self::BYTES,
        Self::RATIO,
        Self::PERCENT,
        Self::USD,
    ];

    /// A custom unit, for example `"celsius"`.
    #[must_use]
    pub const fn other(name: &'static str) -> Self {
        Self(name)
    }

    /// The unit as it is written, for example `seconds`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The unit that `name` ends in, if it is one of the constants of this type.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|unit| unit.ends(name))
    }

    /// Whether `name`, without `_total`, ends in this unit.
    pub(crate) fn ends(self, name: &str) -> bool {
        name.strip_suffix("_total")
            .unwrap_or(name)
            .strip_suffix(self.0)
            .is_some_and(|rest| rest.ends_with('_'))
    }
}

/// The allowed values of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allowed {
    /// Only these. Unless the type of the label ensures that, any other is recorded as [`OTHER`]
    /// and counted.
    These(Vec<Cow<'static, str>>),
    /// The first distinct values up to this number; each further one is recorded as [`OTHER`] and
    /// counted.
    First(usize),
}

impl Allowed {
    /// Allows only these values.
    #[must_use]
    pub fn these<V: Into<Cow<'static, str>>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::These(values.into_iter().map(Into::into).collect())
    }
}

/// The value recorded for all others than the allowed ones; see [`Allowed`].
pub const OTHER: &str = "other";

/// The declaration of one metric, used by the exposition, the catalogue and everything generated
/// from it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricDef {
    /// The full name as declared, without the namespace: `http_requests_total`.
    pub name: Cow<'static, str>,
    /// A one-sentence description.
    pub help: Cow<'static, str>,
    /// The type.
    pub kind: Kind,
    /// The unit, if the name ends in one.
    pub unit: Option<Unit>,
    /// The names of the labels, in the order of their values.
    pub labels: Vec<Cow<'static, str>>,
    /// The allowed values of labels, by name, if bounded beforehand.
    pub allowed: BTreeMap<Cow<'static, str>, Allowed>,
    /// Other names, which profiles enable.
    pub aliases: Vec<Alias>,
    /// The upper bounds of a histogram's classic buckets, without `+Inf`; empty for another kind,
    /// and for a histogram that has only native buckets.
    pub buckets: Vec<f64>,
    /// The native buckets of a histogram, if any.
    pub native: Option<Native>,
    /// The group that declared it; empty for a metric on its own.
    pub group: &'static str,
    /// Whether the namespace is prepended to the name; false for standardised names, such as
    /// `process_cpu_seconds_total`.
    pub namespaced: bool,
    /// Whether the names of the metric and its labels may have characters other than
    /// `a-z A-Z 0-9 _`; see [`utf8_names`](Self::utf8_names).
    pub utf8: bool,
}

impl MetricDef {
    /// A definition without labels, unit and group. It is checked at registration.
    #[must_use]
    pub fn new(
        kind: Kind,
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        Self {
            unit: Unit::of_name(&name),
            name,
            help: help.into(),
            kind,
            labels: Vec::new(),
            allowed: BTreeMap::new(),
            aliases: Vec::new(),
            buckets: Vec::new(),
            native: None,
            group: "",
            namespaced: true,
            utf8: false,
        }
    }

    /// Sets the label names. Default: none.
    #[must_use]
    pub fn with_labels<L>(mut self, labels: impl IntoIterator<Item = L>) -> Self
    where
        L: Into<Cow<'static, str>>,
    {
        self.labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the allowed values of a label. Default: any.
    #[must_use]
    pub fn allow(mut self, label: impl Into<Cow<'static, str>>, allowed: Allowed) -> Self {
        self.allowed.insert(label.into(), allowed);
        self
    }

    /// Adds another name, which a profile enables. Default: none.
    #[must_use]
    pub fn alias(mut self, alias: Alias) -> Self {
        self.aliases.push(alias);
        self
    }

    /// Sets the upper bounds of a histogram's buckets, without `+Inf`. Default: none; a histogram
    /// needs some.
    #[must_use]
    pub fn with_buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = bounds.into_iter().collect();
        self
    }

    /// Omits the namespace from the name. Default: the namespace is prepended.
    #[must_use]
    pub fn standard_name(mut self) -> Self {
        self.namespaced = false;
        self
    }

    /// Allows any UTF-8 names for the metric and its labels, such as OpenTelemetry's `http.route`,
    /// without control characters and `" , = { } \ :`. Default: letters, digits and underscores,
    /// which every scraper reads.
    ///
    /// A scraper that does not request UTF-8, like Prometheus before version 3, gets each such name
    /// [escaped](crate::encode::Escaping).
    #[must_use]
    pub fn utf8_names(mut self) -> Self {
        self.utf8 = true;
        self
    }

    /// The name with this namespace, if it takes one.
    pub(crate) fn name_in(&self, namespace: &str) -> Cow<'_, str> {
        if namespace.is_empty() || !self.namespaced {
            Cow::Borrowed(&self.name)
        } else {
            Cow::Owned(format!("{namespace}_{}", self.name))
        }
    }

    /// The difference between two definitions of one name that matters to readers of the series, or
    /// `None` if both may share the series. Help may differ.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.kind != other.kind {
            Some("kind")
        } else if self.labels != other.labels {
            Some("labels")
        } else if self.unit != other.unit {
            Some("unit")
        } else if self.namespaced != other.namespaced {
            Some("namespace")
        } else if self.buckets != other.buckets {
            Some("buckets")
        } else if self.native != other.native {
            Some("native buckets")
        } else {
            None
        }
    }
}

impl fmt::Display for MetricDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}{{{}}}",
            self.kind,
            Printable(&self.name),
            Printable(self.labels.join(","))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_read_from_the_name() {
        let unit = |name: &'static str| MetricDef::new(Kind::Gauge, name, "").unit;
        assert_eq!(unit("llm_cost_usd_total"), Some(Unit::USD));
        assert_eq!(unit("http_request_size_bytes"), Some(Unit::BYTES));
        assert_eq!(unit("http_requests_total"), None);
        assert_eq!(unit("seconds"), None, "a bare unit is a name, not a suffix");
    }

    #[test]
    fn help_may_differ_and_labels_may_not() {
        let one = MetricDef::new(Kind::Gauge, "a", "one").with_labels(["x"]);
        let mut two = MetricDef::new(Kind::Gauge, "a", "two").with_labels(["x"]);
        assert_eq!(one.difference(&two), None);
        two.labels.clear();
        assert_eq!(one.difference(&two), Some("labels"));
    }
}
