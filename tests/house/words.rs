//! Words that the documentation, the messages and the names do not use, since a standard term says
//! it better.

use std::path::Path;

use crate::source::Source;

/// Words, with `-` for `_` too, and what is written instead.
const WORDS: [(&str, &str); 12] = [
    ("anew", "again"),
    ("mend", "fix, repair or restore"),
    ("mended", "fixed, repaired or restored"),
    ("nobody", "no one, or the passive"),
    ("room", "module, or space"),
    ("rooms", "modules"),
    ("run-time", "runtime"),
    ("run-times", "runtimes"),
    ("somebody", "any caller, or the passive"),
    ("tells", "reports, returns or shows"),
    ("told", "notified, reported or set"),
    ("untold", "not reported"),
];

/// Uses of these words in source files: in code, comments and texts.
pub(crate) fn unwanted(sources: &[Source]) -> Vec<String> {
    let others = sources
        .iter()
        .filter(|source| source.path != "tests/house/words.rs");
    others
        .flat_map(|source| in_text(&source.path, &source.text))
        .collect()
}

/// The same in the texts that the documentation includes.
pub(crate) fn in_documents(root: &Path) -> std::io::Result<Vec<String>> {
    let mut paths = vec![root.join("README.md"), root.join("src/config/keys.md")];
    for entry in root.join("src/docs").read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        found.extend(in_text(&name, &std::fs::read_to_string(&path)?));
    }
    Ok(found)
}

fn in_text(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.to_ascii_lowercase().replace('_', "-");
        for (word, instead) in WORDS {
            if line
                .match_indices(word)
                .any(|(at, _)| is_word(&line, at, word))
            {
                found.push(format!("{path}:{}: `{word}`: write {instead}", n + 1));
            }
        }
    }
    found
}

fn is_word(line: &str, at: usize, word: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric();
    !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside)
}

#[test]
fn a_word_is_found_in_prose_and_in_names() {
    let found = |text| in_text("src/a.rs", text).len();
    assert_eq!(found("// Somebody is told,\nfn is_told() {}"), 3);
    assert_eq!(found("a run-time and the run_time of it"), 1);
    assert_eq!(found("mushroom, a roomy retelling, last_run_timestamp"), 0);
    assert_eq!(
        in_text("README.md", "a\nno room")[0],
        "README.md:2: `room`: write module, or space"
    );
}
