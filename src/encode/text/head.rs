//! The lines of series in both text formats.

use std::borrow::Cow;

use super::{exemplar, number};
use crate::encode::escaping::NameOf;
use crate::encode::labels::quoted;
use crate::registry::{Exemplar, Number};

/// The line prefixes of one sample name, rendered once for all its series.
#[derive(Debug)]
pub(super) struct Head {
    /// `name{env="production",`: the labels of a series follow.
    labelled: Vec<u8>,
    /// `name{env="production"} `: for the series without labels of its own.
    bare: Vec<u8>,
}

impl Head {
    /// The prefixes of samples named `name` + `suffix` with the rendered labels `globals`. A name
    /// that needs quotes goes into the braces.
    pub(super) fn new(name: &str, suffix: &str, globals: &str) -> Self {
        let name = [name, suffix].concat();
        let shown = quoted(&name, NameOf::Metric);
        let plain = matches!(shown, Cow::Borrowed(_));
        let mut labelled = if plain {
            [&*name, "{"].concat()
        } else {
            ["{", &*shown, ","].concat()
        };
        if !globals.is_empty() {
            labelled.push_str(globals);
            labelled.push(',');
        }
        let bare = if plain && globals.is_empty() {
            [&*name, " "].concat()
        } else {
            [labelled.strip_suffix(',').unwrap_or(&labelled), "} "].concat()
        };
        Self {
            labelled: labelled.into_bytes(),
            bare: bare.into_bytes(),
        }
    }

    /// Writes a line up to the value.
    #[inline]
    pub(super) fn write(&self, buf: &mut Vec<u8>, labels: &str) {
        if labels.is_empty() {
            buf.extend_from_slice(&self.bare);
        } else {
            buf.reserve(self.labelled.len() + labels.len() + LONGEST_VALUE);
            buf.extend_from_slice(&self.labelled);
            buf.extend_from_slice(labels.as_bytes());
            buf.extend_from_slice(b"} ");
        }
    }

    /// Writes a line up to the exposition's own label; the text of that label begins with a comma,
    /// which the caller omits after a `{`.
    pub(super) fn write_open(&self, buf: &mut Vec<u8>, labels: &str) {
        if labels.is_empty() {
            let end = self.labelled.strip_suffix(b",");
            buf.extend_from_slice(end.unwrap_or(&self.labelled));
        } else {
            buf.extend_from_slice(&self.labelled);
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
