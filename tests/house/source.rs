//! Rust source files as the rules of the house see them: code without comments, without what
//! stands in literals, and without what is compiled for tests alone.

use std::fs;
use std::path::Path;

use crate::items::{declared_module, test_items};
use crate::lexer::{Literal, blank, into_text, mask};

/// One source file.
pub(crate) struct Source {
    /// From the root of the package, with `/`: `src/util/clock.rs`.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) text: String,
    /// As long as `text`, byte by byte: comments are blank, what stands in literals is `_`.
    pub(crate) with_tests: String,
    /// The same, test items blank as well.
    pub(crate) code: String,
    /// The string literals of `code`, escapes as they are written.
    pub(crate) strings: Vec<Literal>,
}

impl Source {
    /// `path:line` for a position in the file.
    pub(crate) fn place(&self, at: usize) -> String {
        let newlines = self.text[..at].matches('\n').count();
        format!("{}:{}", self.path, newlines + 1)
    }

    /// The modules from the root of the crate to this file: none for `lib.rs`.
    pub(crate) fn modules(&self) -> Option<Vec<&str>> {
        let inside = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let mut modules: Vec<&str> = inside.split('/').collect();
        if matches!(modules.last(), Some(&"mod" | &"lib")) {
            modules.pop();
        }
        Some(modules)
    }
}

/// Every Rust file of the package.
pub(crate) fn of_package() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "examples", "benches", "tests"] {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort();
    of_files(&files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    // A package may lack benches, for example.
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map_while(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            let text = fs::read_to_string(&path).unwrap_or_default();
            files.push((name.replace('\\', "/"), text));
        }
    }
}

/// Files given as pairs of path and text.
pub(crate) fn of_files<S: AsRef<str>>(files: &[(S, S)]) -> Vec<Source> {
    let mut test_modules = Vec::new();
    let mut sources = Vec::new();
    for (path, text) in files {
        let (path, text) = (path.as_ref(), text.as_ref());
        let (with_tests, mut strings) = mask(text);
        let mut code = with_tests.clone().into_bytes();
        for item in test_items(&with_tests) {
            let module = declared_module(&with_tests[item.body..item.all.end]);
            test_modules.extend(module.map(|name| format!("{}/{name}", module_folder(path))));
            blank(&mut code[item.all.clone()]);
            strings.retain(|literal| !item.all.contains(&literal.at));
        }
        sources.push(Source {
            path: path.to_owned(),
            text: text.to_owned(),
            with_tests,
            code: into_text(code),
            strings,
        });
    }
    for source in &mut sources {
        let for_tests = test_modules.iter().any(|module| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        if for_tests {
            source.code = source.code.replace(|c| c != '\n', " ");
            source.strings.clear();
        }
    }
    sources
}

/// The folder of the modules that a file declares.
pub(crate) fn module_folder(path: &str) -> &str {
    for name in ["/mod.rs", "/lib.rs", "/main.rs"] {
        if let Some(folder) = path.strip_suffix(name) {
            return folder;
        }
    }
    path.strip_suffix(".rs").unwrap_or(path)
}

/// One file of that text, in `src`.
pub(crate) fn of_text(text: &str) -> Source {
    of_files(&[("src/a/mod.rs", text)]).remove(0)
}

#[test]
fn files_that_only_tests_see_have_no_code() {
    let sources = of_files(&[
        ("src/a/mod.rs", "#[cfg(test)]\nmod tests;\nmod b;"),
        ("src/a/tests.rs", "fn x() {}"),
        ("src/a/tests/deep.rs", "fn x() {}"),
        ("src/a/tests_of_users.rs", "fn x() {}"),
        ("src/a/b.rs", "#[cfg(test)]\npub(crate) mod proof;"),
        ("src/a/b/proof.rs", "fn x() {}"),
        ("src/a/c.rs", "#![cfg(test)]\nfn x() {}"),
    ]);
    let with_code: Vec<&str> = sources
        .iter()
        .filter(|source| !source.code.trim().is_empty())
        .map(|source| source.path.as_str())
        .collect();
    assert_eq!(with_code, ["src/a/mod.rs", "src/a/tests_of_users.rs"]);
}

#[test]
fn every_file_of_the_package_is_understood() {
    for source in of_package() {
        for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
            let opened = source.with_tests.matches(open).count();
            let closed = source.with_tests.matches(close).count();
            assert_eq!(opened, closed, "{open} and {close} in {}", source.path);
        }
    }
}
