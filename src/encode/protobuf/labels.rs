//! Labels as fields of a metric.

use std::borrow::Cow;

use super::wire;
use crate::encode::labels::pairs;
use crate::util::escape;

/// The names of the labels that every series of a family has, in their order, made once for all
/// series.
#[derive(Debug)]
pub(super) struct Names(Vec<Name>);

#[derive(Debug)]
struct Name {
    /// `method="`, as it stands before a value.
    text: String,
    /// The field of a label that holds the name.
    field: Vec<u8>,
}

impl Names {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let name = |name: &str| {
            let mut field = Vec::new();
            wire::string(&mut field, 1, name);
            Name {
                text: format!("{name}=\""),
                field,
            }
        };
        Self(names.into_iter().map(name).collect())
    }

    /// Writes rendered labels.
    pub(super) fn write(&self, buf: &mut Vec<u8>, mut text: &str) {
        for name in &self.0 {
            let Some(tail) = text.strip_prefix(&*name.text) else {
                break;
            };
            let (value, escaped, rest) = split(tail);
            label(buf, &name.field, &raw(value, escaped));
            text = rest;
        }
        // Nothing, unless the labels are others.
        fields(buf, pairs(text));
    }
}

/// Writes labels whose values are still escaped.
pub(super) fn fields<'a>(buf: &mut Vec<u8>, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut field = Vec::new();
    for (name, value) in pairs {
        field.clear();
        wire::string(&mut field, 1, name);
        label(buf, &field, &raw(value, true));
    }
}

fn label(buf: &mut Vec<u8>, name: &[u8], value: &str) {
    let length = name.len() + wire::string_length(value);
    buf.reserve(length + wire::LONGEST_HEAD);
    wire::message_of(buf, 1, length);
    buf.extend_from_slice(name);
    wire::string(buf, 2, value);
}

/// The escaped value at the beginning of a text, whether it has escapes, and the labels behind.
#[inline]
fn split(text: &str) -> (&str, bool, &str) {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    let end = end.unwrap_or(text.len());
    let escaped = bytes.get(end) == Some(&b'\\');
    let end = if escaped {
        escape::value_end(text)
    } else {
        end
    };
    let (value, rest) = text.split_at(end);
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    (value, escaped, rest.strip_prefix(',').unwrap_or(rest))
}

fn raw(value: &str, escaped: bool) -> Cow<'_, str> {
    if escaped && value.contains('\\') {
        Cow::Owned(escape::unescape(value))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_and_others_come_to_the_same() {
        let names = Names::new(["a", "b_c"]);
        for text in [
            "",
            r#"a="",b_c="""#,
            r#"a="x\"\\,b_c=\"",b_c="ä\n""#,
            r#"a="x",b_c="y",d="z""#,
            r#"b_c="x",a="y""#,
            r#"a="x""#,
        ] {
            let (mut quick, mut slow) = (Vec::new(), Vec::new());
            names.write(&mut quick, text);
            fields(&mut slow, pairs(text));
            assert_eq!(quick, slow, "{text}");
        }
    }
}
