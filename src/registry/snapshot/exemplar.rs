use std::sync::Arc;

use crate::catalog::names;
use crate::util::escape;

/// The maximum number of characters in the names and values of an exemplar's labels together
/// (OpenMetrics 1.0, section "Exemplars").
pub const MAX_EXEMPLAR: usize = 128;

/// An observation with labels of its own, which link a metric to an event: usually a trace id.
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    labels: Arc<str>,
    /// The observed value, or the increment of the counter.
    pub value: f64,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub at: f64,
}

impl Exemplar {
    /// An exemplar; `labels` are pairs of name and raw value, `at` is the time in seconds since
    /// 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// The labels break a rule; see [`InvalidExemplar`].
    pub fn new<'l>(
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
        at: f64,
    ) -> Result<Self, InvalidExemplar> {
        let mut all = ExemplarLabels::default();
        for (name, label) in labels {
            all.push(name, label);
        }
        all.finish(value, at)
    }

    /// The labels, escaped and rendered like those of a series: `trace_id="4bf92f35"`.
    #[must_use]
    pub fn labels(&self) -> &str {
        &self.labels
    }
}

/// Why labels give no exemplar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidExemplar {
    /// An invalid label name.
    #[error("a label name of an exemplar {0}")]
    Name(&'static str),
    /// Two labels have the same name.
    #[error("an exemplar has a label twice")]
    Twice,
    /// More than [`MAX_EXEMPLAR`] characters.
    #[error("the labels of an exemplar have more than 128 characters")]
    TooLong,
}

/// The labels of an exemplar under construction.
#[derive(Debug, Default)]
pub struct ExemplarLabels {
    text: String,
    characters: usize,
    problem: Option<InvalidExemplar>,
}

impl ExemplarLabels {
    /// Adds a label. Names follow the rules for label names; names and values together have at most
    /// [`MAX_EXEMPLAR`] characters. A label that breaks a rule makes the exemplar invalid.
    pub fn push(&mut self, name: &str, value: &str) {
        if self.problem.is_none()
            && let Err(problem) = self.try_push(name, value)
        {
            self.problem = Some(problem);
        }
    }

    fn try_push(&mut self, name: &str, value: &str) -> Result<(), InvalidExemplar> {
        names::label(name).map_err(InvalidExemplar::Name)?;
        // Texts far beyond the limit are rejected before their characters are counted.
        if name.len().saturating_add(value.len()) > 4 * MAX_EXEMPLAR {
            return Err(InvalidExemplar::TooLong);
        }
        self.characters += name.len() + value.chars().count();
        if self.characters > MAX_EXEMPLAR {
            return Err(InvalidExemplar::TooLong);
        }
        let mut there = super::parse_labels(&self.text).into_iter();
        if there.any(|(known, _)| known == name) {
            return Err(InvalidExemplar::Twice);
        }
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape::label_value(&mut self.text, value);
        self.text.push('"');
        Ok(())
    }

    /// Whether none was pushed.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.problem.is_none()
    }

    pub(crate) fn finish(self, value: f64, at: f64) -> Result<Exemplar, InvalidExemplar> {
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(Exemplar {
                labels: self.text.into(),
                value,
                at,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Result<String, InvalidExemplar> {
        let exemplar = Exemplar::new(pairs.iter().copied(), 0.5, 1.0)?;
        Ok(exemplar.labels().to_owned())
    }

    #[test]
    fn labels_are_rendered_as_those_of_a_series() {
        assert_eq!(labels(&[]), Ok(String::new()));
        let pairs = [("trace_id", "4b\"f"), ("span_id", "a\\\n")];
        let text = labels(&pairs).unwrap();
        assert_eq!(text, r#"trace_id="4b\"f",span_id="a\\\n""#);
        let back = super::super::parse_labels(&text);
        assert!(back.iter().map(|(n, v)| (&**n, &**v)).eq(pairs));
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let long = "ä".repeat(MAX_EXEMPLAR - 1);
        assert!(labels(&[("a", &long)]).is_ok());
        assert_eq!(labels(&[("ab", &long)]), Err(InvalidExemplar::TooLong));
        assert_eq!(
            labels(&[("a", &long), ("b", "")]),
            Err(InvalidExemplar::TooLong),
            "the limit is on all labels together"
        );
        let endless = "x".repeat(10 * MAX_EXEMPLAR);
        assert_eq!(labels(&[("a", &endless)]), Err(InvalidExemplar::TooLong));
    }

    #[test]
    fn names_follow_the_rules() {
        for name in ["", "trace-id", "1", "__name__", "le"] {
            assert!(
                matches!(labels(&[(name, "x")]), Err(InvalidExemplar::Name(_))),
                "{name:?}"
            );
        }
        assert_eq!(
            labels(&[("a", "1"), ("b", ",a=\""), ("a", "2")]),
            Err(InvalidExemplar::Twice)
        );
    }
}
