//! Escaping of label values and help texts, as both Prometheus text formats define it, and of
//! names.

use std::borrow::Cow;

/// Appends a label value with backslash, double quote and line feed escaped.
pub fn label_value(out: &mut String, value: &str) {
    if needs_escape(value) {
        escape(out, value, true);
    } else {
        out.push_str(value);
    }
}

/// A help text with backslash and line feed escaped (and, for OpenMetrics, the double quote too).
/// Allocates only if there are any.
#[must_use]
pub fn help(text: &str, quotes: bool) -> Cow<'_, str> {
    if !needs_escape(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    escape(&mut out, text, quotes);
    Cow::Owned(out)
}

/// Whether [`label_value`] would change `value`.
#[must_use]
pub fn needs_escape(value: &str) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // A bit for each byte that is one of the three: a byte is zero if it equals the pattern, and
    // only a zero byte borrows without having had its upper bit set. Bits above the first may be
    // wrong, which does not matter here.
    let found = |bytes: [u8; 8]| {
        let word = u64::from_le_bytes(bytes);
        let equal = |byte: u8| {
            let zero = word ^ (LOW * u64::from(byte));
            zero.wrapping_sub(LOW) & !zero
        };
        (equal(b'\\') | equal(b'"') | equal(b'\n')) & (LOW << 7)
    };
    let (chunks, rest) = value.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    chunks
        .iter()
        .fold(found(last), |all, chunk| all | found(*chunk))
        != 0
}

/// Returns the rest of a text that begins with the escaped form of `value`; `None` if it does not.
#[must_use]
pub fn strip_label_value<'t>(text: &'t [u8], value: &[u8]) -> Option<&'t [u8]> {
    value
        .iter()
        .try_fold(text, |text, byte| match replacement(*byte) {
            Some(escaped) => text.strip_prefix(escaped.as_bytes()),
            None => text.strip_prefix(&[*byte]),
        })
}

fn replacement(byte: u8) -> Option<&'static str> {
    match byte {
        b'\\' => Some("\\\\"),
        b'\n' => Some("\\n"),
        b'"' => Some("\\\""),
        _ => None,
    }
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    let mut kept = 0;
    for (at, byte) in text.bytes().enumerate() {
        let Some(replacement) = replacement(byte) else {
            continue;
        };
        if byte == b'"' && !quotes {
            continue;
        }
        out.push_str(&text[kept..at]);
        out.push_str(replacement);
        kept = at + 1;
    }
    out.push_str(&text[kept..]);
}

/// Reverses the escapes of [`label_value`]. Allocates only if there are any.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

/// The escaped value at the start of `text`, whether it has escapes, and the text after its closing
/// quote.
#[inline]
#[must_use]
pub fn first_value(text: &str) -> Option<(&str, bool, &str)> {
    let mut end = 0;
    let mut has_escapes = false;
    loop {
        let bytes = text.as_bytes().get(end..)?;
        let found = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        end += found;
        if bytes.get(found) == Some(&b'"') {
            return Some((text.get(..end)?, has_escapes, text.get(end + 1..)?));
        }
        // Whatever follows is escaped.
        (end, has_escapes) = (end + 2, true);
    }
}

/// Iterates over the names and escaped values of rendered labels, as they stand between the braces.
/// Ends at the first malformed label.
pub fn labels(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, value, more) = first_label(rest)?;
        rest = more.strip_prefix(',').unwrap_or(more);
        Some((name, value))
    })
}

/// The name and value of the first rendered label, and the text after its closing quote.
#[must_use]
pub fn first_label(text: &str) -> Option<(&str, &str, &str)> {
    let (name, tail) = text.split_at_checked(text.bytes().position(|byte| byte == b'=')?)?;
    let tail = tail.strip_prefix("=\"")?;
    let (value, _, rest) = first_value(tail)?;
    Some((name, value, rest))
}

/// Metric names may contain colons, label names may not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOf {
    Metric,
    Label,
}

/// Whether every format can write the name without quotes.
pub(crate) fn is_plain(name: &str, of: NameOf) -> bool {
    // In a metric's name, or else the same as without.
    let colon = if of == NameOf::Metric { b':' } else { b'_' };
    // Without an early end, and in bytes, so that many are compared at once.
    let odd = name.bytes().fold(0, |odd, byte| {
        let fits = byte.is_ascii_alphanumeric() || byte == b'_' || byte == colon;
        odd | u8::from(!fits)
    });
    odd == 0 && name.starts_with(|first: char| !first.is_ascii_digit())
}

/// Whether an unquoted name may have this character at this position.
pub(crate) fn fits(c: char, at: usize, of: NameOf) -> bool {
    c.is_ascii_alphabetic()
        || c == '_'
        || (c == ':' && of == NameOf::Metric)
        || (c.is_ascii_digit() && at > 0)
}

/// Replaces each character that is not allowed with `_`, as scrapers do.
pub(crate) fn underscores(name: &str, of: NameOf) -> Cow<'_, str> {
    if is_plain(name, of) {
        return Cow::Borrowed(name);
    }
    let shown = |(at, c)| if fits(c, at, of) { c } else { '_' };
    name.char_indices().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_takes_them_back() {
        for value in ["", "plain", "a\"b", "a\\nb", "a\nb", "\\", "ä\"\n\\", "\0"] {
            let mut out = String::new();
            label_value(&mut out, value);
            assert_eq!(needs_escape(value), out != value);
            assert!(!out.contains('\n'));
            assert_eq!(unescape(&out), value);
            out.push_str("\" more");
            assert_eq!(
                strip_label_value(out.as_bytes(), value.as_bytes()),
                Some(&b"\" more"[..])
            );
            assert_eq!(strip_label_value(out.as_bytes(), b"other"), None);
        }
    }
}
