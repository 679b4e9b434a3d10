use std::fmt;

use super::error::Place;

/// How much an [`Annotation`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the result is probably what was meant.
    Info,
    /// Something was left out of the result, or is probably wrong.
    Warning,
}

/// A remark on a result: what was left out or repaired, and which part of the expression it is
/// about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How much it matters.
    pub severity: Severity,
    /// In the words of Prometheus, for those who search for them.
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
