use std::borrow::Cow;
use std::fmt;

use crate::util::escape;

/// The labels of a series, as passed to [`Family::retain`](super::Family::retain).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SeriesLabels<'a>(&'a str);

impl<'a> SeriesLabels<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The labels as exposed: `method="GET",status="200"`, values escaped.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The value of the label with this name. Allocates only if the value has an escape.
    ///
    /// ```
    /// # use selfheal::registry::{Counter, Family, Registry, Text};
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// # let sent: Family<Counter, [Text; 2]> =
    /// #     Registry::new().counter("sent_total", "Sent").labels(["customer", "kind"])?;
    /// # sent.inc(&["c-17", "mail"]);
    /// # sent.inc(&["c-18", "mail"]);
    /// // A customer has left.
    /// let gone = sent.remove_matching(|labels| labels.get("customer").as_deref() == Some("c-17"));
    /// assert_eq!(gone, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(there, _)| *there == name)
            .map(|(_, value)| value)
    }

    /// Names and values, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        escape::labels(self.0).map(|(name, value)| (name, escape::unescape(value)))
    }
}

impl fmt::Debug for SeriesLabels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::snapshot::render_pairs;

    #[test]
    fn labels_are_read_back() {
        let pairs = [("a", "x\",b=\"y"), ("b", ""), ("c", "\\\n"), ("d", "plain")];
        let text = render_pairs(pairs, 100);
        let labels = SeriesLabels::new(&text);
        assert!(
            labels
                .iter()
                .eq(pairs.map(|(name, value)| (name, Cow::Borrowed(value))))
        );
        assert_eq!(labels.get("c").as_deref(), Some("\\\n"));
        assert!(matches!(labels.get("d"), Some(Cow::Borrowed("plain"))));
        assert_eq!(labels.get("e"), None);
        assert_eq!(SeriesLabels::new("").iter().count(), 0);
    }
}
