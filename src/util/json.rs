//! JSON that is safe to print on a terminal: control characters that JSON allows are escaped as
//! well, which every parser reverses.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::printable;

/// Appends a value as single-line JSON.
pub(crate) fn write_json(out: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Plain))
}

/// A text in double quotes, with the escapes that JSON, YAML and PromQL share.
#[cfg(feature = "rules")]
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for (visible, hidden) in printable::pieces(fragment) {
            out.write_all(visible.as_bytes())?;
            if let Some(hidden) = hidden {
                for unit in hidden.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_holds_no_control_character() {
        for text in [
            "a\n\u{1b}[31m",
            "\u{7f}\u{9b}",
            "\u{202e}ä\u{e0001}\"\\",
            "plain",
        ] {
            let mut out = Vec::new();
            write_json(&mut out, &[text]).unwrap();
            let back: Vec<String> = serde_json::from_slice(&out).unwrap();
            assert_eq!(back, [text]);
            let written = String::from_utf8(out).unwrap();
            assert_eq!(printable::Printable(&written).to_string(), written);
        }
    }
}
