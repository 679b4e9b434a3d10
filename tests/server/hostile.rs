//! Peers that hold connections, leave what they asked for, or read half of it: over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use axum::Router;
use selfheal::registry::{Counter, Family, Histogram, Registry, Settings, Text};
use selfheal::server::{Endpoints, Limits, Listener, router};

use crate::healthy;

/// The timeout of any wait.
const LONG: Duration = Duration::from_secs(20);

/// A registry whose page takes some megabytes: too much for what the kernel keeps of an answer.
fn large(series: usize) -> Registry {
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = series;
    let registry = Registry::with_settings(settings);
    for family in ["first_total", "second_total"] {
        let family: Family<Counter, [Text; 1]> =
            registry.counter(family, "Work").labels(["path"]).unwrap();
        for n in 0..series / 2 {
            family.inc(&[format!("/a/rather/long/path/to/something/{n:0>60}")]);
        }
    }
    registry
}

fn endpoints(registry: &Registry) -> Endpoints {
    Endpoints::new(registry.clone(), healthy).compress(false)
}

fn listen(registry: &Registry, limits: Limits) -> Listener {
    let address = "127.0.0.1:0".parse().unwrap();
    Listener::spawn(address, router(endpoints(registry)), limits).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, LONG).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// Asks, and reads nothing.
fn leave(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = connect(address);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    stream
}

/// Asks, and reads until the connection ends.
fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8(answer).unwrap())
}

fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    ask(address, &request).unwrap()
}

fn assert_whole(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.300}");
    assert!(answer.ends_with("0\r\n\r\n"), "the last chunk");
}

#[test]
fn probes_are_answered_while_strangers_send_a_byte_now_and_then() {
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\n";
    let registry = Registry::new();
    let listener = listen(&registry, Limits::default());
    let mut strangers: Vec<TcpStream> = (0..100).map(|_| connect(listener.address())).collect();
    let begin = Instant::now();
    for round in 0..10 {
        for stranger in &mut strangers {
            // A displaced client finds its connection closed.
            let _ = stranger.write_all(&HEAD[round..=round]);
        }
        for path in ["/livez", "/readyz"] {
            assert!(
                get(listener.address(), path).starts_with("HTTP/1.1 200"),
                "{path}"
            );
        }
        assert!(get(listener.address(), "/metrics").starts_with("HTTP/1.1 200"));
    }
    assert!(begin.elapsed() < LONG);
}

#[test]
fn readers_that_take_nothing_keep_neither_probes_nor_scrapes_waiting() {
    let registry = large(40_000);
    let listener = listen(&registry, Limits::default());
    let address = listener.address();
    let slow: Vec<TcpStream> = (0..64).map(|_| leave(address, "/metrics")).collect();
    for _ in 0..5 {
        assert!(get(address, "/livez").starts_with("HTTP/1.1 200"));
    }
    // The first ones are slow after a second, and one of them is displaced.
    let begin = Instant::now();
    loop {
        let answer = get(address, "/metrics");
        if answer.starts_with("HTTP/1.1 200") {
            assert_whole(&answer);
            break;
        }
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer:.300}");
        assert!(begin.elapsed() < LONG, "no scrape comes through");
        std::thread::yield_now();
    }
    drop(slow);
}

/// Four slow readers cost the honest ones nothing.
#[test]
fn honest_scrapes_come_through_beside_slow_ones() {
    let registry = large(40_000);
    let listener = listen(&registry, Limits::default());
    let address = listener.address();
    let slow: Vec<TcpStream> = (0..4).map(|_| leave(address, "/metrics")).collect();
    let honest: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..5 {
                    assert_whole(&get(address, "/metrics"));
                }
            })
        })
        .collect();
    for thread in honest {
        thread.join().unwrap();
    }
    drop(slow);
}

/// The resident memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split_whitespace().nth(1).unwrap();
    pages.parse::<usize>().unwrap() * 4_096
}

/// Set in a process that runs one test alone, since it measures the whole process.
#[cfg(target_os = "linux")]
const ALONE: &str = "TEST_ALONE";

/// Pages that are asked for and never read, on a router that the application serves itself.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_read_takes_a_bounded_amount_of_memory() {
    if std::env::var_os(ALONE).is_none() {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "hostile::what_is_never_read_takes_a_bounded_amount_of_memory";
        let output = command.args(["--exact", name]).env(ALONE, "1").output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
        return;
    }
    // Few but heavy series: the limit is on bytes.
    let registry = Registry::new();
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .labels(["path"])
        .unwrap();
    for n in 0..2_500 {
        took.observe(&[format!("/a/rather/long/path/to/something/{n:0>90}")], 0.2);
    }
    let app: Router = router(endpoints(&registry));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let before = resident();
    let grown = tokio::task::spawn_blocking(move || {
        // Each requests a different page, so that they do not share one.
        let path = |n| format!("/metrics?name[]=took_seconds&name[]=n{n}");
        let mut open = Vec::new();
        let mut most = 0;
        for n in 0..100 {
            open.push(leave(address, &path(n)));
            assert!(get(address, "/livez").starts_with("HTTP/1.1 200"));
            most = most.max(resident().saturating_sub(before));
        }
        // Without a limit it would be one page for each: 600 MB.
        most
    });
    let grown = grown.await.unwrap();
    assert!(grown < 150_000_000, "{grown} bytes");
    server.abort();
}

/// HTTP/1.0 has no chunks: without its length, half a page would be taken for a whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_by_http_1_0_has_its_length_or_is_refused() {
    let registry = large(20_000);
    let app: Router = router(endpoints(&registry));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let merged = socket.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(socket, app).await });
    let alone = listen(&registry, Limits::default());
    let addresses = [merged, alone.address()];
    let check = move || {
        for address in addresses {
            let answer = ask(address, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(" 200 "), "{head}");
            let head = head.to_ascii_lowercase();
            assert!(
                head.contains(&format!("content-length: {}", body.len())),
                "{head}"
            );
            assert!(body.len() > 1_000_000 && body.ends_with('\n'));
        }
    };
    tokio::task::spawn_blocking(check).await.unwrap();

    let registry = large(300_000);
    let alone = listen(&registry, Limits::default());
    let address = alone.address();
    let refused =
        tokio::task::spawn_blocking(move || ask(address, "GET /metrics HTTP/1.0\r\n\r\n").unwrap());
    let refused = refused.await.unwrap();
    assert!(refused.contains(" 505 "), "{refused:.300}");
}

/// Middleware that reads on after the end of a body.
#[tokio::test]
async fn a_page_stays_ended_under_a_layer_that_compresses_it() {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    for series in [6_000, 10, 40_000] {
        let registry = large(series);
        let app: Router = router(endpoints(&registry));
        let app = app.layer(tower_http::compression::CompressionLayer::new());
        let request = axum::http::Request::get("/metrics").header("accept-encoding", "gzip");
        let answer = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let mut text = String::new();
        let mut reader = flate2::read::GzDecoder::new(&body[..]);
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(
            text.lines().filter(|line| line.contains("path=")).count(),
            series
        );
        selfheal::testing::assert_absent(&registry, "selfheal_scrapes_failed_total", &[]);
    }
}

/// Whatever it was, a body that is over stays over.
#[tokio::test]
async fn every_body_stays_ended() {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    let registry = large(20_000);
    let app: Router = router(endpoints(&registry));
    for (method, path) in [
        ("GET", "/metrics"),
        ("HEAD", "/metrics"),
        ("GET", "/metrics?name[]=none"),
        ("GET", "/health"),
        ("GET", "/livez"),
        ("GET", "/selfheal"),
    ] {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            frame.unwrap();
        }
        for _ in 0..3 {
            assert!(body.frame().await.is_none(), "{method} {path}");
        }
    }
}
