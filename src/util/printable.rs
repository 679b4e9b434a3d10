//! Escapes untrusted text for a terminal, a log or a page.

use std::fmt::{self, Write};

/// Displays a value with every control character escaped, including line breaks, so that untrusted
/// text stays on one line of a log and cannot control a terminal.
///
/// Control characters are those of ASCII and Latin-1, bidirectional formatting characters and
/// zero-width ones; they are written as in Rust, `\n` or `\u{202e}`. All other text is unchanged,
/// including backslashes.
///
/// ```
/// use selfheal::util::Printable;
///
/// let name = "db\n\u{1b}[31mERROR";
/// assert_eq!(Printable(name).to_string(), "db\\n\\u{1b}[31mERROR");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<T>(pub T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (visible, hidden) in pieces(text) {
            self.0.write_str(visible)?;
            if let Some(hidden) = hidden {
                write!(self.0, "{}", hidden.escape_default())?;
            }
        }
        Ok(())
    }
}

/// Splits a text into printable pieces, each with the control character that ends it.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive(is_control).map(|piece| {
        let last = piece.chars().next_back().filter(|last| is_control(*last));
        let visible = piece.len() - last.map_or(0, char::len_utf8);
        (&piece[..visible], last)
    })
}

fn is_control(c: char) -> bool {
    // All others are beyond ASCII, which is rare.
    c.is_ascii_control() || !c.is_ascii() && is_hidden(c)
}

/// Whether this is a non-ASCII character of the categories `Cc` or `Cf` that text can do without,
/// or a line or paragraph separator.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        for (raw, shown) in [
            ("", ""),
            (
                "plain ä 漢 😀 \\n \"quoted\"",
                "plain ä 漢 😀 \\n \"quoted\"",
            ),
            ("e\u{301}", "e\u{301}"),
            ("\0a\tb\r\n", "\\u{0}a\\tb\\r\\n"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{7f}\u{9b}31m", "\\u{7f}\\u{9b}31m"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            (
                "a\u{200b}b\u{feff}\u{2028}",
                "a\\u{200b}b\\u{feff}\\u{2028}",
            ),
        ] {
            assert_eq!(Printable(raw).to_string(), shown);
            let again = Printable(Printable(raw)).to_string();
            assert_eq!(again, shown, "escaped once");
        }
        let parts = Printable(format_args!("{}\n{:>3}", "a\u{1b}", 7));
        assert_eq!(parts.to_string(), "a\\u{1b}\\n  7");
    }
}
