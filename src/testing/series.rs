use std::fmt;

use crate::util::{Printable, distance, escape};

/// The key of a sample: its name and its sorted labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) name: String,
    labels: Vec<(String, String)>,
}

impl Series {
    pub(super) fn new(name: String, mut labels: Vec<(String, String)>) -> Self {
        labels.sort_unstable();
        Self { name, labels }
    }

    pub(super) fn of(name: &str, labels: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::new(name.to_owned(), labels.iter().map(owned).collect())
    }

    /// Whether it has all these labels.
    pub(super) fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| {
            let mut own = self.labels.iter();
            own.any(|(own_name, own_value)| own_name == name && own_value == value)
        })
    }

    /// The edit distance to another series. A difference in the name counts double, so that any
    /// series of the right metric ranks high.
    pub(super) fn distance(&self, other: &Self) -> usize {
        2 * distance(&self.name, &other.name)
            + distance(&self.labels_as_text(), &other.labels_as_text())
    }

    fn labels_as_text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.labels {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            escape::label_value(&mut text, value);
            text.push('"');
        }
        text
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.labels.is_empty() {
            return write!(f, "{}", Printable(&self.name));
        }
        let (name, labels) = (&self.name, self.labels_as_text());
        write!(f, "{}{{{}}}", Printable(name), Printable(labels))
    }
}
