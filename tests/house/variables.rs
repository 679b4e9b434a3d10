//! The variables of the environment that this repository names: those of the crate's prefix are
//! configuration, which the crate obeys or refuses, and no switch of a test is one.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

use crate::source::Source;

const PREFIX: &str = "SELFHEAL_";
const KEYS: &str = include_str!("../../src/config/keys.md");
/// The files that name absent keys on purpose.
const ABOUT_FAULTS: [&str; 3] = ["src/config/", "tests/config/", "tests/house/"];

/// Names of the prefix that are no configuration, in Rust.
pub(crate) fn no_configuration(sources: &[Source]) -> Vec<String> {
    let files = sources.iter().map(|source| (&*source.path, &*source.text));
    files.flat_map(|(path, text)| in_text(path, text)).collect()
}

/// Names of the prefix that are no configuration, in the shell scripts of the tests.
pub(crate) fn in_scripts(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in ["tests", "tests/assets"] {
        for entry in root.join(folder).read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                found.extend(in_text(
                    &path.to_string_lossy(),
                    &fs::read_to_string(&path)?,
                ));
            }
        }
    }
    Ok(found)
}

fn in_text(path: &str, text: &str) -> Vec<String> {
    if ABOUT_FAULTS.iter().any(|folder| path.starts_with(folder)) {
        return Vec::new();
    }
    // `profiles` is not a key of a section: it stands for several.
    let keys: HashSet<&str> = KEYS
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(['.', '`']).next())
        .chain(["profiles"])
        .collect();
    let mut found = Vec::new();
    for (at, _) in text.match_indices(PREFIX) {
        let name = text[at + PREFIX.len()..]
            .split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .next()
            .unwrap_or_default();
        let key = name.split("__").next().unwrap_or_default().to_lowercase();
        if !key.is_empty() && !keys.contains(key.as_str()) {
            let line = text[..at].matches('\n').count() + 1;
            found.push(format!(
                "{path}:{line}: `{PREFIX}{name}` would be read as configuration: a switch of the \
                 tests is called `TEST_…`"
            ));
        }
    }
    found
}

#[test]
fn a_switch_of_a_test_is_no_configuration() {
    let found = |text| in_text("tests/a.sh", text).len();
    assert_eq!(found("SELFHEAL_PROMTOOL=a SELFHEAL_TEST_FOLDER=b"), 2);
    assert_eq!(found("${SELFHEAL_SEED:-}"), 1);
    assert_eq!(found("SELFHEAL_SERVER__LISTEN=a SELFHEAL_PROFILES=b"), 0);
    assert_eq!(found("SELFHEAL_… and SELFHEAL_NAMESPACE, TEST_PROMTOOL"), 0);
    assert_eq!(in_text("tests/config/env.rs", "SELFHEAL_COLOUR").len(), 0);
}
