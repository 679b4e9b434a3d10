//! Requests that no ordinary client sends: each is answered, or its connection ends, and the next
//! one is served.

use std::time::Duration;

use selfheal::registry::Registry;
use selfheal::server::{Endpoints, Limits, router};
use selfheal::testing::serve_connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

use crate::healthy;

/// Longer than every deadline of a connection together, in virtual time.
const LONG: Duration = Duration::from_secs(120);

/// The answer to a request, of a listener with one connection.
async fn said(request: &[u8]) -> String {
    let (mut peer, stream) = duplex(1024 * 1024);
    let app = router(Endpoints::new(Registry::new(), healthy));
    let server = serve_connection(stream, app, Limits::default());
    let client = async {
        peer.write_all(request).await.unwrap();
        let mut said = Vec::new();
        let _ = peer.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    };
    let both = timeout(LONG, async { tokio::join!(server, client) });
    both.await.unwrap().1
}

/// A request line and headers, ended properly.
fn request(line: &str, headers: &[&str]) -> Vec<u8> {
    let mut text = format!("{line}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn odd() -> Vec<Vec<u8>> {
    let long = "a".repeat(70_000);
    let methods = [
        "get", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PRI", "",
        "G E T", "GÉT", "\u{1}", "GET\t", &long,
    ];
    let targets = [
        "",
        "*",
        "metrics",
        "//metrics",
        "/metrics/",
        "/metrics#x",
        "/metrics?",
        "/metrics?name[]=",
        "/metrics?name[]=%ff&name[]=%",
        "/metrics?%00",
        "/%6d%65trics",
        "/../metrics",
        "/%2e%2e/etc/passwd",
        "/metrics;x",
        "http://other/metrics",
        "http://[::1]:99999/",
        "other:80",
        "/\u{e9}",
        "/\\",
        "/\0",
        "/metrics HTTP/1.1 x",
        "/livez?x=y",
        "/health?..",
        &long,
    ];
    let versions = [
        "HTTP/0.9",
        "HTTP/1.0",
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/9.9",
        "http/1.1",
        "HTTP/1.1 ",
        "HTTP/",
        "",
        "RTSP/1.0",
    ];
    let headers: [&[&str]; 40] = [
        &[],
        &["host:"],
        &["host: x", "host: y"],
        &["host: a b"],
        &[" host: x"],
        &["host : x"],
        &["host"],
        &[": x"],
        &["a\0b: c"],
        &["a: \0"],
        &["a: b\rc"],
        &["a: é"],
        &["a:\tb"],
        &["a: b", " folded"],
        &["content-length: 5"],
        &["content-length: -1"],
        &["content-length: x"],
        &["content-length: 0x5"],
        &["content-length: 99999999999999999999"],
        &["content-length: 5", "content-length: 6"],
        &["content-length: 5", "transfer-encoding: chunked"],
        &["transfer-encoding: gzip"],
        &["transfer-encoding: chunked, chunked"],
        &["transfer-encoding: identity"],
        &["expect: 100-continue"],
        &["expect: 200-ok"],
        &["connection: close, keep-alive"],
        &["connection: upgrade", "upgrade: websocket"],
        &["upgrade: h2c", "http2-settings: x"],
        &["accept: */*;q=x"],
        &["accept: ;;;,,,"],
        &["accept-encoding: gzip;q=2, zstd;q=-1"],
        &["range: bytes=0-"],
        &["if-none-match: *"],
        &["authorization:"],
        &["authorization: Basic %%%"],
        &["authorization: Bearer"],
        &["x-prometheus-scrape-timeout-seconds: -1"],
        &["x-prometheus-scrape-timeout-seconds: 1e999"],
        &["x-prometheus-scrape-timeout-seconds: NaN"],
    ];
    let mut all = Vec::new();
    all.extend(methods.map(|method| request(&format!("{method} /metrics HTTP/1.1"), &["host: x"])));
    all.extend(targets.map(|target| request(&format!("GET {target} HTTP/1.1"), &["host: x"])));
    all.extend(versions.map(|version| request(&format!("GET /metrics {version}"), &["host: x"])));
    all.extend(headers.map(|headers| request("GET /metrics HTTP/1.1", headers)));
    all.push(request("GET /metrics HTTP/1.1", &[&format!("a: {long}")]));
    all.push(request("GET /metrics HTTP/1.1", &["a: b"; 200]));
    all.push(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec());
    all.push(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec());
    all.push(b"\r\n\r\n\r\nGET /livez HTTP/1.1\nhost: x\n\n".to_vec());
    all
}

#[tokio::test(start_paused = true)]
async fn odd_requests_are_answered_or_end_their_connection() {
    let all = odd();
    assert!(all.len() >= 90, "{}", all.len());
    for request in all {
        let said = said(&request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(100)]).into_owned();
        assert!(
            said.is_empty() || said.starts_with("HTTP/1."),
            "{shown:?}: {said:.200}"
        );
        let status: u16 = said.get(9..12).map_or(0, |status| status.parse().unwrap());
        assert!(
            (200..500).contains(&status) || [0, 100, 501, 505].contains(&status),
            "{shown:?}: {said:.200}"
        );
        assert!(
            !said.contains("etc/passwd"),
            "nothing is echoed: {said:.200}"
        );
    }
}
