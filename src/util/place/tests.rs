//! Attacks of other users on a path. The tests with two users need root, and report it if they are
//! skipped.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use super::*;

const STRANGER: u32 = 65534;

/// A folder below one that no one else can write to.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn find(path: &Path) -> Result<Place, PlaceError> {
    Place::find(path, Sharing::REFUSED, &mut Vec::new())
}

fn read(place: &Place) -> String {
    let bytes = place.open().unwrap().read(100).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Whether a second user is possible here.
fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("{test} is left out: it needs root");
    }
    root
}

#[test]
fn a_path_is_followed_through_links_of_ours() {
    let folder = folder();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("r2/etc")).unwrap();
    fs::write(root.join("r2/etc/port"), "80").unwrap();
    symlink("r2", root.join("current")).unwrap();
    symlink("../current/./etc/port", root.join("r2/port")).unwrap();
    let mut steps = Vec::new();
    let path = root.join("current/../r2/port");
    let place = Place::find(&path, Sharing::REFUSED, &mut steps).unwrap();
    assert_eq!(place.path(), root.join("r2/etc/port"));
    assert!(place.linked);
    let file = root.join("r2/etc/port");
    let links = ["current", "r2/port", "current"].map(|link| root.join(link));
    assert_eq!(steps[..3], links);
    assert_eq!(steps[3..], *std::slice::from_ref(&file));
    assert_eq!(read(&place), "80");

    let place = Place::find(&root.join("current/etc/port"), Sharing::REFUSED, &mut steps);
    assert!(!place.unwrap().linked);
    assert_eq!(steps, [root.join("current"), file]);
}

#[test]
fn what_is_missing_is_distinguished_from_what_is_refused() {
    let folder = folder();
    let path = folder.path().join("none/port");
    assert!(find(&path).unwrap_err().is_missing());
    let place = find(&folder.path().join("port")).unwrap();
    let error = place.open().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    fs::write(folder.path().join("file"), "").unwrap();
    let error = find(&folder.path().join("file/port")).unwrap_err();
    assert!(!error.is_missing(), "{error}");
    fs::create_dir(folder.path().join("below")).unwrap();
    let error = find(&folder.path().join("below/..")).unwrap_err();
    assert!(error.to_string().contains("it is a directory"), "{error}");
}

#[test]
fn links_in_a_circle_end() {
    let folder = folder();
    symlink("b", folder.path().join("a")).unwrap();
    symlink("a", folder.path().join("b")).unwrap();
    for path in ["a", "a/port"] {
        let error = find(&folder.path().join(path)).unwrap_err();
        assert!(matches!(error, PlaceError::TooManyLinks { .. }), "{error}");
    }
}

#[test]
fn a_fifo_and_a_link_are_not_read() {
    let folder = folder();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("fifo"))
        .status();
    assert!(made.unwrap().success());
    let place = find(&folder.path().join("fifo")).unwrap();
    let error = place.open().unwrap_err();
    assert!(error.to_string().contains("regular"), "{error}");

    fs::write(folder.path().join("secret"), "x").unwrap();
    let place = find(&folder.path().join("port")).unwrap();
    symlink("secret", folder.path().join("port")).unwrap();
    assert!(place.open().is_err(), "it became a link");
    assert!(place.directory.open_to_write(&place.name).is_err());
    assert!(place.directory.open_or_create(&place.name).is_err());
    assert!(place.directory.create_new(&place.name).is_err());
    assert!(place.directory.has(&place.name).unwrap());
}

#[test]
fn what_is_held_is_not_what_has_the_name_now() {
    let folder = folder();
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("port"), "80").unwrap();
    let place = find(&etc.join("port")).unwrap();
    fs::rename(&etc, folder.path().join("old")).unwrap();
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("port"), "81").unwrap();
    assert_eq!(read(&place), "80");
    let directory = &place.directory;
    let (name, mut file) = directory.create_random(".new-".as_ref()).unwrap();
    file.write_all(b"82").unwrap();
    directory.rename(&name, &place.name).unwrap();
    directory.sync().unwrap();
    assert_eq!(fs::read(folder.path().join("old/port")).unwrap(), b"82");
    assert_eq!(fs::read(etc.join("port")).unwrap(), b"81");
}

#[test]
fn what_is_new_is_private_and_known_by_its_name() {
    let folder = folder();
    let directory = Directory::make(&folder.path().join("a/b"), Sharing::REFUSED).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&folder.path().join("a")), 0o700);
    assert_eq!(mode(&folder.path().join("a/b")), 0o700);
    let (name, _) = directory.create_random("x-".as_ref()).unwrap();
    let (other, _) = directory.create_random("x-".as_ref()).unwrap();
    assert_ne!(name, other);
    assert_eq!(mode(&directory.path().join(&name)), 0o600);
    assert!(is_random(&name, "x-".as_ref()));
    assert!(!is_random("x-corrupt".as_ref(), "x-".as_ref()));
    assert!(!is_random("x-0123456789abcdeF".as_ref(), "x-".as_ref()));
    assert!(!is_random("y-0123456789abcdef".as_ref(), "x-".as_ref()));
    let names = directory.names(10, |name| is_random(name, "x-".as_ref()));
    assert_eq!(names.unwrap().len(), 2);
    assert_eq!(directory.names(1, |_| true).unwrap().len(), 1);
    directory.remove(&name).unwrap();
    assert!(!directory.has(&name).unwrap());
}

#[test]
fn rights_come_back_without_those_of_the_owner() {
    let folder = folder();
    let path = folder.path().join("a");
    let file = fs::File::create(&path).unwrap();
    let meta = fs::metadata(&path).unwrap();
    let owner = |mode| Owner {
        user: meta.uid(),
        group: meta.gid(),
        mode,
    };
    owner(0o6755).give(&file).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
    if !is_root("to give files away") {
        return;
    }
    let stranger = Owner {
        user: STRANGER,
        group: STRANGER,
        mode: 0o640,
    };
    stranger.give(&file).unwrap();
    assert_eq!(Facts::of(&fs::metadata(&path).unwrap()).owner, stranger);
}

#[test]
fn root_refuses_where_another_may_write() {
    if !is_root("root_refuses_where_another_may_write") {
        return;
    }
    let folder = folder();
    let (etc, path) = (folder.path().join("etc"), folder.path().join("etc/port"));
    fs::create_dir(&etc).unwrap();
    let mode = |mode| fs::set_permissions(&etc, fs::Permissions::from_mode(mode)).unwrap();
    let refused = |what: &str| {
        let error = find(&path).unwrap_err();
        assert!(matches!(error, PlaceError::Shared { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
        let place = Place::find(&path, Sharing::ALLOWED, &mut Vec::new()).unwrap();
        assert!(place.directory.shared().unwrap().unwrap().contains(what));
    };
    mode(0o775);
    refused("for group 0");
    mode(0o1777);
    refused("for every user");
    mode(0o755);
    assert_eq!(find(&path).unwrap().directory.shared().unwrap(), None);
    chown(&etc, Some(STRANGER), None).unwrap();
    refused("user 65534");

    // For parent directories the sticky bit is enough, if root owns what is below.
    let below = etc.join("below");
    fs::create_dir(&below).unwrap();
    let error = find(&below.join("port")).unwrap_err();
    assert!(matches!(error, PlaceError::Shared { .. }), "{error}");
    chown(&etc, Some(0), None).unwrap();
    mode(0o777);
    let error = find(&below.join("port")).unwrap_err();
    assert!(matches!(error, PlaceError::Shared { .. }), "{error}");
    mode(0o1777);
    find(&below.join("port")).unwrap();
}

#[test]
fn a_link_of_a_stranger_is_not_followed_though_sharing_is_allowed() {
    if !is_root("a_link_of_a_stranger_is_not_followed_though_sharing_is_allowed") {
        return;
    }
    let folder = folder();
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::create_dir(etc.join("r1")).unwrap();
    let find = |path: &str| Place::find(&etc.join(path), Sharing::ALLOWED, &mut Vec::new());
    let refused = |path: &str, what: &str| {
        let error = find(path).unwrap_err();
        assert!(matches!(error, PlaceError::Link { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    for (link, to) in [("port", "/etc/shadow"), ("current", "r1")] {
        symlink(to, etc.join(link)).unwrap();
        std::os::unix::fs::lchown(etc.join(link), Some(STRANGER), None).unwrap();
    }
    refused("port", "belongs to user 65534");
    refused("current/port", "belongs to user 65534");

    for link in ["port", "current"] {
        std::os::unix::fs::lchown(etc.join(link), Some(0), None).unwrap();
    }
    find("current/port").unwrap();
    chown(&etc, Some(STRANGER), None).unwrap();
    refused("port", "its folder belongs to user 65534");
    refused("current/port", "its folder belongs to user 65534");
}

/// As with another account that deploys: `current` is its link, in its folder.
#[test]
fn a_user_who_is_named_is_trusted_with_links_and_folders() {
    if !is_root("a_user_who_is_named_is_trusted_with_links_and_folders") {
        return;
    }
    let folder = folder();
    let etc = folder.path().join("etc");
    fs::create_dir_all(etc.join("r1")).unwrap();
    symlink("r1", etc.join("current")).unwrap();
    std::os::unix::fs::lchown(etc.join("current"), Some(STRANGER), None).unwrap();
    for path in [&etc, &etc.join("r1")] {
        chown(path, Some(STRANGER), None).unwrap();
    }
    let find = |user| {
        let sharing = Sharing {
            trusted: Some(user),
            ..Sharing::REFUSED
        };
        Place::find(&etc.join("current/port"), sharing, &mut Vec::new())
    };
    assert_eq!(find(STRANGER).unwrap().path(), etc.join("r1/port"));
    let error = find(STRANGER - 1).unwrap_err();
    assert!(matches!(error, PlaceError::Shared { .. }), "{error}");

    // Others are still not trusted.
    fs::set_permissions(etc.join("r1"), fs::Permissions::from_mode(0o777)).unwrap();
    let error = find(STRANGER).unwrap_err();
    assert!(error.to_string().contains("for every user"), "{error}");
    std::os::unix::fs::lchown(etc.join("current"), Some(STRANGER - 1), None).unwrap();
    let error = find(STRANGER).unwrap_err();
    assert!(matches!(error, PlaceError::Link { .. }), "{error}");
}
