use crate::catalog::MetricDef;

/// Why a metric could not be declared. Every variant names the metric, or the layer without one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclareError {
    /// The name, its suffix, its unit or its buckets break a rule.
    #[error("metric {name:?} {problem}; change its declaration")]
    Metric {
        /// The metric as declared.
        name: String,
        /// The problem, phrased to follow the name.
        problem: &'static str,
    },
    /// A label name breaks a rule.
    #[error("label {label:?} of metric {name:?} {problem}; rename the label")]
    Label {
        /// The metric as declared.
        name: String,
        /// The label.
        label: String,
        /// The problem, phrased to follow the label.
        problem: &'static str,
    },
    /// The name is taken by a different metric.
    #[error(
        "metric {wanted} cannot be declared: {existing} has the same name and differs in \
         {difference}; declare both alike or rename one"
    )]
    Clash {
        /// The registered metric.
        existing: Box<MetricDef>,
        /// The requested metric.
        wanted: Box<MetricDef>,
        /// The difference: kind, labels, unit, namespace or buckets.
        difference: &'static str,
    },
    /// A sample would have the name of another metric or of a sample of it: `job_seconds_count` is
    /// a sample of the histogram `job_seconds`.
    #[error(
        "metric {wanted} cannot be declared: it and {existing} would have samples of the same \
         name; rename one"
    )]
    Samples {
        /// The registered metric.
        existing: Box<MetricDef>,
        /// The requested metric.
        wanted: Box<MetricDef>,
    },
    /// An enabled profile would give two metrics the same name.
    #[error(
        "metric {wanted} cannot be declared: it and {existing} would both be exposed as {name:?}, \
         one of them by an alias; rename one, or switch the profile off"
    )]
    Alias {
        /// The exposed name.
        name: String,
        /// The registered metric.
        existing: Box<MetricDef>,
        /// The requested metric.
        wanted: Box<MetricDef>,
    },
    /// A layer has no set of names, and would silently record nothing.
    #[error(
        "the {layer} has no set of metric names; pass at least one to `names`, or do not call it, \
         to use the default"
    )]
    NoNames {
        /// The layer.
        layer: &'static str,
    },
}
