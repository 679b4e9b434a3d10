//! What the default features bring into a user's build: each package once, of the versions that the
//! lock file has.

use std::process::Command;

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

#[test]
fn no_package_is_there_twice() {
    assert_eq!(listed(), "", "of the default features");
}
