//! What the default features bring into a user's build: each package once, of the versions that the
//! lock file has.

use std::process::Command;

/// Packages that are there in two versions, and why.
const TWICE: [(&str, &str); 2] = [
    ("syn", "derive macros go from the second to the third"),
    (
        "unicode-width",
        "of the lexer in `promql-parser`, and of its options",
    ),
];

/// Packages of the default features that are there twice. Fails where the lock file is missing or
/// is not that of the manifest.
fn listed() -> String {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--package", "selfheal", "--locked", "--offline"])
        .args(["--edges", "normal", "--duplicates"])
        .args(["--depth", "0", "--prefix", "none"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{said}");
    String::from_utf8(tree.stdout).unwrap()
}

fn unwanted(list: &str) -> Vec<&str> {
    let packages = list.lines().filter(|line| !line.is_empty());
    packages
        .filter(|package| {
            let name = package.split(' ').next().unwrap_or_default();
            TWICE.iter().all(|(known, _)| *known != name)
        })
        .collect()
}

#[test]
fn no_package_is_there_twice() {
    let list = listed();
    assert_eq!(unwanted(&list), [""; 0], "of the default features");
    for (name, why) in TWICE {
        let package = format!("{name} v");
        assert!(
            list.contains(&package),
            "{name} is there once ({why}): strike it from tests/house/tree.rs"
        );
    }
}

#[test]
fn a_package_in_two_versions_is_found() {
    let list = "base64 v0.22.1\n\nbase64 v0.23.1\n\nsyn v2.0.119\n";
    assert_eq!(unwanted(list), ["base64 v0.22.1", "base64 v0.23.1"]);
}
