//! Guarded files on full disks, and files that are mount points. Each test runs its child if that
//! may mount, and prints when it is skipped.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use selfheal::healing::{AttemptResult, IssueKey};

use crate::bench::seconds;
use crate::file_bench::{DONE, Yard, apart, folder_of_child, parse};

const FULL: &str = "TEST_FULL_DISK";
const BOUND: &str = "TEST_BIND_MOUNT";

const KIB: usize = 1024;

fn begins_with_ok(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.starts_with(b"ok") {
        Ok(())
    } else {
        Err("no ok")
    }
}

fn content(begin: &str, kib: usize) -> Vec<u8> {
    let mut bytes = begin.as_bytes().to_vec();
    bytes.resize(kib * KIB, b'x');
    bytes
}

/// Writes until there is no space, at most this much.
fn fill(path: &Path, kib: usize) {
    let mut file = fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let page = [0; 4 * KIB];
    for _ in 0..kib / 4 {
        if file.write_all(&page).is_err() {
            return;
        }
    }
}

/// On a disk of 1 MiB.
#[tokio::test(start_paused = true)]
async fn child_on_a_full_disk() {
    let Some(folder) = folder_of_child(FULL) else {
        return;
    };
    let path = folder.join("conf");
    let good = content("ok", 300);
    fs::write(&path, &good).unwrap();
    let mut yard = Yard::with(&path, |guard| {
        guard.validate(begins_with_ok).every(seconds(1))
    });
    let kept = |yard: &Yard| -> Vec<usize> {
        let beside = yard.beside().into_iter();
        let copies = beside.filter(|(path, _)| path.to_string_lossy().contains(".corrupt-"));
        copies.map(|(_, bytes)| bytes.len()).collect()
    };

    // There is space for the good content, but not for a copy of the bad one as well.
    fill(&folder.join("filler"), 474);
    fs::write(&path, content("bad", 200)).unwrap();
    yard.heals().await;
    assert!(fs::read(&path).unwrap() == good);
    assert_eq!(kept(&yard), [200 * KIB]);

    // There is no space at all.
    fs::write(&path, content("bad", 300)).unwrap();
    fill(&folder.join("filler"), 1024);
    yard.heals().await;
    assert!(fs::read(&path).unwrap() == good);
    assert_eq!(kept(&yard), [200 * KIB], "no part of a copy is left");
    assert_eq!(yard.beside().len(), 2, "nothing else either");
    yard.bench.end().await;
    println!("{DONE}");
}

#[test]
fn a_full_disk_fails_the_copy_and_not_the_restore() {
    apart(
        "a_full_disk_fails_the_copy_and_not_the_restore",
        &["--mount"],
        "mount -t tmpfs -o size=1m,mode=0700 none \"$1\"",
        "file_mounts::child_on_a_full_disk",
        FULL,
    );
}

/// Where `port` is a bind mount of `real`.
#[tokio::test(start_paused = true)]
async fn child_with_a_bind_mount() {
    let Some(folder) = folder_of_child(BOUND) else {
        return;
    };
    let (path, real) = (folder.join("port"), folder.join("real"));
    let id = fs::metadata(&real).unwrap().ino();
    assert_eq!(fs::metadata(&path).unwrap().ino(), id);
    let mut yard = Yard::with(&path, |guard| guard.validate(parse).every(seconds(1)));
    fs::write(&path, "a lot of garbage").unwrap();
    yard.heals().await;
    assert_eq!(fs::read(&real).unwrap(), b"80\n");
    assert_eq!(fs::metadata(&path).unwrap().ino(), id);
    assert_eq!(yard.bench.finished(AttemptResult::Failed), 0);
    assert_eq!(yard.beside().len(), 2, "with the bad content");

    let mount = |how: &str| {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,bind,{how}")])
            .arg(&path);
        assert!(mount.status().unwrap().success());
    };
    mount("ro");
    fs::write(&real, "garbage").unwrap();
    yard.bench
        .gives_up_on(&IssueKey::new("config", "file_corrupt"))
        .await;
    let records = yard.bench.healing.recent(100);
    let said = records.iter().find_map(|record| match &record.what {
        selfheal::healing::What::AttemptFinished {
            result: AttemptResult::Failed,
            message,
            ..
        } => Some(message.to_string()),
        _ => None,
    });
    let said = said.unwrap();
    assert!(said.contains("port is a mount point"), "{said}");
    assert_eq!(yard.bench.finished(AttemptResult::Failed), 1, "it gives up");
    mount("rw");
    yard.bench.end().await;
    println!("{DONE}");
}

#[test]
fn a_file_that_is_a_mount_is_restored_in_place_or_named() {
    apart(
        "a_file_that_is_a_mount_is_restored_in_place_or_named",
        &["--mount"],
        "echo 80 > \"$1/real\" && : > \"$1/port\" && mount --bind \"$1/real\" \"$1/port\"",
        "file_mounts::child_with_a_bind_mount",
        BOUND,
    );
}
