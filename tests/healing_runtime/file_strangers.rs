//! Attacks of another user on a guarded file in a directory that the user can write to, which was
//! allowed explicitly. These tests need root for the second user, and print when they are skipped.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use selfheal::healing::{Closed, GuardError, GuardFile, What};

use crate::bench::{Bench, eager, seconds};
use crate::file_bench::{STRANGER, Yard, hand_over, is_root, mode, owner, parse, set_mode};

/// A directory of another user with a file that has `80`, and a secret of root beside it.
struct Street {
    folder: tempfile::TempDir,
}

impl Street {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let street = Self { folder };
        fs::create_dir(street.directory()).unwrap();
        hand_over(&street.directory());
        street.write("80");
        set_mode(&street.path(), 0o644);
        fs::write(street.secret(), "4711").unwrap();
        set_mode(&street.secret(), 0o600);
        street
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("his")
    }

    fn path(&self) -> PathBuf {
        self.directory().join("port")
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    /// As the other user does it.
    fn write(&self, content: &str) {
        fs::write(self.path(), content).unwrap();
        hand_over(&self.path());
    }

    fn guarded(&self) -> Yard {
        Yard::with(&self.path(), |guard| {
            guard
                .validate(parse)
                .every(seconds(1))
                .allow_shared_directory()
        })
    }

    /// Nothing in the directory contains what only root may read, apart from links.
    fn keeps_the_secret(&self) {
        for entry in fs::read_dir(self.directory()).unwrap() {
            let path = entry.unwrap().path();
            if fs::symlink_metadata(&path).unwrap().is_file() {
                assert_ne!(fs::read(&path).unwrap(), b"4711", "{}", path.display());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn root_is_shown_why_a_place_is_not_guarded() {
    if !is_root("root_is_shown_why_a_place_is_not_guarded") {
        return;
    }
    let street = Street::new();
    let bench = Bench::start(eager());
    let guard = |path: &Path| GuardFile::new(bench.healing.clone(), "config", path);
    let refused = guard(&street.path()).install().unwrap_err();
    assert!(matches!(refused, GuardError::Untrusted { .. }), "{refused}");
    assert!(
        refused.to_string().contains("belongs to user 65534"),
        "{refused}"
    );

    let own = street.folder.path().join("port");
    fs::write(&own, "80").unwrap();
    let copy = guard(&own).copy_at(street.directory().join("copy"));
    let refused = copy.install().unwrap_err();
    assert!(matches!(refused, GuardError::Untrusted { .. }), "{refused}");

    // A link of that user is not followed even where the directory is accepted.
    fs::remove_file(street.path()).unwrap();
    symlink(street.secret(), street.path()).unwrap();
    hand_over(&street.path());
    let refused = guard(&street.path()).allow_shared_directory().install();
    let refused = refused.unwrap_err();
    assert!(matches!(refused, GuardError::Untrusted { .. }), "{refused}");
    assert!(
        refused.to_string().contains("this link is not followed"),
        "{refused}"
    );
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_program_with_the_setuid_bit_is_never_made_one_of_root() {
    if !is_root("a_program_with_the_setuid_bit_is_never_made_one_of_root") {
        return;
    }
    let street = Street::new();
    let mut yard = street.guarded();
    street.write("#!/bin/sh");
    set_mode(&street.path(), 0o6755);
    yard.heals().await;
    assert_eq!(fs::read(street.path()).unwrap(), b"80");
    assert_eq!(mode(&street.path()), 0o644);
    assert_eq!(owner(&street.path()), (STRANGER, STRANGER));
    let aside = yard.beside();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(aside[0].1, b"#!/bin/sh");
    assert_eq!(mode(&aside[0].0), 0o600);
    assert_eq!(owner(&aside[0].0), (0, 0));
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_in_the_place_of_the_copy_is_not_written_through() {
    if !is_root("a_link_in_the_place_of_the_copy_is_not_written_through") {
        return;
    }
    let street = Street::new();
    let mut yard = street.guarded();
    street.write("garbage");
    yard.heals().await;
    // A name derived from the content is predictable.
    let records = yard.bench.healing.recent(100);
    let hash = records.iter().find_map(|record| match &record.what {
        What::Opened { issue, .. } => {
            let mut evidence = issue.evidence.iter();
            let hash = evidence.find(|(what, _)| *what == "blake3");
            hash.map(|(_, hash)| hash[..12].to_owned())
        }
        _ => None,
    });
    for (path, _) in yard.beside() {
        fs::remove_file(path).unwrap();
    }
    let copy = format!("port.corrupt-{}", hash.unwrap());
    symlink(street.secret(), street.directory().join(&copy)).unwrap();
    hand_over(&street.directory().join(copy));
    street.write("garbage");
    yard.heals().await;
    assert_eq!(fs::read(street.secret()).unwrap(), b"4711");
    assert_eq!(mode(&street.secret()), 0o600);
    assert_eq!(fs::read(street.path()).unwrap(), b"80");
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_becomes_a_link_again_and_again_gives_no_secret_away() {
    if !is_root("a_file_that_becomes_a_link_again_and_again_gives_no_secret_away") {
        return;
    }
    let street = Street::new();
    let yard = street.guarded();
    let over = Arc::new(AtomicBool::new(false));
    let (stop, path, secret) = (Arc::clone(&over), street.path(), street.secret());
    let swaps = std::thread::spawn(move || {
        let next = path.with_file_name("next");
        while !stop.load(SeqCst) {
            fs::write(&next, "garbage").unwrap();
            hand_over(&next);
            fs::rename(&next, &path).unwrap();
            symlink(&secret, &next).unwrap();
            hand_over(&next);
            fs::rename(&next, &path).unwrap();
        }
    });
    for _ in 0..300 {
        tokio::time::sleep(seconds(1)).await;
        let kept = yard.beside().into_iter().map(|(path, _)| path);
        for copy in kept.filter(|path| path.to_string_lossy().contains(".corrupt-")) {
            assert_eq!(fs::read(copy).unwrap(), b"garbage");
        }
    }
    over.store(true, SeqCst);
    swaps.join().unwrap();
    street.keeps_the_secret();
    assert!(yard.file.kept().iter().all(|kept| kept.bytes == 2));
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_of_a_stranger_is_not_adopted_by_a_weak_validator() {
    if !is_root("a_link_of_a_stranger_is_not_adopted_by_a_weak_validator") {
        return;
    }
    let street = Street::new();
    let weak = |guard: GuardFile| guard.every(seconds(1)).allow_shared_directory();
    let mut yard = Yard::with(&street.path(), weak);
    for link in [true, false] {
        fs::remove_file(street.path()).unwrap();
        if link {
            symlink(street.secret(), street.path()).unwrap();
            hand_over(&street.path());
        } else {
            // The kernel may forbid this to another user.
            fs::hard_link(street.secret(), street.path()).unwrap();
        }
        tokio::time::sleep(seconds(30)).await;
        assert_eq!(yard.file.kept().len(), 1, "link: {link}");
        fs::remove_file(street.path()).unwrap();
        while yard.closes().await.1 != Closed::Healed {}
        assert_eq!(fs::read(street.path()).unwrap(), b"80");
        street.keeps_the_secret();
    }
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn files_of_a_stranger_that_look_like_ours_stay() {
    if !is_root("files_of_a_stranger_that_look_like_ours_stay") {
        return;
    }
    let street = Street::new();
    let mut yard = street.guarded();
    let his: Vec<PathBuf> = (0..9)
        .map(|n| {
            street
                .directory()
                .join(format!("port.corrupt-000000000000000{n}"))
        })
        .collect();
    for path in &his {
        fs::write(path, "his").unwrap();
        hand_over(path);
    }
    for n in 0..5 {
        street.write(&format!("garbage {n}"));
        yard.heals().await;
    }
    assert!(his.iter().all(|path| path.exists()));
    assert_eq!(yard.beside().len(), his.len() + 3);
    yard.bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn owner_and_rights_are_those_of_when_it_was_good() {
    if !is_root("owner_and_rights_are_those_of_when_it_was_good") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fs::write(&path, "80").unwrap();
    for (mine, rights) in [(false, 0o600), (true, 0o644)] {
        set_mode(&path, rights);
        let user = if mine { 0 } else { STRANGER };
        std::os::unix::fs::chown(&path, Some(user), Some(user)).unwrap();
        let mut yard = Yard::new(&path);
        fs::remove_file(&path).unwrap();
        yard.heals().await;
        assert_eq!((mode(&path), owner(&path)), (rights, (user, user)));
        // Also if they were changed together with the content.
        fs::write(&path, "garbage").unwrap();
        set_mode(&path, 0o666);
        std::os::unix::fs::chown(&path, Some(1), Some(1)).unwrap();
        yard.heals().await;
        assert_eq!((mode(&path), owner(&path)), (rights, (user, user)));
        yard.bench.end().await;
    }
}

/// Another, trusted user deploys the file.
#[tokio::test(start_paused = true)]
async fn a_file_behind_a_link_of_a_user_who_is_named_is_guarded() {
    if !is_root("a_file_behind_a_link_of_a_user_who_is_named_is_guarded") {
        return;
    }
    let street = Street::new();
    let current = street.folder.path().join("current");
    symlink("his", &current).unwrap();
    std::os::unix::fs::lchown(&current, Some(STRANGER), Some(STRANGER)).unwrap();
    let path = current.join("port");
    let bench = Bench::start(eager());
    let guard = || GuardFile::new(bench.healing.clone(), "config", &path).validate(parse);
    let refused = guard().allow_shared_directory().install().unwrap_err();
    assert!(matches!(refused, GuardError::Untrusted { .. }), "{refused}");
    let other = guard().trust_user(STRANGER - 1).install().unwrap_err();
    assert!(matches!(other, GuardError::Untrusted { .. }), "{other}");
    bench.end().await;

    let mut yard = Yard::with(&path, |guard| {
        guard.validate(parse).every(seconds(1)).trust_user(STRANGER)
    });
    street.write("garbage");
    yard.heals().await;
    assert_eq!(fs::read(street.path()).unwrap(), b"80");
    yard.bench.end().await;
}
