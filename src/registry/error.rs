use crate::catalog::MetricDef;

/// Why a metric could not be declared. Every variant names the metric, or the layer that would have
/// none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclareError {
    /// The name, its suffix, its unit or its buckets break a rule.
    #[error("metric {name:?} {problem}; change its declaration")]
    Metric {
        /// The metric as declared.
        name: String,
        /// What is wrong, following the name.
        problem: &'static str,
    },
    /// A label name breaks a rule.
    #[error("label {label:?} of metric {name:?} {problem}; rename the label")]
    Label {
        /// The metric as declared.
        name: String,
        /// The label.
        label: String,
        /// What is wrong, following the label.
        problem: &'static str,
    },
    /// The name is taken by a metric that differs.
    #[error(
        "metric {wanted} cannot be declared: {existing} has the name and differs in {difference}; \
         declare both alike or rename one"
    )]
    Clash {
        /// What is registered.
        existing: Box<MetricDef>,
        /// What was asked for.
        wanted: Box<MetricDef>,
        /// In what they differ: kind, labels, unit, namespace or buckets.
        difference: &'static str,
    },
    /// A sample would have the name of another metric or of a sample of it: `job_seconds_count` is
    /// a sample of the histogram `job_seconds`.
    #[error(
        "metric {wanted} cannot be declared: it and {existing} would have a sample of one name; \
         rename one"
    )]
    Samples {
        /// What is registered.
        existing: Box<MetricDef>,
        /// What was asked for.
        wanted: Box<MetricDef>,
    },
    /// A name would be that of one metric and, by a profile that is on, of another.
    #[error(
        "metric {wanted} cannot be declared: it and {existing} would both be exposed as {name:?}, \
         one of them by an alias; rename one, or switch the profile off"
    )]
    Alias {
        /// The name, as exposed.
        name: String,
        /// What is registered.
        existing: Box<MetricDef>,
        /// What was asked for.
        wanted: Box<MetricDef>,
    },
    /// A layer was given no set of names, and would record nothing in silence.
    #[error(
        "the {layer} has no set of names to record under; give its `names` at least one, or do not \
         call it, which leaves the default"
    )]
    NoNames {
        /// Which layer.
        layer: &'static str,
    },
}
