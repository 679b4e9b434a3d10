//! Labels as fields of a metric.

use super::wire;
use crate::util::escape;

/// The label names of a family, in order, encoded once for all series.
#[derive(Debug)]
pub(super) struct Names(Vec<Name>);

#[derive(Debug)]
struct Name {
    /// `method="`, as it precedes a value.
    text: String,
    /// The field of a label with its name.
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
            let tail = text.strip_prefix(&*name.text);
            let Some((value, has_escapes, rest)) = tail.and_then(escape::first_value) else {
                break;
            };
            if has_escapes {
                label(buf, &name.field, &escape::unescape(value));
            } else {
                label(buf, &name.field, value);
            }
            text = rest.strip_prefix(',').unwrap_or(rest);
        }
        // The rest, if the labels are not the expected ones.
        fields(buf, escape::labels(text));
    }
}

/// Writes labels whose values are still escaped.
pub(super) fn fields<'a>(buf: &mut Vec<u8>, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut field = Vec::new();
    for (name, value) in pairs {
        field.clear();
        wire::string(&mut field, 1, name);
        label(buf, &field, &escape::unescape(value));
    }
}

fn label(buf: &mut Vec<u8>, name: &[u8], value: &str) {
    let length = name.len() + wire::string_length(value);
    buf.reserve(length + wire::LONGEST_HEAD);
    wire::message_of(buf, 1, length);
    buf.extend_from_slice(name);
    wire::string(buf, 2, value);
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
            fields(&mut slow, escape::labels(text));
            assert_eq!(quick, slow, "{text}");
        }
    }
}
