//! Writing is all or nothing, and keeps what a person has edited.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use selfheal::assets::AssetsError;
use selfheal::config::{FamilySettings, Metrics};

use super::{generated, shop};

const RULES: &str = "prometheus/rules/platform.yml";

/// Every file below a folder.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, all: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, all);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                all.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(folder, folder, &mut all);
    all
}

#[test]
fn a_second_run_changes_nothing_and_another_configuration_only_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (generated(shop()), generated(shop().namespace("stall")));
    let first = one.write(folder.path()).unwrap();
    assert_eq!(first.written.len(), one.files().count());
    assert!(first.unchanged.is_empty());
    let again = one.write(folder.path()).unwrap();
    assert_eq!((again.written.len(), again.unchanged), (0, first.written));
    let changed = other.write(folder.path()).unwrap();
    assert!(
        changed.written.iter().any(|path| path == RULES),
        "{changed:?}"
    );
    let files = tree(folder.path());
    assert!(files[RULES].contains("stall_system_health_score"));
    assert_eq!(files.len(), other.files().count() + 1, "{:?}", files.keys());
}

#[test]
fn edits_are_kept_and_shown_unless_they_are_to_be_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (generated(shop()), generated(shop().namespace("stall")));
    one.write(folder.path()).unwrap();
    let path = folder.path().join(RULES);
    let edited = fs::read_to_string(&path).unwrap().replace("< 80", "< 75");
    fs::write(&path, &edited).unwrap();
    fs::write(folder.path().join("notes.md"), "mine").unwrap();
    let before = tree(folder.path());
    let error = other.write(folder.path()).unwrap_err();
    let AssetsError::Edited(files) = &error else {
        panic!("{error}");
    };
    let edited: Vec<&str> = files.iter().map(|file| &*file.path).collect();
    assert_eq!(edited, [RULES]);
    let said = error.to_string();
    for line in [
        "--- prometheus/rules/platform.yml (as it is)",
        "-    expr: \"shop_system_health_score < 75 and shop_system_health_score >= 60\"",
        "+    expr: \"stall_system_health_score < 80 and stall_system_health_score >= 60\"",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert_eq!(tree(folder.path()), before, "nothing at all was written");
    other.overwrite(folder.path()).unwrap();
    let after = tree(folder.path());
    assert!(after[RULES].contains("stall_system_health_score < 80"));
    assert_eq!(after["notes.md"], "mine");
}

#[test]
fn a_file_that_was_there_before_is_no_one_elses_to_overwrite() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("prometheus/rules")).unwrap();
    fs::write(folder.path().join(RULES), "groups: []\n").unwrap();
    let before = tree(folder.path());
    let error = generated(shop()).write(folder.path()).unwrap_err();
    assert!(matches!(error, AssetsError::Edited(_)), "{error}");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn what_is_no_longer_generated_goes_unless_it_was_edited() {
    let off = Metrics::new().family("system_health_score", FamilySettings::new().enabled(false));
    let (one, less) = (generated(shop()), generated(shop().metrics(off)));
    let folder = tempfile::tempdir().unwrap();
    one.write(folder.path()).unwrap();
    let edited = folder.path().join("runbooks/HealthLow.md");
    fs::write(&edited, "call Ada").unwrap();
    let written = less.write(folder.path()).unwrap();
    assert!(
        written
            .removed
            .contains(&"runbooks/HealthCritical.md".to_owned()),
        "{written:?}"
    );
    assert!(!folder.path().join("runbooks/HealthCritical.md").exists());
    assert_eq!(fs::read_to_string(edited).unwrap(), "call Ada");
}

/// The third file cannot take its place, since a folder that is not empty is there.
#[test]
fn a_failure_on_the_way_puts_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (generated(shop()), generated(shop().namespace("stall")));
    one.write(folder.path()).unwrap();
    let before = tree(folder.path());
    // The state after a crash: one file is replaced, its old one is set aside, another is in
    // progress.
    let (new, old) = (
        folder.path().join(".selfheal-assets.new"),
        folder.path().join(".selfheal-assets.old"),
    );
    fs::create_dir_all(old.join("prometheus/rules")).unwrap();
    fs::create_dir_all(&new).unwrap();
    fs::rename(folder.path().join(RULES), old.join(RULES)).unwrap();
    fs::write(folder.path().join(RULES), other.file(RULES).unwrap()).unwrap();
    fs::write(folder.path().join("added.md"), "new in this run").unwrap();
    fs::write(old.join("absent"), "added.md\nnot/yet.md\n").unwrap();
    let again = one.write(folder.path()).unwrap();
    assert_eq!(again.written, [""; 0], "all is as it was");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn a_path_that_is_taken_by_a_folder_is_an_error_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("runbooks/HealthLow.md/mine")).unwrap();
    let error = generated(shop()).write(folder.path()).unwrap_err();
    assert!(error.to_string().contains("HealthLow.md"), "{error}");
    assert_eq!(tree(folder.path()), BTreeMap::new());
}
