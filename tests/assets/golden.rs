//! For a fixed configuration every file is what it was: a hash for each, and some of them whole.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::generated;
use super::promtool::full;

const WHOLE: [&str; 3] = [
    "alertmanager/alertmanager.yml",
    "prometheus/prometheus.yml",
    "prometheus/rules/healing.yml",
];

/// With `UPDATE_GOLDEN=1` the files are written again.
#[test]
fn every_file_is_what_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assets/golden");
    let assets = generated(full());
    let mut hashes = String::new();
    for (path, text) in assets.files() {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        writeln!(hashes, "{}  {path}", &hash[..16]).unwrap();
    }
    let mut golden = vec![("hashes.txt".to_owned(), hashes)];
    for path in WHOLE {
        let name = path.rsplit('/').next().unwrap();
        golden.push((name.to_owned(), assets.file(path).unwrap().to_owned()));
    }
    for (name, text) in golden {
        let path = folder.join(&name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        let diff: Vec<&str> = text
            .lines()
            .filter(|line| !there.lines().any(|other| other == *line))
            .collect();
        assert!(
            there == text,
            "{name} is another; run this test with UPDATE_GOLDEN=1 and look at what changes:\n{}",
            diff.join("\n")
        );
    }
}
