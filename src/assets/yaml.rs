//! Formats texts for YAML.

/// A double-quoted text, with the escapes shared by JSON, YAML and PromQL.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text indented by this many blanks, for a block after `|`.
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
