//! A guarded file under test, and another user who can write to its directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use selfheal::healing::{Closed, GuardFile, GuardedFile, IssueKey, What};

use crate::bench::{Bench, eager, seconds};

/// A user who is neither root nor the user of this process.
pub(crate) const STRANGER: u32 = 65534;

/// Accepts a number, and never quotes the content.
pub(crate) fn parse(bytes: &[u8]) -> Result<u64, std::num::ParseIntError> {
    String::from_utf8_lossy(bytes).trim().parse()
}

/// Whether a second user is possible here; prints which test is skipped.
pub(crate) fn is_root(test: &str) -> bool {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        println!("{test} is left out: it needs root");
    }
    root
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn owner(path: &Path) -> (u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid())
}

pub(crate) fn hand_over(path: &Path) {
    std::os::unix::fs::lchown(path, Some(STRANGER), Some(STRANGER)).unwrap();
}

/// A guarded file, checked every second.
pub(crate) struct Yard {
    pub(crate) bench: Bench,
    pub(crate) path: PathBuf,
    pub(crate) file: GuardedFile,
}

impl Yard {
    pub(crate) fn new(path: &Path) -> Self {
        Self::with(path, |guard| guard.every(seconds(1)).validate(parse))
    }

    pub(crate) fn with<T: 'static>(
        path: &Path,
        set: impl FnOnce(GuardFile) -> GuardFile<T>,
    ) -> Self {
        let bench = Bench::start(eager());
        let guard = GuardFile::new(bench.healing.clone(), "config", path);
        let file = set(guard).registry(&bench.registry).install().unwrap();
        let path = path.to_owned();
        Self { bench, path, file }
    }

    /// The next issue that closes, and its outcome.
    pub(crate) async fn closes(&mut self) -> (IssueKey, Closed) {
        let pick = |what: &What| match what {
            What::Closed { key, outcome, .. } => Some((key.clone(), *outcome)),
            _ => None,
        };
        self.bench.until(|record| pick(&record.what)).await
    }

    pub(crate) async fn heals(&mut self) {
        assert_eq!(self.closes().await.1, Closed::Healed);
    }

    /// The other files in the directory, and their content.
    pub(crate) fn beside(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path.parent().unwrap()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let others = paths.filter(|path| *path != self.path);
        others
            .map(|path| {
                let bytes = fs::read(&path).unwrap_or_default();
                (path, bytes)
            })
            .collect()
    }

    /// Advances the time until the condition holds, while the system's threads do their work.
    pub(crate) async fn eventually(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..30_000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            let pause = tokio::task::spawn_blocking(std::thread::yield_now);
            pause.await.unwrap();
        }
        panic!("it never happened: {what}");
    }

    /// How often the system reported this about the file.
    pub(crate) fn events(&self, event: &str) -> u64 {
        let series = format!("file_events_total{{event_type=\"{event}\"}} ");
        let page = self.bench.page();
        let line = page.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap().parse().unwrap()
    }

    /// Waits until the system has reported it once more, while no time passes.
    pub(crate) async fn hears(&self, event: &str, before: u64) {
        while self.events(event) == before {
            tokio::task::yield_now().await;
        }
    }
}

/// Runs a child of a test, which is a test of this program as well, in namespaces of its own, with
/// `script` before it, whose `$1` is a folder for both. Says so where that cannot be.
pub(crate) fn apart(test: &str, namespaces: &[&str], script: &str, child: &str, variable: &str) {
    let folder = tempfile::tempdir().unwrap();
    let unshare = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(namespaces).args(command);
        unshare
    };
    match unshare(&["true"]).output() {
        Ok(may) if may.status.success() => {}
        why => {
            println!("{test} is left out: there are no namespaces here: {why:?}");
            return;
        }
    }
    let script = format!("{script} && exec \"$2\" --exact {child} --nocapture");
    let output = unshare(&["sh", "-ec", &script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(variable, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    assert!(said.contains(DONE), "{said}");
}

/// The lines that a child prints.
pub(crate) const DONE: &str = "the child has run";

/// The folder of a child, if this is one.
pub(crate) fn folder_of_child(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}
