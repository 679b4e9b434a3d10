//! Writers of a guarded file: of half of it, through a link that moves, or none at all.

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use parking_lot::Mutex;
use selfheal::healing::builtin::{FileMetrics, GoBackError};
use selfheal::healing::{Closed, GuardError, GuardFile};

use crate::bench::{Bench, eager, seconds};
use crate::file_bench::{DONE, Yard, apart, folder_of_child, parse};

/// Lines of `name=number`; any number of them is valid.
fn lines(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let bad = text.lines().find(|line| !line.contains('='));
    bad.map_or(Ok(()), |line| Err(line.to_owned()))
}

fn sizes(yard: &Yard) -> Vec<usize> {
    yard.file.kept().iter().map(|kept| kept.bytes).collect()
}

#[tokio::test(start_paused = true)]
async fn half_of_a_file_that_parses_is_not_adopted_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conf");
    fs::write(&path, "a=0\n").unwrap();
    let mut yard = Yard::with(&path, |guard| guard.validate(lines).every(seconds(1)));
    yard.eventually("it is watched", |yard| yard.events("created") == 0)
        .await;
    tokio::time::sleep(seconds(3)).await;
    let before = yard.events("modified");
    let mut writer = fs::File::create(&path).unwrap();
    yard.hears("modified", before).await;
    tokio::time::sleep(seconds(30)).await;
    let before = yard.events("modified");
    writer.write_all(b"a=1\n").unwrap();
    yard.hears("modified", before).await;
    tokio::time::sleep(seconds(30)).await;
    assert_eq!(sizes(&yard), [4], "neither nothing nor half of it");
    writer.write_all(b"b=2\n").unwrap();
    drop(writer);
    yard.eventually("it is adopted", |yard| sizes(yard) == [8, 4])
        .await;

    // Faults before it became valid again are not part of it.
    fs::write(&path, "junk").unwrap();
    yard.heals().await;
    assert_eq!(fs::read(&path).unwrap(), b"a=1\nb=2\n");
    yard.bench.end().await;
}

/// A service that starts while someone writes its configuration.
#[tokio::test(start_paused = true)]
async fn half_of_a_file_at_the_start_takes_nothing_from_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("conf"), folder.path().join("copy"));
    let changes = Arc::new(Mutex::new(0));
    let guarded = || {
        let changes = Arc::clone(&changes);
        Yard::with(&path, |guard| {
            let guard = guard.validate(lines).every(seconds(1)).copy_at(&copy);
            guard.on_changed(move |()| *changes.lock() += 1)
        })
    };
    fs::write(&path, "a=1\nb=2\n").unwrap();
    let yard = guarded();
    yard.eventually("it is at rest", |_| copy.exists()).await;
    yard.bench.end().await;

    let mut writer = fs::File::create(&path).unwrap();
    writer.write_all(b"a=3\n").unwrap();
    let mut yard = guarded();
    // No time passes until the event arrives.
    while yard.events("modified") == 0 {
        writer.write_all(b"b=4\n").unwrap();
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(sizes(&yard), [8], "that of the copy");
    // The writer fails.
    writer.write_all(b"junk").unwrap();
    drop(writer);
    yard.heals().await;
    assert_eq!(fs::read(&path).unwrap(), b"a=1\nb=2\n");
    assert_eq!(fs::read(&copy).unwrap(), b"a=1\nb=2\n");
    assert_eq!(*changes.lock(), 0, "no one changed it");
    yard.bench.end().await;

    // Content written while there was no guard is adopted when it is at rest.
    fs::write(&path, "a=4\n").unwrap();
    let yard = guarded();
    yard.eventually("it is adopted", |yard| {
        sizes(yard) == [4, 8] && fs::read(&copy).unwrap() == b"a=4\n"
    })
    .await;
    assert_eq!(*changes.lock(), 0, "the service has read this");
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_adopted_by_mistake_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conf");
    fs::write(&path, "a=1\nb=2\n").unwrap();
    let restored = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&restored);
    let mut yard = Yard::with(&path, |guard| {
        let guard = guard.validate(|bytes| lines(bytes).map(|()| bytes.len()));
        guard
            .every(seconds(1))
            .on_restored(move |bytes| seen.lock().push(bytes))
    });
    // An empty file is valid for this validator.
    fs::write(&path, "").unwrap();
    yard.eventually("it is adopted", |yard| sizes(yard) == [0, 8])
        .await;
    let kept = yard.file.kept();
    yard.file.go_back(&kept[1]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"a=1\nb=2\n");
    assert_eq!(sizes(&yard), [8]);
    assert_eq!(*restored.lock(), [8]);
    let gone = yard.file.go_back(&kept[0]).unwrap_err();
    assert!(matches!(gone, GoBackError::NotKept { .. }), "{gone}");
    fs::remove_file(&path).unwrap();
    yard.heals().await;
    assert_eq!(fs::read(&path).unwrap(), b"a=1\nb=2\n");

    for n in 0..5 {
        fs::write(&path, format!("n={n}{}", " ".repeat(n))).unwrap();
        yard.eventually("it is adopted", |yard| sizes(yard)[0] == 3 + n)
            .await;
    }
    assert_eq!(sizes(&yard), [7, 6, 5], "a bounded number");
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_moves_is_followed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (release, port) in [("r1", "80"), ("r2", "81")] {
        fs::create_dir(at(release)).unwrap();
        fs::write(at(release).join("port"), port).unwrap();
    }
    symlink("r1", at("current")).unwrap();
    let path = at("current").join("port");
    // Too rare to matter: faults are found by events.
    let mut yard = Yard::with(&path, |guard| guard.validate(parse).every(seconds(86_400)));
    tokio::time::sleep(seconds(10)).await;
    symlink("r2", at("next")).unwrap();
    fs::rename(at("next"), at("current")).unwrap();
    yard.eventually("the new one is adopted", |yard| sizes(yard).len() == 2)
        .await;

    let before = yard.events("modified");
    fs::write(at("r1").join("port"), "garbage").unwrap();
    fs::write(at("r2").join("port"), "garbage").unwrap();
    yard.heals().await;
    assert_eq!(fs::read(at("r2").join("port")).unwrap(), b"81");
    assert_eq!(fs::read(at("r1").join("port")).unwrap(), b"garbage");
    assert!(yard.events("modified") > before);

    // A writer in the new folder is waited for as well.
    let before = yard.events("modified");
    let mut writer = fs::File::create(at("r2").join("port")).unwrap();
    writer.write_all(b"x").unwrap();
    yard.hears("modified", before).await;
    tokio::time::sleep(seconds(3)).await;
    writer.rewind().unwrap();
    writer.write_all(b"8282").unwrap();
    drop(writer);
    yard.eventually("the edit is adopted", |yard| sizes(yard)[0] == 4)
        .await;
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_fault_supersedes_the_first_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fs::write(&path, "80").unwrap();
    let mut yard = Yard::with(&path, |guard| {
        guard.validate(parse).every(seconds(1)).settle(seconds(60))
    });
    fs::write(&path, "junk").unwrap();
    yard.eventually("it is restored", |yard| yard.events("restored") == 1)
        .await;
    fs::remove_file(&path).unwrap();
    let (key, outcome) = yard.closes().await;
    assert_eq!(key.issue_type.as_str(), "file_corrupt");
    assert_eq!(outcome, Closed::Superseded);
    let removed = tokio::time::Instant::now();
    yard.eventually("it is restored", |yard| yard.events("restored") == 2)
        .await;
    assert!(removed.elapsed() < seconds(2), "{:?}", removed.elapsed());
    let (key, outcome) = yard.closes().await;
    assert_eq!(key.issue_type.as_str(), "file_missing");
    assert_eq!(outcome, Closed::Healed);
    assert_eq!(yard.bench.scrape().closed.get(Closed::SelfResolved), 0);
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_fifty_guards_share_one_watcher() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(eager());
    for n in 0..150 {
        let home = folder.path().join(n.to_string());
        fs::create_dir(&home).unwrap();
        fs::write(home.join("port"), "80").unwrap();
        let name = format!("config{n}");
        let guard = GuardFile::new(bench.healing.clone(), name.as_str(), home.join("port"));
        let guard = guard.validate(parse).every(seconds(1));
        guard.registry(&bench.registry).install().unwrap();
    }
    tokio::time::sleep(seconds(10)).await;
    let metrics = bench.registry.group::<FileMetrics>().unwrap();
    assert_eq!((metrics.guarded(), metrics.unwatched()), (150, 0));
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    let watchers = links.filter(|link| link.to_string_lossy().contains("inotify"));
    assert_eq!(watchers.count(), 1);
    bench.end().await;
}

const DEAF: &str = "TEST_NO_WATCHER";

/// Where the user may have no watcher of the system.
#[tokio::test(start_paused = true)]
async fn child_without_a_watcher() {
    let Some(folder) = folder_of_child(DEAF) else {
        return;
    };
    let path = folder.join("port");
    fs::write(&path, "80").unwrap();
    let mut yard = Yard::new(&path);
    let metrics = yard.bench.registry.group::<FileMetrics>().unwrap();
    yard.eventually("it is known", |_| metrics.unwatched() == 1)
        .await;
    fs::write(&path, "garbage").unwrap();
    yard.heals().await;
    assert_eq!(fs::read(&path).unwrap(), b"80");
    yard.bench.end().await;
    assert_eq!(metrics.unwatched(), 0);
    println!("{DONE}");
}

#[test]
fn without_a_watcher_files_are_checked_from_time_to_time_and_it_shows() {
    apart(
        "without_a_watcher_files_are_checked_from_time_to_time_and_it_shows",
        &["--user", "--map-root-user"],
        "echo 0 > /proc/sys/user/max_inotify_instances",
        "file_writers::child_without_a_watcher",
        DEAF,
    );
}

fn fifo(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[tokio::test(start_paused = true)]
async fn a_fifo_in_the_place_of_the_file_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fifo(&path);
    let bench = Bench::start(eager());
    let refused = GuardFile::new(bench.healing.clone(), "config", &path).install();
    let refused = refused.unwrap_err();
    assert!(
        refused.to_string().contains("not a regular file"),
        "{refused}"
    );
    bench.end().await;

    fs::remove_file(&path).unwrap();
    fs::write(&path, "80").unwrap();
    let mut yard = Yard::new(&path);
    for _ in 0..3 {
        fs::remove_file(&path).unwrap();
        fifo(&path);
        yard.eventually("it is reported", |yard| {
            let issues = yard.bench.healing.issues();
            let mut types = issues.iter().map(|open| open.issue.key.issue_type.as_str());
            types.any(|issue_type| issue_type == "file_unreadable")
        })
        .await;
        fs::remove_file(&path).unwrap();
        while yard.closes().await.1 != Closed::Healed {}
        assert_eq!(fs::read(&path).unwrap(), b"80");
    }
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_validator_that_hangs_holds_neither_the_start_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fs::write(&path, "80").unwrap();
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let hangs = move |bytes: &[u8]| {
        if bytes == b"hang" {
            let _ = wait.lock().recv();
        }
        parse(bytes)
    };
    let hangs = Arc::new(hangs);
    let short = Duration::from_millis(50);

    fs::write(&path, "hang").unwrap();
    let bench = Bench::start(eager());
    let judge = Arc::clone(&hangs);
    let guard = GuardFile::new(bench.healing.clone(), "config", &path)
        .validate(move |bytes| judge(bytes))
        .deadline(short);
    let late = guard.install().unwrap_err();
    assert!(matches!(late, GuardError::Late { .. }), "{late}");
    bench.end().await;

    fs::write(&path, "80").unwrap();
    let judge = Arc::clone(&hangs);
    let yard = Yard::with(&path, move |guard| {
        let guard = guard.validate(move |bytes| judge(bytes)).deadline(short);
        guard.every(seconds(1))
    });
    fs::write(&path, "hang").unwrap();
    let failed = r#"result="failed""#;
    yard.eventually("detection fails", |yard| {
        let page = yard.bench.page();
        let mut lines = page.lines().filter(|line| line.contains(failed));
        lines.any(|line| !line.ends_with(" 0"))
    })
    .await;
    let watched = yard.bench.healing.watched();
    assert!(watched[0].blind.is_some(), "it is not well: {watched:?}");
    // Another component is healed all the same.
    let faults = crate::bench::Faults::one("db");
    yard.bench.register(faults.mending_rule());
    yard.eventually("the other is healed", |yard| {
        yard.bench.scrape().closed.get(Closed::Healed) == 1
    })
    .await;
    yard.bench.end().await;
    drop(go);
}
