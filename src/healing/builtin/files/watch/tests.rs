use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::event::{CreateKind, DataChange, Flag, MetadataKind};

use super::*;

fn event(kind: EventKind, path: &str) -> Event {
    Event::new(kind).add_path(PathBuf::from(path))
}

fn watched(path: &Path) -> (Watch, Receiver<Change>) {
    let (hints, hinted) = channel();
    let watch = Watch::new(move |change| {
        let _ = hints.send(change);
    });
    watch.follow(vec![path.to_owned()]);
    assert!(watch.is_on(&[path.to_owned()]));
    (watch, hinted)
}

fn next(hinted: &Receiver<Change>) -> Change {
    hinted.recv_timeout(Duration::from_secs(30)).unwrap()
}

#[test]
fn a_directory_that_is_gone_is_known_though_another_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("etc");
    fs::create_dir(&directory).unwrap();
    let path = directory.join("shop.toml");
    let (watch, hinted) = watched(&path);
    fs::remove_dir(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    assert_eq!(next(&hinted), Change::Unclear);
    assert!(!watch.is_on(std::slice::from_ref(&path)));
    watch.follow(vec![path.clone()]);
    assert!(watch.is_on(std::slice::from_ref(&path)));
    fs::create_dir(&path).unwrap();
    assert_eq!(next(&hinted), Change::Seen(FileEvent::Created));
}

#[cfg(unix)]
#[test]
fn a_directory_whose_parent_was_swapped_is_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("a/etc");
    fs::create_dir_all(&etc).unwrap();
    let path = etc.join("shop.toml");
    let (watch, hinted) = watched(&path);
    let (other, others) = watched(&path);
    fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
    fs::create_dir_all(&etc).unwrap();
    for watch in [&watch, &other] {
        assert!(
            !watch.is_on(std::slice::from_ref(&path)),
            "no event says so"
        );
        watch.follow(vec![path.clone()]);
    }
    assert!(watch.is_on(std::slice::from_ref(&path)), "once is enough");
    fs::create_dir(&path).unwrap();
    assert_eq!(next(&hinted), Change::Seen(FileEvent::Created));
    assert_eq!(next(&others), Change::Seen(FileEvent::Created));
}

#[cfg(unix)]
#[test]
fn a_link_that_moves_is_a_hint_and_the_old_folder_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["r1", "r2"] {
        fs::create_dir(at(name)).unwrap();
    }
    let (watch, hinted) = watched(&at("r1/port"));
    watch.follow(vec![at("current"), at("r1/port")]);
    std::os::unix::fs::symlink("r2", at("current")).unwrap();
    assert_eq!(next(&hinted), Change::Unclear);
    watch.follow(vec![at("current"), at("r2/port")]);
    fs::create_dir(at("r1/port")).unwrap();
    fs::create_dir(at("r2/port")).unwrap();
    assert_eq!(next(&hinted), Change::Seen(FileEvent::Created));
    fs::remove_dir(at("r1/port")).unwrap();
    fs::remove_dir(at("r2/port")).unwrap();
    assert_eq!(next(&hinted), Change::Seen(FileEvent::Removed));
    assert!(hinted.try_recv().is_err(), "of the new folder alone");
}

#[test]
fn what_cannot_be_watched_is_not_heard() {
    let folder = tempfile::tempdir().unwrap();
    let watch = Watch::new(|_| {});
    watch.follow(vec![folder.path().join("none/port")]);
    assert!(!watch.hears());
    fs::create_dir(folder.path().join("none")).unwrap();
    watch.follow(vec![folder.path().join("none/port")]);
    assert!(watch.hears(), "it is tried again");
}

/// The event that the guard awaits before it takes bad content for a fault.
#[cfg(target_os = "linux")]
#[test]
fn the_end_of_writing_is_reported_last() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    let (_watch, hinted) = watched(&path);
    let mut file = fs::File::create(&path).unwrap();
    assert_eq!(next(&hinted), Change::Seen(FileEvent::Created));
    file.write_all(b"a").unwrap();
    assert_eq!(next(&hinted), Change::Written);
    assert!(hinted.try_recv().is_err(), "it is still open");
    drop(file);
    assert_eq!(next(&hinted), Change::Closed);
}

#[test]
fn only_what_is_about_the_file_counts() {
    let name: &std::ffi::OsStr = "shop.toml".as_ref();
    let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    assert_eq!(
        change(&event(modified, "/d/shop.toml"), name, true),
        Some(Change::Written)
    );
    let permitted = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Permissions));
    assert_eq!(
        change(&event(permitted, "/d/shop.toml"), name, true),
        Some(Change::Seen(FileEvent::Modified))
    );
    let closed = |mode| EventKind::Access(AccessKind::Close(mode));
    for (mode, found) in [
        (AccessMode::Write, Some(Change::Closed)),
        (AccessMode::Read, None),
    ] {
        let event = event(closed(mode), "/d/shop.toml");
        assert_eq!(change(&event, name, true), found);
    }
    assert_eq!(change(&event(modified, "/d/other"), name, true), None);
    let created = EventKind::Create(CreateKind::Any);
    assert_eq!(
        change(&event(created, "/d/..data"), "..data".as_ref(), false),
        Some(Change::Unclear),
        "a link on the way"
    );
    let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
    assert_eq!(change(&overflow, name, true), Some(Change::Unclear));
}
