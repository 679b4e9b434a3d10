//! The rules, their tests and the configurations, by the tools of Prometheus and, where that can be,
//! by this crate's own evaluator.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use selfheal::Config;
use selfheal::config::{Assets, Objective, Secret, Server};

use super::support::prometheus::program;
use super::{generated, shop};

/// The files of a folder, in order.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_alert_fires_and_is_silent_as_its_test_says_here() {
    let folder = tempfile::tempdir().unwrap();
    generated(shop()).write(folder.path()).unwrap();
    let tests = files(&folder.path().join("prometheus/tests"));
    assert_eq!(tests.len(), 11, "{tests:?}");
    for file in tests {
        selfheal::testing::promtool(file).unwrap();
    }
}

/// Runs a program, and gives what it said against the files.
fn refused(program: impl Into<OsString>, arguments: &[&str], files: &[PathBuf]) -> Option<String> {
    let program = program.into();
    let output = Command::new(&program)
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = said + &String::from_utf8_lossy(&output.stderr);
    (!output.status.success())
        .then(|| format!("{} {arguments:?} {files:?}:\n{said}", program.display()))
}

pub(super) fn passes(program: impl Into<OsString>, arguments: &[&str], files: &[PathBuf]) {
    if let Some(said) = refused(program, arguments, files) {
        panic!("{said}");
    }
}

#[test]
#[ignore = "needs promtool; run tests/all.sh assets"]
fn promtool_takes_the_rules_and_their_tests_pass() {
    let tool = program("TEST_PROMTOOL");
    for config in [shop(), Config::new(), full()] {
        let folder = tempfile::tempdir().unwrap();
        generated(config).write(folder.path()).unwrap();
        passes(
            &tool,
            &["check", "rules"],
            &files(&folder.path().join("prometheus/rules")),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    generated(shop()).write(folder.path()).unwrap();
    passes(
        &tool,
        &["test", "rules"],
        &files(&folder.path().join("prometheus/tests")),
    );
}

/// Everything that can be set is set.
pub(super) fn full() -> Config {
    let assets = Assets::new()
        .target("shop-1:9898")
        .target("shop-2:9898")
        .https(true)
        .retention_size("50GB")
        .remote_write("https://store/api/v1/write")
        .runbooks("https://wiki/runbooks")
        .webhook("https://shop/alerts")
        .webhook_alert("FileCorrupted")
        .webhook_alert("CriticalIncident")
        .slack("#alerts")
        .pagerduty(true)
        .email("ops@example.org", "mail:587")
        .kubernetes_namespace("stack")
        .image("registry/shop:1")
        .objective("availability", Objective::new(99.95))
        .objective(
            "fast \"orders\"",
            Objective::new(99.0)
                .seconds(0.25)
                .selector("path=\"/orders\""),
        );
    shop()
        .server(Server::new().basic_auth("prometheus", Secret::new("open sesame")))
        .assets(assets)
}

#[test]
#[ignore = "needs promtool and amtool; run tests/all.sh assets"]
fn the_configurations_are_taken_by_promtool_and_amtool() {
    let tool = program("TEST_PROMTOOL");
    let check = &["check", "config", "--syntax-only"];
    let amtool = std::env::var_os("TEST_AMTOOL");
    for config in [shop(), full()] {
        let assets = generated(config);
        let folder = tempfile::tempdir().unwrap();
        assets.write(folder.path()).unwrap();
        for file in ["prometheus/prometheus.yml", "compose/prometheus.yml"] {
            let file = folder.path().join(file);
            let secrets = file.parent().unwrap().join("secrets");
            std::fs::create_dir_all(&secrets).unwrap();
            for name in ["ca.crt", "client.crt", "client.key", "scrape-password"] {
                std::fs::write(secrets.join(name), "").unwrap();
            }
            passes(&tool, check, &[file]);
        }
        let file = folder.path().join("kubernetes/prometheus.yml");
        if let Some(said) = refused(&tool, check, std::slice::from_ref(&file)) {
            // The promtool of Debian 12 has no Kubernetes discovery; the rest is checked.
            assert!(
                said.contains("field kubernetes_sd_configs not found"),
                "{said}"
            );
            let text = std::fs::read_to_string(&file).unwrap();
            let text: Vec<&str> = text
                .lines()
                .filter(|line| !line.contains("kubernetes_sd_configs"))
                .collect();
            std::fs::write(&file, text.join("\n")).unwrap();
            passes(&tool, check, &[file]);
        }
        let file = folder.path().join("alertmanager/alertmanager.yml");
        match &amtool {
            Some(amtool) => passes(amtool, &["check-config"], &[file]),
            None => println!("missing: amtool, which TEST_AMTOOL names"),
        }
    }
}

#[test]
fn no_password_is_written_and_no_place_is_left_to_fill_in() {
    for (path, text) in generated(full()).files() {
        assert!(!text.contains("open sesame"), "{path} has the password");
        let places = text.split('@').skip(1).step_by(2);
        let mut open = places.filter(|place| {
            !place.is_empty() && place.len() < 12 && place.chars().all(|c| c.is_ascii_lowercase())
        });
        assert_eq!(open.next(), None, "{path}");
    }
}
