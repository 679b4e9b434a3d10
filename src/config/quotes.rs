//! Detects shell quotes that became part of a value.

/// The problem and the hint for a value in quotes.
pub(super) const PROBLEM: &str = "the value contains the quotes around it";
pub(super) const HINT: &str = "leave the quotes out: without a shell to remove them, as in \
                               Docker's `--env-file`, they are part of the value; a value that \
                               needs them can be set in TOML";

/// Whether the text is enclosed in a pair of equal quotes.
pub(super) fn is_quoted(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), [b'"', .., b'"'] | [b'\'', .., b'\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_one_kind_on_both_sides() {
        for text in ["\"a\"", "'a'", "\"\"", "''", " \"a\" ", "\"a\",\"b\""] {
            assert!(is_quoted(text.as_bytes()), "{text}");
        }
        for text in ["", "a", "\"", "'", "\"a'", "\"a", "a\"", "it's", "`a`"] {
            assert!(!is_quoted(text.as_bytes()), "{text}");
        }
    }
}
