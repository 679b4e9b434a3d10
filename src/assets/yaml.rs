//! Texts as YAML has them.

/// A text in double quotes, with the escapes that JSON, YAML and PromQL share.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
