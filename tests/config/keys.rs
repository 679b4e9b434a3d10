//! The table of keys in the documentation is the truth: same keys, same defaults.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use selfheal::catalog::Native;
use selfheal::config::{Assets, Config, FamilySettings, Objective, Secret, Server, Tls};
use serde_json::Value;

const HEAD: &str = "| Key | Default | Meaning |\n|---|---|---|\n";

/// Defaults by key. What is absent by default stands in the sample, with an empty default.
fn keys() -> BTreeMap<String, String> {
    let mut sample = Config::new()
        .server(
            Server::new()
                .basic_auth("", Secret::default())
                .tls(Tls::default()),
        )
        .assets(Assets::new().objective("NAME", Objective::default()));
    sample.metrics.family.insert(
        "NAME".to_owned(),
        FamilySettings::new().native(Native::new()),
    );
    let mut found = BTreeMap::new();
    collect("", &serde_json::to_value(sample).unwrap(), &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let default = match value {
        Value::Object(table) if table.contains_key("redacted") => "–".to_owned(),
        Value::Object(table) if !table.is_empty() => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                collect(&path, value, found);
            }
            return;
        }
        Value::Null => "–".to_owned(),
        other => format!("`{other}`"),
    };
    found.insert(path.to_owned(), default);
}

#[test]
fn the_table_in_the_docs_has_every_key_and_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/keys.md");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let meanings: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line
                .strip_prefix("| `")?
                .strip_suffix(" |")?
                .splitn(3, " | ");
            Some((cells.next()?.strip_suffix('`')?, cells.nth(1)?))
        })
        .collect();
    let mut expected = HEAD.to_owned();
    for (key, default) in keys() {
        let meaning = meanings.get(key.as_str()).copied().unwrap_or("?");
        writeln!(expected, "| `{key}` | {default} | {meaning} |").unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text == expected,
        "src/config/keys.md is not what the code says; run this test with UPDATE_GOLDEN=1, \
         then give every `?` a meaning"
    );
    assert!(
        !text.contains("| ? |"),
        "a key in src/config/keys.md has no meaning yet"
    );
}
