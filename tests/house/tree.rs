//! What the default features bring into a user's build: each package once, of the versions that the
//! lock file has.

use std::process::Command;

/// Also fails where the lock file is missing or is not that of the manifest.
#[test]
fn no_package_is_there_twice() {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--package", "selfheal", "--locked", "--offline"])
        .args(["--edges", "normal", "--duplicates"])
        .args(["--depth", "0", "--prefix", "none"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{said}");
    let twice = String::from_utf8_lossy(&tree.stdout);
    assert_eq!(twice, "", "of the default features");
}
