//! The rules of the house, held against the sources of this package. What each rule forbids is
//! shown to be found by a test on a bad sample next to it.

mod circles;
mod items;
mod layers;
mod lexer;
mod literals;
mod paths;
mod peers;
mod rules;
mod source;
mod tree;
mod variables;
mod words;

use std::path::Path;

use source::{Source, of_package};

/// Fails with every fault that `rule` finds.
fn hold(rule: fn(&[Source]) -> Vec<String>) {
    let sources = of_package();
    assert!(
        sources.iter().any(|source| source.path == "src/lib.rs"),
        "the sources are not found"
    );
    let faults = rule(&sources);
    assert!(
        faults.is_empty(),
        "faults: {}\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn a_module_imports_only_from_below() {
    hold(layers::broken);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    hold(circles::unwanted);
}

#[test]
fn no_file_is_too_long() {
    hold(rules::too_long);
}

#[test]
fn every_file_is_compiled() {
    hold(rules::forgotten);
}

#[test]
fn nothing_can_panic() {
    hold(rules::can_panic);
}

#[test]
fn nothing_is_unfinished() {
    hold(rules::unfinished);
}

#[test]
fn every_ignored_test_has_a_reason() {
    hold(rules::ignored_without_reason);
}

#[test]
fn nothing_listens_to_all_by_default() {
    hold(literals::open_to_all);
}

#[test]
fn a_metric_name_stands_at_its_declaration_alone() {
    hold(literals::named_twice);
}

#[test]
fn every_fault_that_others_have_has_a_test() {
    hold(peers::untested);
}

#[test]
fn standard_words_are_used() {
    hold(words::unwanted);
    let faults = words::in_documents(Path::new(env!("CARGO_MANIFEST_DIR")));
    let faults = faults.expect("the documents can be read");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_variable_of_our_prefix_is_configuration() {
    hold(variables::no_configuration);
    let faults = variables::in_scripts(Path::new(env!("CARGO_MANIFEST_DIR")));
    let faults = faults.expect("the scripts of the tests can be read");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_top_of_the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = root
        .read_dir()
        .expect("the root of the package can be listed");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    // A published package has no .gitignore, and no build output either.
    let gitignore = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let faults = rules::strangers_at_the_top(&names, &gitignore);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
