//! Several addresses, Unix sockets among them, and what is left of them.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use selfheal::config::{Address, Server};
use selfheal::registry::Registry;
use selfheal::server::{Endpoints, ListenError, Listener, router};
use selfheal::{Config, Selfheal};

use crate::support::http::Request;
use crate::{ANY, healthy};

/// The answer of `/livez` at a Unix socket.
fn livez(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    let request = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn several_addresses_and_a_unix_socket_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sock");
    let server = Server::new().listen(ANY).listen_also(ANY);
    let server = server.listen_also(path.clone());
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let listener = heal.listen().unwrap();
    let [
        Address::Tcp(first),
        Address::Tcp(second),
        Address::Unix(third),
    ] = listener.addresses()
    else {
        panic!("{:?}", listener.addresses());
    };
    assert_eq!((*first, third), (listener.address(), &path));
    for address in [first, second] {
        let answer = Request::get(&format!("http://{address}/livez")).send();
        assert_eq!(answer.unwrap().status, 200, "{address}");
    }
    assert!(livez(&path).starts_with("HTTP/1.1 200"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    listener.shutdown();
    assert!(!path.exists());
}

#[test]
fn a_socket_that_was_left_over_gives_way_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let listen = |name: &str| {
        let app = router(Endpoints::new(Registry::new(), healthy));
        let path = folder.path().join(name);
        let builder = Listener::builder(ANY, app).also(path.clone());
        builder.spawn().map(|listener| (listener, path))
    };
    // As left by a killed process.
    drop(UnixListener::bind(folder.path().join("left")).unwrap());
    let (first, path) = listen("left").unwrap();
    assert!(livez(&path).starts_with("HTTP/1.1 200"));
    let in_use = listen("left").unwrap_err();
    assert!(matches!(in_use, ListenError::Bind { .. }), "{in_use}");
    assert!(livez(&path).starts_with("HTTP/1.1 200"));
    std::fs::write(folder.path().join("file"), "of someone").unwrap();
    assert!(listen("file").is_err());
    let text = std::fs::read_to_string(folder.path().join("file")).unwrap();
    assert_eq!(text, "of someone");
    drop(first);
}

/// Names the limit of descriptors under which the process beside is to listen.
const FEW: &str = "TEST_FEW_DESCRIPTORS";

#[test]
#[ignore = "is the process that the test below starts"]
fn it_listens_with_few_descriptors() {
    if std::env::var_os(FEW).is_none() {
        return;
    }
    let app = router(Endpoints::new(Registry::new(), healthy));
    let listener = Listener::builder(ANY, app).spawn().unwrap();
    println!("listens on {}", listener.address());
    // Runs until the parent ends it.
    loop {
        std::thread::park();
    }
}

/// Without a free descriptor nothing is accepted, and no processor is burnt on trying; with one,
/// everything is as before.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_waits_and_comes_back() {
    use std::net::{SocketAddr, TcpStream};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(20);
    let mut command = std::process::Command::new("sh");
    command
        .arg("-c")
        .arg("ulimit -n 32; exec \"$0\" --exact sockets::it_listens_with_few_descriptors --ignored --nocapture")
        .arg(std::env::current_exe().unwrap())
        .env(FEW, "1");
    let child = crate::support::process::Process::spawn(&mut command);
    let address: SocketAddr = child.wait_for_line(LONG, "its address", |line| {
        line.split_once("listens on ")?.1.trim().parse().ok()
    });
    let url = format!("http://{address}/livez");
    let is_well = || match Request::get(&url).send() {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    };
    is_well().unwrap();
    // In clock ticks, a hundredth of a second each.
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').collect();
        [11, 12]
            .iter()
            .map(|n| fields[*n].parse::<u64>().unwrap())
            .sum()
    };
    // More than its descriptors; the kernel accepts them all.
    let silent: Vec<_> = (0..64)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let before = ticks();
    let short = Request::get(&url).timeout(Duration::from_secs(2)).send();
    assert!(short.is_err(), "it has no descriptor for this one");
    let burnt = ticks() - before;
    assert!(burnt < 50, "{burnt} ticks in two seconds");
    drop(silent);
    crate::support::eventually(LONG, "it answers again", is_well);
}
