//! The lines of series in both text formats.

use super::{exemplar, number};
use crate::encode::escaping::{NameOf, is_plain};
use crate::encode::labels::quoted;
use crate::registry::{Exemplar, Number};

/// The line prefix of one sample name, rendered once for all its series:
/// `name{env="production",`, after which the labels of a series follow.
#[derive(Debug)]
pub(super) struct Head(Vec<u8>);

impl Head {
    /// The prefix of samples named `name` + `suffix` with the rendered labels `globals`. A name that
    /// needs quotes goes into the braces.
    pub(super) fn new(name: &str, suffix: &str, globals: &str) -> Self {
        let comma = if globals.is_empty() { "" } else { "," };
        let text = if is_plain(name, NameOf::Metric) {
            [name, suffix, "{", globals, comma].concat()
        } else {
            let name = [name, suffix].concat();
            ["{", &*quoted(&name, NameOf::Metric), ",", globals, comma].concat()
        };
        Self(text.into_bytes())
    }

    /// Writes a line up to the value.
    #[inline]
    pub(super) fn write(&self, buf: &mut Vec<u8>, labels: &str) {
        if labels.is_empty() {
            self.write_bare(buf);
        } else {
            buf.reserve(self.0.len() + labels.len() + LONGEST_VALUE);
            buf.extend_from_slice(&self.0);
            buf.extend_from_slice(labels.as_bytes());
            buf.extend_from_slice(b"} ");
        }
    }

    /// Writes a line of the series without labels of its own up to the value: `name ` or
    /// `name{env="production"} `.
    fn write_bare(&self, buf: &mut Vec<u8>) {
        if let Some(name) = self.0.strip_suffix(b"{") {
            buf.extend_from_slice(name);
            buf.push(b' ');
        } else {
            self.write_open(buf, "");
            buf.extend_from_slice(b"} ");
        }
    }

    /// Writes a line up to the exposition's own label; the text of that label begins with a comma,
    /// which the caller omits after a `{`.
    pub(super) fn write_open(&self, buf: &mut Vec<u8>, labels: &str) {
        if labels.is_empty() {
            buf.extend_from_slice(self.0.strip_suffix(b",").unwrap_or(&self.0));
        } else {
            buf.extend_from_slice(&self.0);
            buf.extend_from_slice(labels.as_bytes());
        }
    }
}

/// The longest text after the labels of a line: brace, space, number and line feed.
const LONGEST_VALUE: usize = 32;

/// Writes the single line of a counter, a gauge, an info or a metric of unknown kind.
#[inline]
pub(super) fn sample(
    buf: &mut Vec<u8>,
    head: &Head,
    labels: &str,
    number: Number,
    exemplar: Option<&Exemplar>,
) {
    head.write(buf, labels);
    number::value(buf, number);
    if let Some(exemplar) = exemplar {
        exemplar::exemplar(buf, exemplar);
    }
    buf.push(b'\n');
}
