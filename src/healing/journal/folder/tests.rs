use std::fs;

use super::*;

#[test]
fn belongs_to_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Folder::open(folder.path().join("a/b")).unwrap();
    let second = Folder::open(folder.path().join("a/b"));
    assert!(matches!(second, Err(FolderError::InUse { .. })));
    drop(first);
    assert!(Folder::open(folder.path().join("a/b")).is_ok());
}

#[test]
fn lists_its_own_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    for name in [
        "journal-x.jsonl",
        "journal-+0000003.jsonl",
        "journal-3.jsonl",
        "notes.txt",
    ] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    store.create(3).unwrap().append(b"line\n").unwrap();
    assert!(store.create(3).is_err(), "nothing is overwritten");
    assert_eq!(store.list().unwrap(), [3]);
    let mut line = String::new();
    store.read(3).unwrap().read_line(&mut line).unwrap();
    assert_eq!(line, "line\n");
    store.remove(3).unwrap();
    assert_eq!(store.list().unwrap(), [0_u64; 0]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Folder::open(&file).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn the_lock_leaves_nothing_behind_and_a_leftover_locks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join(lock::NAME);
    fs::write(&lock, "").unwrap();
    let first = Folder::open(folder.path()).unwrap();
    assert!(lock.exists());
    drop(first);
    assert!(!lock.exists());
}

#[cfg(unix)]
#[test]
fn a_lock_that_was_removed_is_taken_again_unless_another_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join(lock::NAME);
    let first = Folder::open(folder.path()).unwrap();
    fs::remove_file(&lock).unwrap();
    first.create(1).unwrap();
    let second = Folder::open(folder.path());
    assert!(matches!(second, Err(FolderError::InUse { .. })));

    fs::remove_file(&lock).unwrap();
    let second = Folder::open(folder.path()).unwrap();
    let error = first.create(2).err().unwrap();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    assert!(lock.exists(), "it is the second's");
    second.create(2).unwrap();
}

/// Files that a stranger, or an earlier version, may have left at the journal's names.
#[cfg(unix)]
mod attacks {
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    use std::sync::Arc;

    use tokio::runtime::Handle;

    use super::*;
    use crate::config::Journal as Settings;
    use crate::healing::engine::Timeline;
    use crate::healing::journal::{Journal, replay};
    use crate::util::Clock;

    const STRANGER: u32 = 65534;

    fn mode(path: &std::path::Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &std::path::Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Whether a second user is possible here.
    fn is_root(test: &str) -> bool {
        let root = rustix::process::geteuid().is_root();
        if !root {
            println!("{test} is left out: it needs root");
        }
        root
    }

    fn fifo(path: &std::path::Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    #[test]
    fn the_files_are_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/journal");
        let store = Folder::open(&path).unwrap();
        let _file = store.create(1).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&folder.path().join("a")), 0o700);
        assert_eq!(mode(&path.join("journal-00000001.jsonl")), 0o600);
        assert_eq!(mode(&path.join(lock::NAME)), 0o600);
    }

    #[test]
    fn what_an_earlier_version_left_is_narrowed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, lock) = ("journal-00000001.jsonl", lock::NAME);
        for name in [file, lock] {
            fs::write(folder.path().join(name), "").unwrap();
            set_mode(&folder.path().join(name), 0o644);
        }
        set_mode(folder.path(), 0o777);
        let _store = Folder::open(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&folder.path().join(file)), 0o600);
        assert_eq!(mode(&folder.path().join(lock)), 0o600);
    }

    /// A folder like `/var/lib` is shared: it must stay usable for others.
    #[test]
    fn a_folder_with_other_content_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("data"), "").unwrap();
        set_mode(folder.path(), 0o755);
        let store = Folder::open(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o755);
        let _file = store.create(1).unwrap();
        assert_eq!(mode(&folder.path().join("journal-00000001.jsonl")), 0o600);
    }

    #[test]
    fn a_link_at_a_name_of_the_journal_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::create_dir(&path).unwrap();
        let target = folder.path().join("target");
        symlink(&target, path.join("journal-00000001.jsonl")).unwrap();
        let store = Folder::open(&path).unwrap();
        assert_eq!(store.list().unwrap(), [0_u64; 0]);
        assert!(store.create(1).is_err());
        assert!(!target.exists(), "nothing is made behind the link");

        fs::write(&target, "secret\n").unwrap();
        assert!(store.read(1).is_err());
        assert!(store.remove(1).is_err());
        assert!(path.join("journal-00000001.jsonl").is_symlink());
    }

    #[tokio::test(start_paused = true)]
    async fn names_that_are_taken_are_left_to_who_took_them() {
        let folder = tempfile::tempdir().unwrap();
        let taken = |number: u64| folder.path().join(name(number));
        symlink("nowhere", taken(1)).unwrap();
        fs::create_dir(taken(2)).unwrap();
        let store = Arc::new(Folder::open(folder.path()).unwrap());
        let timeline = Timeline::start(Clock::system(), Handle::current());
        let settings = Arc::new(Settings::new());
        let journal = Journal::in_files(store, &settings, 1, &timeline);
        journal.begin(Vec::new());
        journal.close().await;
        assert!(taken(1).is_symlink() && taken(2).is_dir());
        assert!(taken(3).is_file());
    }

    #[test]
    fn a_link_at_the_name_of_the_lock_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::create_dir(&path).unwrap();
        let target = folder.path().join("target");
        symlink(&target, path.join(lock::NAME)).unwrap();
        let error = Folder::open(&path).unwrap_err();
        assert!(matches!(error, FolderError::Io { .. }), "{error:?}");
        assert!(!target.exists());
    }

    #[test]
    fn a_fifo_keeps_no_one_waiting() {
        let folder = tempfile::tempdir().unwrap();
        fifo(&folder.path().join("journal-00000007.jsonl"));
        let store = Folder::open(folder.path()).unwrap();
        assert_eq!(store.list().unwrap(), [0_u64; 0]);
        assert!(store.read(7).is_err());
        assert!(store.remove(7).is_err());
        assert_eq!(replay(&store).unwrap().next_number(), 1);
        drop(store);

        fifo(&folder.path().join(lock::NAME));
        assert!(Folder::open(folder.path()).is_err());
    }

    /// The open folder stays in use, though its path points elsewhere.
    #[test]
    fn a_folder_that_is_swapped_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("journal"), folder.path().join("moved"));
        let store = Folder::open(&path).unwrap();
        fs::rename(&path, &moved).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let _file = store.create(1).unwrap();
        assert!(moved.join("journal-00000001.jsonl").exists());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn files_of_a_stranger_are_neither_read_nor_removed() {
        if !is_root("files_of_a_stranger_are_neither_read_nor_removed") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "journal-00000001.jsonl",
            "journal-18446744073709551615.jsonl",
        ];
        for name in names {
            let path = folder.path().join(name);
            fs::write(&path, "forged\n").unwrap();
            chown(&path, Some(STRANGER), None).unwrap();
        }
        let store = Folder::open(folder.path()).unwrap();
        assert_eq!(store.list().unwrap(), [0_u64; 0]);
        assert!(store.read(1).is_err());
        assert!(store.remove(1).is_err());
        let replay = replay(&store).unwrap();
        assert_eq!((replay.next_number(), replay.records.len()), (1, 0));
        assert!(names.iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn a_lock_file_of_a_stranger_is_named() {
        if !is_root("a_lock_file_of_a_stranger_is_named") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join(lock::NAME);
        fs::write(&lock, "").unwrap();
        chown(&lock, Some(STRANGER), None).unwrap();
        let error = Folder::open(folder.path()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("belongs to user 65534"), "{source}");
    }

    #[test]
    fn root_keeps_no_journal_where_a_stranger_may_write() {
        if !is_root("root_keeps_no_journal_where_a_stranger_may_write") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::create_dir(&path).unwrap();
        chown(&path, Some(STRANGER), None).unwrap();
        let error = Folder::open(&path).unwrap_err();
        assert!(
            error.to_string().contains("belongs to user 65534"),
            "{error}"
        );

        // Writable for all, and with files that are not of a journal.
        chown(&path, Some(0), None).unwrap();
        fs::write(path.join("data"), "").unwrap();
        set_mode(&path, 0o777);
        let error = Folder::open(&path).unwrap_err();
        assert!(matches!(error, FolderError::Shared { .. }), "{error:?}");
        assert_eq!(mode(&path), 0o777);

        // A folder above it.
        fs::create_dir(folder.path().join("above")).unwrap();
        set_mode(&folder.path().join("above"), 0o777);
        let error = Folder::open(folder.path().join("above/journal")).unwrap_err();
        assert!(matches!(error, FolderError::Shared { .. }), "{error:?}");

        // `open_shared` accepts each of them, but not a link of another user.
        for name in ["journal", "above/journal"] {
            let kept = Folder::open_shared(folder.path().join(name)).unwrap();
            kept.create(1).unwrap();
            assert_eq!(kept.list().unwrap(), [1], "{name}");
        }

        let link = folder.path().join("link");
        fs::create_dir(folder.path().join("own")).unwrap();
        symlink("own", &link).unwrap();
        lchown(&link, Some(STRANGER), None).unwrap();
        assert!(Folder::open(&link).is_err() && Folder::open_shared(&link).is_err());
        lchown(&link, Some(0), None).unwrap();
        assert!(Folder::open(&link).is_ok());
    }
}
