//! The rules and their tests, by promtool and by this crate's own evaluator.

use std::path::Path;
use std::process::Command;

use super::support::prometheus::program;
use super::{generated, shop};

/// The names of the rule files, in order.
fn rule_files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("prometheus/rules")).unwrap();
    let files = files.map(|file| file.unwrap().path().display().to_string());
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

#[test]
fn every_alert_fires_and_is_silent_as_its_test_says_here() {
    let folder = tempfile::tempdir().unwrap();
    generated(shop()).write(folder.path()).unwrap();
    selfheal::testing::promtool(folder.path().join("prometheus/tests/alerts.yml")).unwrap();
}

#[test]
#[ignore = "needs promtool; run tests/all.sh assets"]
fn promtool_takes_the_rules_and_their_tests_pass() {
    for config in [shop(), selfheal::Config::new()] {
        let folder = tempfile::tempdir().unwrap();
        generated(config).write(folder.path()).unwrap();
        let mut check = vec!["check".to_owned(), "rules".to_owned()];
        check.extend(rule_files(folder.path()));
        let tests = folder.path().join("prometheus/tests/alerts.yml");
        let test = ["test", "rules", &tests.display().to_string()].map(str::to_owned);
        for arguments in [check, test.to_vec()] {
            let output = Command::new(program("SELFHEAL_PROMTOOL"))
                .args(&arguments)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let said = said + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "promtool {arguments:?}: {said}");
        }
    }
}
