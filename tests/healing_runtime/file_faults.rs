//! Faults of the directory of a guarded file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use selfheal::healing::{AlertKind, AttemptResult, Closed, GuardFile, IssueKey, Observation, What};

use crate::bench::{Bench, eager, seconds};

const READ_ONLY: &str = "TEST_READ_ONLY";

fn parse(bytes: &[u8]) -> Result<u64, std::num::ParseIntError> {
    String::from_utf8_lossy(bytes).trim().parse()
}

struct Guarded {
    bench: Bench,
    path: PathBuf,
    /// The last value that another writer put there.
    changed: Arc<AtomicU64>,
}

fn guard(path: &Path) -> Guarded {
    let bench = Bench::start(eager());
    let changed = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&changed);
    GuardFile::new(bench.healing.clone(), "config", path)
        .validate(parse)
        .on_changed(move |value| seen.store(value, SeqCst))
        .every(seconds(1))
        .install()
        .unwrap();
    let path = path.to_owned();
    Guarded {
        bench,
        path,
        changed,
    }
}

fn corrupt() -> IssueKey {
    Observation::new("config", "file_corrupt").key
}

impl Guarded {
    async fn closes(&mut self) -> Closed {
        let pick = |what: &What| match what {
            What::Closed { outcome, .. } => Some(*outcome),
            _ => None,
        };
        self.bench.until(|record| pick(&record.what)).await
    }

    async fn heals_garbage(&mut self, good: &str) {
        fs::write(&self.path, "garbage").unwrap();
        assert_eq!(self.closes().await, Closed::Healed);
        assert_eq!(fs::read_to_string(&self.path).unwrap(), good);
    }
}

#[tokio::test(start_paused = true)]
async fn the_parent_directory_is_deleted_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("etc");
    fs::create_dir(&parent).unwrap();
    fs::write(parent.join("port"), "80").unwrap();
    let mut guarded = guard(&parent.join("port"));
    fs::remove_dir_all(&parent).unwrap();
    guarded.bench.gives_up_on(&corrupt()).await;
    let alerts = guarded.bench.healing.alerts();
    assert_eq!(alerts[0].id.kind, AlertKind::Exhausted);
    assert!(!parent.exists(), "the directory is not ours to make");
    guarded.bench.scrape();

    fs::create_dir(&parent).unwrap();
    fs::write(parent.join("port"), "81").unwrap();
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(guarded.bench.healing.alerts(), []);
    assert_eq!(guarded.closes().await, Closed::Exhausted);
    assert_eq!(guarded.changed.load(SeqCst), 81);
    guarded.heals_garbage("81").await;
    guarded.bench.end().await;
}

/// As the kubelet does it: a new folder, and `..data` renamed over the old link in one go.
fn swap(folder: &Path, version: &str, content: &str) {
    let data = folder.join(version);
    fs::create_dir(&data).unwrap();
    fs::write(data.join("port"), content).unwrap();
    let next = folder.join("..data_tmp");
    symlink(version, &next).unwrap();
    fs::rename(next, folder.join("..data")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_config_map_is_swapped_and_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    swap(folder.path(), "..2026_1", "80");
    let path = folder.path().join("port");
    symlink("..data/port", &path).unwrap();
    let mut guarded = guard(&path);

    swap(folder.path(), "..2026_2", "81");
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(guarded.changed.load(SeqCst), 81, "a good one is adopted");
    assert_eq!(guarded.bench.scrape().opened, 0);

    swap(folder.path(), "..2026_3", "garbage");
    guarded.bench.gives_up_on(&corrupt()).await;
    assert_eq!(
        guarded.bench.scrape().attempts_started,
        1,
        "it gives up at once"
    );
    let said = guarded
        .bench
        .healing
        .recent(100)
        .into_iter()
        .find_map(|record| match &record.what {
            What::AttemptFinished { message, .. } => Some(message.to_string()),
            _ => None,
        });
    assert!(said.unwrap().contains("symbolic link"));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "garbage");

    swap(folder.path(), "..2026_4", "82");
    tokio::time::sleep(seconds(10)).await;
    assert!(guarded.bench.healing.issue(&corrupt()).is_none());
    assert_eq!(guarded.bench.healing.alerts(), []);
    assert_eq!(guarded.changed.load(SeqCst), 82);
    guarded.bench.end().await;
}

/// More events than the kernel keeps for a reader (16,384 by default), the one that matters among
/// them.
#[tokio::test(start_paused = true)]
async fn a_flood_of_events_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fs::write(&path, "80").unwrap();
    let mut guarded = guard(&path);
    for n in 0..10_000 {
        let other = folder.path().join(format!("other{}", n % 100));
        fs::write(&other, "x").unwrap();
        if n == 5_000 {
            fs::write(&path, "garbage").unwrap();
        }
    }
    assert_eq!(guarded.closes().await, Closed::Healed);
    assert_eq!(fs::read_to_string(&path).unwrap(), "80");
    guarded.heals_garbage("80").await;
    guarded.bench.end().await;
}

/// The child, whose folder is a mount point: a file breaks, and the mount is
/// read-only before it can be restored.
#[tokio::test(start_paused = true)]
async fn child() {
    let Some(folder) = std::env::var_os(READ_ONLY) else {
        return;
    };
    let path = Path::new(&folder).join("port");
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        let mut mount = Command::new("mount");
        let done = mount.args(["-o", &options]).arg(&folder).status().unwrap();
        assert!(done.success());
    };
    fs::write(&path, "80").unwrap();
    let mut guarded = guard(&path);
    fs::write(&path, "garbage").unwrap();
    remount("ro");
    guarded.bench.gives_up_on(&corrupt()).await;
    let failed = guarded.bench.finished(AttemptResult::Failed);
    assert_eq!(failed, guarded.bench.scrape().attempts_started);
    assert_eq!(fs::read_to_string(&path).unwrap(), "garbage");
    remount("rw");
    let ann = selfheal::healing::By::Person("ann".into());
    guarded.bench.healing.acknowledge(corrupt(), ann).unwrap();
    assert_eq!(guarded.closes().await, Closed::Healed);
    assert_eq!(fs::read_to_string(&path).unwrap(), "80");
    guarded.bench.end().await;
    println!("it was mounted");
}

#[test]
#[ignore = "needs leave to mount, in a namespace of its own; run tests/all.sh"]
fn a_mount_that_is_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o mode=0700 none \"$1\" && exec \"$2\" --exact file_faults::child --nocapture";
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(READ_ONLY, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    assert!(said.contains("it was mounted"), "{said}");
}
