//! Splits the samples of a page in one of Prometheus's text formats.

use super::escape::{self, NameOf};

/// Splits the text after a `#`: `HELP` or `TYPE`, the metric, and the rest. `None` if it is another
/// comment.
pub(crate) fn head_line(comment: &str) -> Option<(&str, &str, Option<&str>)> {
    let mut words = comment.splitn(3, ' ');
    let keyword = words
        .next()
        .filter(|word| ["HELP", "TYPE"].contains(word))?;
    Some((keyword, words.next()?, words.next()))
}

/// A line with a sample. Its names are plain, and its labels are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleLine<'a> {
    pub(crate) name: &'a str,
    /// The text between the braces.
    pub(crate) labels: &'a str,
    /// The value, and what follows it: a time, an exemplar.
    pub(crate) rest: &'a str,
}

impl<'a> SampleLine<'a> {
    /// Splits a line; `None` if it is not a sample.
    pub(crate) fn split(line: &'a str) -> Option<Self> {
        let end = line.find(['{', ' '])?;
        let (name, tail) = line.split_at(end);
        let (labels, rest) = match tail.strip_prefix('{') {
            Some(inside) => {
                let mut rest = inside;
                while !rest.starts_with('}') {
                    let (label, _, more) = escape::first_label(rest)?;
                    if !escape::is_plain(label, NameOf::Label) {
                        return None;
                    }
                    rest = more.strip_prefix(',').unwrap_or(more);
                }
                let labels = inside.get(..inside.len() - rest.len())?;
                (labels.trim_end_matches(','), rest.strip_prefix('}')?)
            }
            None => ("", tail),
        };
        let rest = rest.strip_prefix(' ')?;
        escape::is_plain(name, NameOf::Metric).then_some(Self { name, labels, rest })
    }

    /// The value.
    pub(crate) fn value(&self) -> Option<f64> {
        self.rest.split(' ').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_and_nothing_torn_is_a_sample() {
        let line = r#"jobs_total{queue="a,b}\" ",} 3 17 # {} 1"#;
        let whole = SampleLine::split(line).unwrap();
        assert_eq!(whole.name, "jobs_total");
        assert_eq!(whole.labels, r#"queue="a,b}\" ""#);
        assert_eq!((whole.rest, whole.value()), ("3 17 # {} 1", Some(3.0)));
        assert_eq!(
            SampleLine::split("up +Inf").unwrap().value(),
            Some(f64::INFINITY)
        );
        let end = line.find("} 3").unwrap() + 2;
        for end in 0..end {
            assert_eq!(SampleLine::split(&line[..end]), None, "cut at {end}");
        }
        for wrong in ["a-b 1", "a{1b=\"\"} 1", "a{b=\"\"}1", "{b=\"\"} 1", "a"] {
            assert_eq!(SampleLine::split(wrong), None, "{wrong}");
        }
        assert_eq!(SampleLine::split("a none").unwrap().value(), None);
    }
}
