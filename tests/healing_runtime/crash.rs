//! kill -9 at every boundary of a write to the journal, in a child process.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use selfheal::healing::journal::{Append, Folder, Store};
use selfheal::healing::{AttemptResult, Closed, Context, Healing, HistoryFilter, Issue, What};

use crate::bench::{Bench, Faults, eager};

const FOLDER: &str = "TEST_CRASH_FOLDER";
const BOUNDARY: &str = "TEST_CRASH_BOUNDARY";

/// A folder that blocks for ever at the boundary of a write.
struct Stops {
    folder: Folder,
    boundaries: Arc<Boundaries>,
}

struct Boundaries {
    passed: AtomicU32,
    stop_at: u32,
}

impl Boundaries {
    fn pass(&self) {
        if self.passed.fetch_add(1, SeqCst) + 1 == self.stop_at {
            say("stopped");
            loop {
                std::thread::park();
            }
        }
    }
}

/// Reports to the parent; writing like this to standard output is not captured.
fn say(word: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "\ncrash: {word}").unwrap();
    out.flush().unwrap();
}

impl Store for Stops {
    fn list(&self) -> io::Result<Vec<u64>> {
        self.folder.list()
    }

    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>> {
        self.folder.read(number)
    }

    fn create(&self, number: u64) -> io::Result<Box<dyn Append>> {
        self.boundaries.pass();
        let file = self.folder.create(number)?;
        self.boundaries.pass();
        let boundaries = Arc::clone(&self.boundaries);
        Ok(Box::new(StopsToo { file, boundaries }))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.boundaries.pass();
        self.folder.remove(number)?;
        self.boundaries.pass();
        Ok(())
    }
}

struct StopsToo {
    file: Box<dyn Append>,
    boundaries: Arc<Boundaries>,
}

impl Append for StopsToo {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (one, two) = bytes.split_at(bytes.len() / 2);
        self.file.append(one)?;
        self.boundaries.pass();
        self.file.append(two)?;
        self.boundaries.pass();
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.boundaries.pass();
        Ok(())
    }
}

/// The child: a fault that the second attempt heals, then another one, then the end.
/// Each attempt leaves a file of its number behind.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let stop_at = std::env::var(BOUNDARY).unwrap().parse().unwrap();
    let boundaries = Arc::new(Boundaries {
        passed: AtomicU32::new(0),
        stop_at,
    });
    let store = Stops {
        folder: Folder::open(folder.join("journal")).unwrap(),
        boundaries,
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let builder = Healing::builder().policy(eager()).store(store);
        let mut bench = Bench::build(builder);
        let faults = Faults::one("db");
        bench.register(acting(&faults, folder));
        bench.closed("db").await;
        faults.break_it("web");
        bench.closed("web").await;
        bench.end().await;
    });
    say("done");
}

fn acting(faults: &Faults, folder: &Path) -> selfheal::healing::Rule {
    let (repaired, folder) = (faults.clone(), folder.to_owned());
    let tries = AtomicU32::new(0);
    faults.rule(move |cx: Context, issue: Issue| {
        let id = cx.attempt().unwrap().0;
        std::fs::write(folder.join(format!("acted-{id}")), "").unwrap();
        if tries.fetch_add(1, SeqCst) > 0 {
            repaired.repair(issue.key.component.as_str());
        }
        async { Ok(()) }
    })
}

/// Whether the child was stopped at the boundary; false if it came to its end.
fn runs_into(boundary: u32, folder: &Path) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(BOUNDARY, boundary.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let out = child.0.stdout.take().unwrap();
    for line in BufReader::new(out).lines() {
        match line.unwrap().as_str() {
            "crash: stopped" => return true,
            "crash: done" => return false,
            _ => {}
        }
    }
    panic!("the child ended without a word at boundary {boundary}");
}

/// `Child::kill` is SIGKILL: nothing of the process runs after it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn acted(folder: &Path) -> BTreeSet<u64> {
    let names = std::fs::read_dir(folder).unwrap();
    let ids = names.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_prefix("acted-")?.parse().ok()
    });
    ids.collect()
}

#[tokio::test(start_paused = true)]
async fn kill_9_at_every_boundary_of_a_journal_write() {
    let mut boundary = 0;
    let mut interrupted = 0;
    // The budget that the child spent counts.
    let mut policy = eager();
    policy.attempts = 9;
    loop {
        boundary += 1;
        let folder = tempfile::tempdir().unwrap();
        let stopped = runs_into(boundary, folder.path());
        let open = || {
            let store = Folder::open(folder.path().join("journal")).unwrap();
            Bench::build(Healing::builder().policy(policy.clone()).store(store))
        };
        let mut bench = open();
        let first = bench.scrape();
        let here = first.attempts_finished.get(AttemptResult::Interrupted);
        interrupted += here;
        assert!(here <= 1, "boundary {boundary}: one attempt ran at a time");
        let all = HistoryFilter::new().limit(usize::MAX);
        let known: BTreeSet<u64> = bench
            .healing
            .history(all)
            .await
            .iter()
            .filter_map(|record| match &record.what {
                What::AttemptStarted(intent) => Some(intent.attempt.0),
                _ => None,
            })
            .collect();
        let done = acted(folder.path());
        assert!(
            done.is_subset(&known),
            "boundary {boundary}: {done:?} were done, {known:?} were written down"
        );
        let faults = Faults::one("db");
        bench.register(faults.mending_rule());
        assert_eq!(bench.closed("db").await, Closed::Healed, "{boundary}");
        bench.end().await;

        let bench = open();
        let again = bench.scrape().attempts_finished;
        assert_eq!(again.get(AttemptResult::Interrupted), 0, "{boundary}");
        bench.end().await;
        if !stopped {
            break;
        }
    }
    assert!(boundary > 20, "{boundary} boundaries");
    assert!(interrupted > 3, "{interrupted} attempts were cut short");
}
