//! Shows the running configuration, without secrets.

use serde_json::Value;

use super::html::{element, text};
use crate::config::Config;

/// A setting: its path, its value, and whether it differs from its default.
struct Setting {
    path: String,
    value: String,
    changed: bool,
}

/// Renders a configuration as HTML.
pub(in crate::server) fn configuration(config: &Config) -> String {
    let changed = config.changed();
    let mut all = Vec::new();
    // Values that cannot be written as JSON are not shown.
    flatten(
        String::new(),
        serde_json::to_value(config).unwrap_or_default(),
        &mut all,
    );
    for setting in &mut all {
        let path = &setting.path;
        // A table that is absent by default counts as changed as a whole.
        let of = |one: &String| one == path || path.starts_with(&format!("{one}."));
        setting.changed = changed.iter().any(of);
    }
    let (set, default): (Vec<_>, Vec<_>) = all.into_iter().partition(|setting| setting.changed);
    let mut out = String::new();
    if set.is_empty() {
        out.push_str("<p class=\"soft\">All settings have their defaults.</p>");
    } else {
        list(&mut out, &set);
    }
    out.push_str("<details id=\"defaults\"><summary>");
    text(&mut out, &format!("{} with their defaults", default.len()));
    out.push_str("</summary>");
    list(&mut out, &default);
    out.push_str("</details>");
    out
}

fn list(out: &mut String, settings: &[Setting]) {
    out.push_str("<dl class=\"settings\">");
    for setting in settings {
        out.push_str("<dt>");
        // Allows a line break after each dot of a path.
        for (n, part) in setting.path.split('.').enumerate() {
            out.push_str(if n > 0 { ".<wbr>" } else { "" });
            text(out, part);
        }
        out.push_str("</dt>");
        element(out, "dd", &setting.value);
    }
    out.push_str("</dl>");
}

fn flatten(path: String, value: Value, all: &mut Vec<Setting>) {
    let value = match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text,
        Value::Object(table) if table.contains_key("redacted") => "set, not shown".to_owned(),
        Value::Object(table) if !table.is_empty() => {
            for (key, value) in table {
                let path = match path.as_str() {
                    "" => key,
                    path => format!("{path}.{key}"),
                };
                flatten(path, value, all);
            }
            return;
        }
        other => other.to_string(),
    };
    all.push(Setting {
        path,
        value,
        changed: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, Server};

    #[test]
    fn it_shows_what_is_set_and_no_secret() {
        let server = Server::new().max_connections(65);
        let server = server.basic_auth("<ann>", Secret::new("s3cret"));
        let shown = configuration(&Config::new().server(server));
        let (set, default) = shown.split_once("<details").unwrap();
        assert!(
            set.contains("<dt>server.<wbr>max_connections</dt><dd>65</dd>"),
            "{set}"
        );
        assert!(set.contains("<dt>server.<wbr>basic_auth.<wbr>username</dt><dd>&lt;ann&gt;</dd>"));
        assert!(
            set.contains("<dt>server.<wbr>basic_auth.<wbr>password</dt><dd>set, not shown</dd>")
        );
        assert!(default.contains("<dt>server.<wbr>request_timeout</dt><dd>10s</dd>"));
        assert!(!shown.contains("s3cret"));
        assert!(configuration(&Config::new()).starts_with("<p"));
    }
}
