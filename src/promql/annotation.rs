use std::fmt;

use super::error::Place;

/// The severity of an [`Annotation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Informational; the result is probably as intended.
    Info,
    /// Part of the result was dropped or is probably wrong.
    Warning,
}

/// A remark on a result: what was dropped or corrected, and the part of the expression concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The severity.
    pub severity: Severity,
    /// The message, worded as in Prometheus.
    pub message: String,
    /// The part of the expression.
    pub place: Place,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
        };
        write!(f, "PromQL {severity}: {} ({})", self.message, self.place)
    }
}
