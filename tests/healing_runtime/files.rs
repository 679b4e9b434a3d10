//! Files with relative paths, from the directory in which the service is started.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use selfheal::config::Journal;
use selfheal::healing::{Closed, GuardFile, Healing};

use crate::bench::{Bench, eager};

const CHILD: &str = "TEST_RELATIVE";

fn parse(bytes: &[u8]) -> Result<u16, std::num::ParseIntError> {
    String::from_utf8_lossy(bytes).trim().parse()
}

/// The child, in a process of its own, since a process has only one working directory: it guards a
/// file by a bare name, changes the directory, and the file is broken and removed.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let folder = std::env::current_dir().unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let journal = Journal::new().path("journal").max_bytes(4096);
        let bench = Bench::build(Healing::builder().policy(eager()).journal(journal));
        let guard = GuardFile::new(bench.healing.clone(), "config", "shop.toml");
        guard
            .validate(parse)
            .copy_at("good.toml")
            .every(Duration::from_secs(1))
            .install()
            .unwrap();
        assert_eq!(fs::read(folder.join("good.toml")).unwrap(), b"8080");
        std::env::set_current_dir(Path::new("/")).unwrap();
        for bad in [Some("garbage"), None] {
            let path = folder.join("shop.toml");
            match bad {
                Some(bad) => fs::write(&path, bad).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(fs::read(&path).unwrap(), b"8080", "after {bad:?}");
        }
        assert_eq!(bench.scrape().closed.get(Closed::Healed), 2);
        bench.end().await;
    });
}

#[test]
fn a_relative_path_is_guarded_wherever_the_process_goes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.toml"), "8080").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::child"])
        .current_dir(folder.path())
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let kept = fs::read_dir(folder.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("shop.toml.corrupt-")
    });
    assert_eq!(kept.count(), 1, "the bad content is kept beside the file");
    let second = folder.path().join("journal/journal-00000002.jsonl");
    assert!(second.exists(), "the journal rotates where it began");
}

/// A validator whose message quotes the content, as parsers do.
fn parse_port(bytes: &[u8]) -> Result<u16, String> {
    let text = String::from_utf8_lossy(bytes);
    let (_, port) = text.split_once("port = ").ok_or("no port")?;
    let line = text.lines().last().unwrap_or_default();
    port.trim()
        .parse()
        .map_err(|_| format!("error in {line} at line 2, column 8\n  | {text}"))
}

/// Everything that is reported about a broken file with a password in it.
async fn said_of_a_broken_file(verbatim: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (path, files) = (
        folder.path().join("shop.toml"),
        folder.path().join("journal"),
    );
    fs::write(&path, "password = \"s\"\nport = 80").unwrap();
    let journal = Journal::new().path(&files);
    let bench = Bench::build(Healing::builder().policy(eager()).journal(journal));
    let guard = |component| {
        let guard = GuardFile::new(bench.healing.clone(), component, &path);
        let guard = guard.validate(parse_port).every(Duration::from_secs(1));
        guard.verbatim(verbatim).install()
    };
    guard("config").unwrap();
    fs::write(&path, "password = \"hunter2 horse\"\nport = hunter2 horse").unwrap();
    let refused = guard("late").unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.end().await;
    let journal = fs::read_to_string(files.join("journal-00000001.jsonl")).unwrap();
    assert!(journal.contains("file_corrupt"), "{journal}");
    format!("{journal}\n{refused}\n{refused:?}")
}

#[tokio::test(start_paused = true)]
async fn a_password_in_a_broken_file_is_nowhere_unless_asked_for() {
    let said = said_of_a_broken_file(false).await;
    assert!(
        !said.contains("hunter") && !said.contains("horse"),
        "{said}"
    );
    for part in [
        "error in port =…",
        "\"place\",\"2:8\"",
        "\"blake3\"",
        "\"bytes\",\"47\"",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let said = said_of_a_broken_file(true).await;
    assert!(said.contains("error in port = hunter2 horse"), "{said}");
}
