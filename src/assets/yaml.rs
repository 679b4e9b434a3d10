//! Texts as YAML has them.

/// A text in double quotes, with the escapes that JSON, YAML and PromQL share.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text whose lines are indented by so many blanks, as they stand below `|`.
pub(super) fn block(text: &str, blanks: usize) -> String {
    let indent = " ".repeat(blanks);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        if !line.is_empty() {
            out.push_str(&indent);
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}
