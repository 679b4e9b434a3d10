//! Common attacks: each is refused and counted, and the service continues.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use selfheal::registry::Registry;
use selfheal::server::{Endpoints, Limits, Listener, router};
use selfheal::testing::value;

use crate::support::http::Request;
use crate::{ANY, healthy};

/// The timeout of any wait.
const LONG: Duration = Duration::from_secs(20);

fn listen(registry: &Registry, limits: Limits) -> Listener {
    let app = router(Endpoints::new(registry.clone(), healthy));
    let builder = Listener::builder(ANY, app).limits(limits);
    builder.counted(registry).spawn().unwrap()
}

/// The answer to these bytes, until the connection ends.
fn said(listener: &Listener, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    // The connection may be closed before the last byte is written.
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// The refusals of a reason, waited for: a connection ends before it is counted.
fn refused(registry: &Registry, reason: &str, count: f64) {
    let begin = Instant::now();
    loop {
        let labels = [("reason", reason)];
        let found = value(registry, "selfheal_connections_refused_total", &labels);
        if found.is_some_and(|found| found >= count) {
            return;
        }
        assert!(begin.elapsed() < LONG, "{reason} is {found:?}, not {count}");
        std::thread::yield_now();
    }
}

fn is_well(listener: &Listener) {
    let livez = Request::get(&format!("http://{}/livez", listener.address()));
    assert_eq!(livez.send().unwrap().status, 200);
}

#[test]
fn heads_that_come_slowly_or_never_end_are_cut() {
    let registry = Registry::new();
    let mut limits = Limits::default();
    limits.head = Duration::from_millis(20);
    let impatient = listen(&registry, limits);
    assert_eq!(
        said(&impatient, b"GET /metrics HTTP/1.1\r\nhost: x\r\n"),
        ""
    );
    refused(&registry, "head", 1.0);
    // These are sent completely, however long that takes on a busy machine.
    let listener = listen(&registry, Limits::default());
    let long = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(20_000));
    for huge in [long, many] {
        let answer = said(&listener, huge.as_bytes());
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer:.100}"
        );
    }
    refused(&registry, "broken", 2.0);
    is_well(&listener);
}

#[test]
fn no_path_leads_out_of_the_endpoints() {
    let registry = Registry::new();
    let listener = listen(&registry, Limits::default());
    for path in [
        "/../etc/passwd",
        "/selfheal/../../etc/passwd",
        "/selfheal/%2e%2e/%2e%2e/etc/passwd",
        "/selfheal/..%2f..%2fetc%2fpasswd",
        "/selfheal/page.css/../../../etc/passwd",
        "/selfheal\\..\\..\\etc\\passwd",
        "/selfheal/page.css%00.html",
        "//etc/passwd",
        "/metrics/../../proc/self/environ",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = said(&listener, request.as_bytes());
        let status = answer.get(..12).unwrap_or_default();
        assert!(
            ["HTTP/1.1 404", "HTTP/1.1 400"].contains(&status),
            "{path}: {answer}"
        );
        assert!(!answer.contains("root:"), "{path}");
    }
    is_well(&listener);
}

/// The page names no host: whatever a client says that ours is, no link leads there.
#[test]
fn a_forged_host_is_nowhere_on_the_page() {
    let registry = Registry::new();
    let listener = listen(&registry, Limits::default());
    for request in [
        "GET /selfheal HTTP/1.1\r\nhost: evil.example\r\n",
        "GET /selfheal HTTP/1.1\r\nhost: x\r\nx-forwarded-host: evil.example\r\n",
        "GET http://evil.example/selfheal HTTP/1.1\r\nhost: evil.example\r\n",
    ] {
        let answer = said(
            &listener,
            format!("{request}connection: close\r\n\r\n").as_bytes(),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.contains("evil.example"), "{request}");
    }
}
