//! Tests of the engine by hand: readings, restores and hooks without a runtime around it.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::metrics::FileEvent;
use super::watch::Change;
use super::*;
use crate::healing::core::{Issue, Verdict};
use crate::healing::engine::Timeline;
use crate::healing::engine::{Context, HealingEngine, Precondition};
use crate::registry::Registry;
use crate::util::Clock;

struct Desk {
    _dir: tempfile::TempDir,
    timeline: Timeline,
    path: PathBuf,
    registry: Registry,
    changed: Arc<AtomicUsize>,
    restored: Arc<AtomicUsize>,
    file: Arc<Guarded>,
    guard: FileGuard,
}

fn valid(bytes: &[u8]) -> Result<(), BoundedStr> {
    if bytes.starts_with(b"ok") {
        Ok(())
    } else {
        Err("does not start with ok".into())
    }
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    fs::write(&path, "ok 1").unwrap();
    let (changed, restored) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let count = |counter: &Arc<AtomicUsize>| -> Box<Hook> {
        let counter = Arc::clone(counter);
        Box::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })
    };
    let registry = Registry::new();
    let spec = Spec {
        component: "config".into(),
        path: path.clone(),
        sharing: Sharing::REFUSED,
        max_bytes: 1024,
        validate: Arc::new(valid),
        on_restored: vec![count(&restored)],
        on_changed: vec![count(&changed)],
        copy: Some(dir.path().join("copy")),
        severity: Severity::Error,
        settle: None,
        // Shorter than the wait for a writer.
        every: Duration::from_secs(1),
        confirm_after: CONFIRM_AFTER,
        deadline: DEADLINE,
    };
    let file = Arc::new(Guarded::new(spec, registry.group().unwrap()));
    file.start().unwrap();
    // The tests report changes themselves.
    file.watch(Watch::new(|_| {}));
    file.check();
    Desk {
        guard: FileGuard::new(Arc::clone(&file)),
        file,
        timeline: Timeline::start(Clock::system(), Handle::current()),
        _dir: dir,
        path,
        registry,
        changed,
        restored,
    }
}

fn issue(issue_type: &str) -> Issue {
    Issue::sample("config", issue_type)
}

impl Desk {
    async fn seen(&self) -> Vec<String> {
        let (timeline, token) = (self.timeline.clone(), CancellationToken::new());
        let cx = Context::new(timeline, Duration::from_secs(60), token);
        let found = self.guard.detect(&cx).await.unwrap();
        found
            .iter()
            .map(|seen| seen.key.issue_type.to_string())
            .collect()
    }

    /// The observations, and the milliseconds they took.
    async fn seen_after(&self) -> (Vec<String>, u128) {
        let began = Instant::now();
        let seen = self.seen().await;
        (seen, began.elapsed().as_millis())
    }

    fn write(&self, content: &str) {
        fs::write(&self.path, content).unwrap();
    }

    async fn heal(&self, issue_type: &str) -> Result<(), String> {
        let cx = Context::by_hand().unwrap();
        let healed = self.guard.heal(&cx, &issue(issue_type), "restore").await;
        healed.map_err(|error| error.to_string())
    }

    /// The number of events; the series exist from the start.
    fn events(&self, event: FileEvent) -> u64 {
        let metrics = self.registry.group::<FileMetrics>().unwrap();
        metrics.events.get(&(event,)).unwrap().get()
    }
}

#[tokio::test(start_paused = true)]
async fn corrupt_content_is_restored_and_counted_once() {
    let desk = desk();
    fs::write(&desk.path, "garbage").unwrap();
    assert_eq!(desk.seen().await, ["file_corrupt"]);
    assert_eq!(desk.seen().await, ["file_corrupt"]);
    assert_eq!(
        desk.events(FileEvent::Corrupted),
        1,
        "the same bad content is one event"
    );
    desk.heal("file_corrupt").await.unwrap();
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "ok 1");
    assert!(desk.seen().await.is_empty());
    let cx = Context::by_hand().unwrap();
    assert_eq!(
        desk.guard.verify(&cx, &issue("file_corrupt")).await,
        Verdict::Good
    );
    assert_eq!(desk.restored.load(Ordering::Relaxed), 1);
    assert_eq!(
        desk.changed.load(Ordering::Relaxed),
        0,
        "a restore is not an edit"
    );
    assert_eq!(desk.events(FileEvent::Restored), 1);
}

#[tokio::test(start_paused = true)]
async fn a_missing_file_comes_back() {
    let desk = desk();
    fs::remove_file(&desk.path).unwrap();
    assert_eq!(desk.seen().await, ["file_missing"]);
    desk.heal("file_missing").await.unwrap();
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "ok 1");
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_adopted_and_is_what_is_restored_later() {
    let desk = desk();
    fs::write(&desk.path, "ok 2").unwrap();
    assert!(desk.seen().await.is_empty());
    assert_eq!(desk.changed.load(Ordering::Relaxed), 1);
    fs::write(&desk.path, "garbage").unwrap();
    assert_eq!(desk.seen().await, ["file_corrupt"]);
    desk.heal("file_corrupt").await.unwrap();
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "ok 2");
}

#[tokio::test(start_paused = true)]
async fn an_edit_between_detection_and_restore_stays() {
    let desk = desk();
    fs::write(&desk.path, "garbage").unwrap();
    assert_eq!(desk.seen().await, ["file_corrupt"]);
    fs::write(&desk.path, "ok 3").unwrap();
    let error = desk.heal("file_corrupt").await.unwrap_err();
    assert!(error.contains("changed"), "{error}");
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "ok 3");
    let cx = Context::by_hand().unwrap();
    let now = desk.guard.precondition(&cx, &issue("file_corrupt")).await;
    assert_eq!(now, Precondition::Stale);
}

fn corrupt() -> Vec<String> {
    vec!["file_corrupt".to_owned()]
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_reported_when_the_second_check_finds_it_too() {
    let desk = desk();
    desk.write("garbage");
    assert_eq!(desk.seen_after().await, (corrupt(), 200));
    fs::remove_file(&desk.path).unwrap();
    let missing = vec!["file_missing".to_owned()];
    assert_eq!(desk.seen_after().await, (missing, 200));
    desk.write("ok");
    assert_eq!(desk.seen_after().await, (Vec::new(), 200), "adopted");
    assert_eq!(desk.seen_after().await, (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_repaired_in_between_was_no_fault() {
    let desk = desk();
    desk.write("");
    let repaired = async {
        sleep(Duration::from_millis(199)).await;
        desk.write("ok 2");
    };
    let (seen, ()) = tokio::join!(desk.seen_after(), repaired);
    assert_eq!(seen, (Vec::new(), 400));
    assert_eq!(desk.changed.load(Ordering::Relaxed), 1);
    assert_eq!(desk.events(FileEvent::Corrupted), 0);
}

#[tokio::test(start_paused = true)]
async fn content_that_changes_is_not_reported_until_it_rests() {
    let desk = desk();
    desk.write("garbage");
    let written = async {
        for n in 0..5 {
            sleep(Duration::from_millis(150)).await;
            desk.write(&format!("garbage {n}"));
        }
    };
    // The last change is at 750, so the checks at 800 and 1000 find the same content.
    let (seen, ()) = tokio::join!(desk.seen_after(), written);
    assert_eq!(seen, (corrupt(), 1000));
    assert_eq!(desk.events(FileEvent::Corrupted), 1);

    let for_ever = async {
        for n in 0_u64.. {
            desk.write(&format!("for ever {n}"));
            sleep(Duration::from_millis(150)).await;
        }
    };
    let seen = tokio::select! {
        seen = desk.seen_after() => seen,
        () = for_ever => unreachable!("it has no end"),
    };
    assert_eq!(seen, (corrupt(), 5000), "patience has an end");
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_waited_for_until_the_file_is_closed() {
    let desk = desk();
    let truncate = || {
        desk.write("");
        desk.file.signals.note(Change::Written);
    };
    truncate();
    let finishes = async {
        sleep(Duration::from_millis(2900)).await;
        desk.write("ok 2");
        desk.file.signals.note(Change::Closed);
    };
    let (seen, ()) = tokio::join!(desk.seen_after(), finishes);
    assert_eq!(seen, (Vec::new(), 3200));

    truncate();
    let breaks_off = async {
        sleep(Duration::from_millis(900)).await;
        desk.file.signals.note(Change::Closed);
    };
    let (seen, ()) = tokio::join!(desk.seen_after(), breaks_off);
    assert_eq!(seen, (corrupt(), 1000));

    desk.write("ok 3");
    assert!(desk.seen().await.is_empty());
    truncate();
    assert_eq!(desk.seen_after().await, (corrupt(), 5000), "it never ends");
    desk.file.signals.note(Change::Seen(FileEvent::Renamed));
    assert_eq!(desk.seen_after().await, (corrupt(), 200), "another file");
    assert_eq!(desk.events(FileEvent::Modified), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_watch_the_second_check_is_a_regular_one() {
    let desk = desk();
    desk.file.stop_watching();
    desk.write("garbage");
    let every = desk.file.spec.every.as_millis();
    assert_eq!(desk.seen_after().await, (corrupt(), every));
}

#[tokio::test(start_paused = true)]
async fn what_became_bad_in_another_way_is_not_replaced() {
    let desk = desk();
    desk.write("garbage");
    assert_eq!(desk.seen().await, corrupt());
    let cx = Context::by_hand().unwrap();
    let issue = issue("file_corrupt");
    let now = desk.guard.precondition(&cx, &issue).await;
    assert_eq!(now, Precondition::Proceed);
    desk.write("o");
    let now = desk.guard.precondition(&cx, &issue).await;
    assert_eq!(now, Precondition::Stale);
    assert!(desk.heal("file_corrupt").await.is_err());
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "o");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_judged_is_left_alone() {
    let desk = desk();
    fs::write(&desk.path, vec![b'x'; 2_000]).unwrap();
    assert_eq!(desk.seen().await, ["file_unreadable"]);
    let cx = Context::by_hand().unwrap();
    let now = desk
        .guard
        .precondition(&cx, &issue("file_unreadable"))
        .await;
    assert!(matches!(now, Precondition::Refuse(_)), "{now:?}");
    assert_eq!(fs::metadata(&desk.path).unwrap().len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn the_copy_outlives_the_process() {
    let desk = desk();
    fs::write(&desk.path, "ok 2").unwrap();
    desk.seen().await;
    fs::write(&desk.path, "garbage").unwrap();
    let spec = |copy: Option<PathBuf>| Spec {
        component: "config".into(),
        path: desk.path.clone(),
        sharing: Sharing::REFUSED,
        max_bytes: 1024,
        validate: Arc::new(valid),
        on_restored: Vec::new(),
        on_changed: Vec::new(),
        copy,
        severity: Severity::Error,
        settle: None,
        every: EVERY,
        confirm_after: CONFIRM_AFTER,
        deadline: DEADLINE,
    };
    let again = |copy| Guarded::new(spec(copy), Registry::new().group().unwrap());
    let file = again(Some(desk.path.with_file_name("copy")));
    file.start().unwrap();
    assert_eq!(&*file.kept()[0].bytes, b"ok 2");
    let without = again(None).start();
    assert!(matches!(without, Err(GuardError::Corrupt { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_process_left_is_removed_and_nothing_else() {
    let desk = desk();
    let directory = desk.path.parent().unwrap();
    let prefix = aside::next("shop.toml".as_ref());
    let name = |end: &str| directory.join(format!("{}{end}", prefix.to_string_lossy()));
    for n in 0..50 {
        fs::write(name(&format!("{n:016x}")), "ok 1").unwrap();
    }
    fs::create_dir(name("00000000000000ff")).unwrap();
    fs::write(name("notes"), "mine").unwrap();
    let other = aside::next("other".as_ref()).to_string_lossy().into_owned();
    fs::write(directory.join(format!("{other}{:016x}", 0)), "ok 1").unwrap();
    desk.file.start().unwrap();
    assert!(desk.seen().await.is_empty());
    let left = fs::read_dir(directory).unwrap().count();
    assert_eq!(left, 5, "the file, its copy, a folder, notes, another's");
}

/// A write through a mapping shows only in the modification time, and closes much later.
#[tokio::test(start_paused = true)]
async fn what_is_written_between_is_not_at_rest_though_it_is_the_same() {
    let desk = desk();
    desk.write("ok 2");
    let touched = async {
        let file = fs::File::options().write(true).open(&desk.path).unwrap();
        for n in 1..4 {
            sleep(Duration::from_millis(150)).await;
            let later = std::time::SystemTime::now() + Duration::from_secs(n);
            file.set_modified(later).unwrap();
        }
    };
    let (seen, ()) = tokio::join!(desk.seen_after(), touched);
    assert_eq!(seen, (Vec::new(), 800), "the last at 450, found at 600");
    assert_eq!(desk.changed.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_changes_for_ever_is_adopted_when_each_change_is_whole() {
    let desk = desk();
    desk.write("ok 2");
    let for_ever = async {
        for n in 0_u64.. {
            desk.write(&format!("ok {n} times"));
            sleep(Duration::from_millis(150)).await;
        }
    };
    let seen = tokio::select! {
        seen = desk.seen_after() => seen,
        () = for_ever => unreachable!("it has no end"),
    };
    assert_eq!(seen, (Vec::new(), 5000));
    assert_eq!(desk.changed.load(Ordering::Relaxed), 1);
}

/// After `kill -9`, or for a file truncated by its path, no close is reported.
#[tokio::test(start_paused = true)]
async fn a_writer_who_writes_nothing_for_five_minutes_has_left_the_file() {
    let desk = desk();
    let adopted = || desk.changed.load(Ordering::Relaxed);
    let began = Instant::now();
    for round in 1..=2 {
        desk.write(&format!("ok {round}{round}"));
        desk.file.signals.note(Change::Written);
        // Each change restarts the time.
        while began.elapsed() < Duration::from_secs(240 * round) {
            assert!(desk.seen().await.is_empty());
            assert_eq!(adopted(), 0, "after {:?}", began.elapsed());
        }
    }
    let written = Duration::from_secs(240);
    while adopted() == 0 {
        assert!(desk.seen().await.is_empty());
        assert!(
            began.elapsed() < written + Duration::from_secs(320),
            "never"
        );
    }
    assert!(began.elapsed() >= written + Duration::from_secs(300));
    assert_eq!(&*desk.file.kept()[0].bytes, b"ok 22");
}
