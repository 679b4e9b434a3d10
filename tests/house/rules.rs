//! The smaller rules of the house. Each gives its faults, as `place: what is wrong`.

use std::collections::HashSet;

use crate::items::attributes;
use crate::lexer::words;
use crate::source::{Source, module_folder, of_files};

const MOST_LINES: usize = 500;

/// Files of more than 500 lines of code; comments, blank lines and unit tests are not counted.
pub(crate) fn too_long(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        // In an integration test, the tests are the code.
        let in_src = source.path.starts_with("src/");
        let code = if in_src {
            &source.code
        } else {
            &source.with_tests
        };
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        if lines > MOST_LINES {
            found.push(format!(
                "{}: {lines} lines of code, more than {MOST_LINES}: split it along its real seams",
                source.path
            ));
        }
    }
    found
}

/// Files in `src` that are empty, or that no other file has as a module: what is in them, tests
/// above all, is never compiled.
pub(crate) fn forgotten(sources: &[Source]) -> Vec<String> {
    let mut declared = HashSet::new();
    for source in sources {
        let folder = module_folder(&source.path);
        let code: Vec<_> = words(&source.with_tests).collect();
        for pair in code.windows(2) {
            if let [(_, "mod"), (at, name)] = pair
                && source.with_tests[at + name.len()..]
                    .trim_start()
                    .starts_with(';')
            {
                declared.insert(format!("{folder}/{name}.rs"));
                declared.insert(format!("{folder}/{name}/mod.rs"));
            }
        }
        // `#[path = "name.rs"]` is relative to the folder of the file.
        let folder = source
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let paths = source.text.split("path = \"").skip(1);
        declared
            .extend(paths.filter_map(|rest| Some(format!("{folder}/{}", rest.split_once('"')?.0))));
    }
    let mut found = Vec::new();
    for source in in_src(sources) {
        if source.text.trim().is_empty() {
            found.push(format!("{}: the file is empty", source.path));
        } else if source.path != "src/lib.rs" && !declared.contains(&source.path) {
            found.push(format!("{}: no file has it as a module", source.path));
        }
    }
    found
}

/// Code that can panic, in what users compile.
pub(crate) fn can_panic(sources: &[Source]) -> Vec<String> {
    const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];
    const MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];
    let mut found = Vec::new();
    for source in in_src(sources) {
        for (at, word) in words(&source.code) {
            let before = source.code[..at].trim_end();
            let after = source.code[at + word.len()..].trim_start();
            // `.unwrap()`, and `Option::unwrap` passed as a function.
            let called = before.ends_with('.') && after.starts_with('(') || before.ends_with("::");
            if METHODS.contains(&word) && called || MACROS.contains(&word) && after.starts_with('!')
            {
                let place = source.place(at);
                found.push(format!(
                    "{place}: `{word}` can take the host down: return an error"
                ));
            }
        }
    }
    found
}

/// Marks of unfinished work, in code and comments alike.
pub(crate) fn unfinished(sources: &[Source]) -> Vec<String> {
    const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];
    let mut found = Vec::new();
    // Not in tests/, since this file names the marks.
    for source in sources
        .iter()
        .filter(|source| !source.path.starts_with("tests/"))
    {
        let marks = words(&source.text).filter(|(_, word)| MARKS.contains(word));
        found.extend(
            marks.map(|(at, mark)| {
                format!("{}: {mark}: finish it, or leave it out", source.place(at))
            }),
        );
    }
    found
}

/// Ignored tests that do not say why.
pub(crate) fn ignored_without_reason(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (at, attribute) in attributes(&source.with_tests) {
            let Some((ignore, _)) = words(attribute).find(|(_, word)| *word == "ignore") else {
                continue;
            };
            let reason = attribute[ignore + "ignore".len()..]
                .trim_start()
                .strip_prefix('=');
            if reason.is_none_or(|reason| reason.trim_start().starts_with("\"\"")) {
                let place = source.place(at);
                found.push(format!("{place}: an ignored test without a reason"));
            }
        }
    }
    found
}

/// Entries at the top of the repository that do not belong there. Entries ignored by a line
/// `/name` of `.gitignore` are allowed.
pub(crate) fn strangers_at_the_top(entries: &[String], gitignore: &str) -> Vec<String> {
    // cargo adds `Cargo.toml.orig` to a published package.
    const KNOWN: [&str; 9] = [
        "Cargo.toml",
        "Cargo.lock",
        "Cargo.toml.orig",
        "README.md",
        "LICENSE",
        "src",
        "examples",
        "benches",
        "tests",
    ];
    let stranger = |entry: &&String| {
        let ignored = gitignore
            .lines()
            .any(|line| line.trim_matches('/') == entry.as_str());
        !(entry.starts_with('.') || KNOWN.contains(&entry.as_str()) || ignored)
    };
    let strangers = entries.iter().filter(stranger);
    strangers
        .map(|entry| format!("{entry}: does not belong at the top of the repository"))
        .collect()
}

pub(crate) fn in_src(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources
        .iter()
        .filter(|source| source.path.starts_with("src/"))
}

/// A rule: the faults it finds.
pub(crate) type Rule = fn(&[Source]) -> Vec<String>;

/// How many faults `rule` finds in a file of that text.
pub(crate) fn count(rule: Rule, path: &str, text: &str) -> usize {
    rule(&of_files(&[(path, text)])).len()
}

#[test]
fn a_file_of_501_lines_is_too_long() {
    let fits = "f();\n".repeat(500) + "\n// comment\n#[cfg(test)]\nmod tests {\n\n}\n";
    assert_eq!(count(too_long, "src/a.rs", &fits), 0);
    assert_eq!(count(too_long, "src/a.rs", &(fits.clone() + "g();")), 1);
    let text = format!("const A: &str = \"{}\";", "line\n".repeat(500));
    assert_eq!(count(too_long, "src/a.rs", &text), 1, "a long text is code");
    assert_eq!(
        count(too_long, "tests/a.rs", &fits),
        1,
        "tests are the code of a test file"
    );
}

#[test]
fn a_file_that_nothing_compiles_is_found() {
    let sources = of_files(&[
        ("src/lib.rs", "mod a;\n// mod e;\nmod m { fn e() {} }"),
        (
            "src/a/mod.rs",
            "mod b;\n#[cfg_attr(x, path = \"d.rs\")]\nmod c;\n#[cfg(test)]\nmod tests;",
        ),
        ("src/a/b.rs", "pub(super) mod deep;"),
        ("src/a/b/deep.rs", "fn f() {}"),
        ("src/a/c.rs", "fn f() {}"),
        ("src/a/d.rs", "fn f() {}"),
        ("src/a/tests.rs", "\n"),
        ("src/a/tests/more.rs", "#[test]\nfn f() {}"),
        ("src/e.rs", "fn f() {}"),
    ]);
    assert_eq!(
        forgotten(&sources),
        [
            "src/a/tests.rs: the file is empty",
            "src/a/tests/more.rs: no file has it as a module",
            "src/e.rs: no file has it as a module",
        ]
    );
}

#[test]
fn what_can_panic_is_found_outside_tests() {
    for bad in [
        "a.unwrap()",
        "a\n    .expect(\"b\")",
        "a.unwrap_err()",
        "a.map(Option::unwrap)",
        "panic!()",
        "todo!()",
        "unimplemented!(\"b\")",
        "std::unreachable!()",
    ] {
        assert_eq!(
            count(can_panic, "src/a.rs", &format!("fn f() {{ {bad} }}")),
            1,
            "{bad}"
        );
    }
    for good in [
        "a.unwrap_or(b)",
        "a.unwrap_or_else(c)",
        "\"panic!\"",
        "// a.unwrap()",
        "std::panic::catch_unwind(a)",
        "/// a.unwrap()\nfn b() {}",
        "#[expect(lint)] let a = b;",
        "std::panic::resume_unwind(a)",
    ] {
        assert_eq!(count(can_panic, "src/a.rs", good), 0, "{good}");
    }
    assert_eq!(
        count(
            can_panic,
            "src/a.rs",
            "#[cfg(test)]\nmod t { fn f() { a.unwrap() } }"
        ),
        0
    );
    assert_eq!(count(can_panic, "tests/a.rs", "fn f() { a.unwrap() }"), 0);
}

#[test]
fn marks_of_unfinished_work_are_found() {
    for bad in [
        "// TODO: later",
        "/// FIXME",
        "fn f() {} // XXX",
        "let a = \"TODO\";",
    ] {
        assert_eq!(count(unfinished, "src/a.rs", bad), 1, "{bad}");
    }
    assert_eq!(
        count(
            unfinished,
            "src/a.rs",
            "// TODOS, mastodon\nconst XXXL: u8 = 0;"
        ),
        0
    );
}

#[test]
fn an_ignored_test_needs_a_reason() {
    for bad in [
        "#[ignore]",
        "#[ ignore ]",
        "#[ignore = \"\"]",
        "#[cfg_attr(miri, ignore)]",
    ] {
        let text = format!("#[cfg(test)] mod t {{ #[test] {bad} fn a() {{}} }}");
        assert_eq!(count(ignored_without_reason, "src/a.rs", &text), 1, "{bad}");
    }
    for good in [
        "#[ignore = \"needs a server\"]",
        "#[cfg_attr(miri, ignore = \"slow\")]",
        "#[allow(ignored)]",
        "// #[ignore]",
    ] {
        assert_eq!(
            count(ignored_without_reason, "tests/a.rs", good),
            0,
            "{good}"
        );
    }
}

#[test]
fn only_known_entries_stand_at_the_top() {
    let entries = ["Cargo.toml", "src", ".ci", "target", "notes.md", "utils"].map(str::to_owned);
    let faults = strangers_at_the_top(&entries, "/target\n*.log\n");
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].starts_with("notes.md:") && faults[1].starts_with("utils:"),
        "{faults:?}"
    );
}
