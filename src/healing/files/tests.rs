//! The engine by hand: every look, restore and hook without a run-time around it.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::guard::{FileGuard, Guarded, Spec};
use super::metrics::FileEvent;
use super::*;
use crate::healing::{Context, HealingEngine, Issue, Precondition, Verdict};
use crate::registry::Registry;

struct Desk {
    _dir: tempfile::TempDir,
    path: PathBuf,
    registry: Registry,
    changed: Arc<AtomicUsize>,
    restored: Arc<AtomicUsize>,
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
        max_bytes: 1024,
        validate: Arc::new(valid),
        on_restored: vec![count(&restored)],
        on_changed: vec![count(&changed)],
        copy: Some(dir.path().join("copy")),
        severity: Severity::Error,
        settle: None,
        every: EVERY,
    };
    let (good, save) = starting_point(&spec).unwrap();
    assert!(save);
    let file = Guarded::new(spec, registry.group().unwrap(), good);
    Desk {
        guard: FileGuard::new(Arc::new(file), Box::new(|| None)),
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
        let found = self
            .guard
            .detect(&Context::by_hand().unwrap())
            .await
            .unwrap();
        found
            .iter()
            .map(|seen| seen.key.issue_type.to_string())
            .collect()
    }

    async fn heal(&self, issue_type: &str) -> Result<(), String> {
        let cx = Context::by_hand().unwrap();
        let healed = self.guard.heal(&cx, &issue(issue_type), "restore").await;
        healed.map_err(|error| error.to_string())
    }

    /// They are all there from the start.
    fn events(&self, event: FileEvent) -> u64 {
        let metrics = self.registry.group::<FileMetrics>().unwrap();
        metrics.events.get(&(event,)).unwrap().get()
    }
}

#[tokio::test]
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

#[tokio::test]
async fn a_missing_file_comes_back() {
    let desk = desk();
    fs::remove_file(&desk.path).unwrap();
    assert_eq!(desk.seen().await, ["file_missing"]);
    desk.heal("file_missing").await.unwrap();
    assert_eq!(fs::read_to_string(&desk.path).unwrap(), "ok 1");
}

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
async fn the_copy_outlives_the_process() {
    let desk = desk();
    fs::write(&desk.path, "ok 2").unwrap();
    desk.seen().await;
    fs::write(&desk.path, "garbage").unwrap();
    let spec = Spec {
        component: "config".into(),
        path: desk.path.clone(),
        max_bytes: 1024,
        validate: Arc::new(valid),
        on_restored: Vec::new(),
        on_changed: Vec::new(),
        copy: Some(desk.path.with_file_name("copy")),
        severity: Severity::Error,
        settle: None,
        every: EVERY,
    };
    let (good, save) = starting_point(&spec).unwrap();
    assert_eq!((&*good.bytes, save), (&b"ok 2"[..], false));
    let without = Spec { copy: None, ..spec };
    assert!(matches!(
        starting_point(&without),
        Err(GuardError::Corrupt { .. })
    ));
}
