//! The test helpers themselves, tried on servers and processes of known behaviour, so that a
//! failure in another test file is the crate's.

mod support;

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use support::canned::Canned;
use support::child::{Example, is_fresh};
use support::http::Request;
use support::process::Process;
use support::prometheus::Prometheus;
use support::{eventually, promtool};

const EXPOSITION: &str = "\
# HELP shop_orders_total Orders taken.
# TYPE shop_orders_total counter
shop_orders_total{kind=\"web\"} 42
# HELP shop_queue_depth Orders that wait.
# TYPE shop_queue_depth gauge
shop_queue_depth 2.5
";

/// The same as OpenMetrics, with an exemplar.
const OPENMETRICS: &str = "\
# HELP shop_orders Orders taken.
# TYPE shop_orders counter
shop_orders_total{kind=\"web\"} 42.0 # {trace_id=\"abc123\"} 1.0
# EOF
";

#[test]
fn http_reads_status_headers_and_body() {
    let server = Canned::page("text/plain; version=0.0.4", EXPOSITION);
    let answer = server.get().send().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/plain; version=0.0.4")
    );
    assert_eq!(answer.text(), EXPOSITION);
    assert_eq!(answer.wire_bytes, EXPOSITION.len());
}

#[test]
fn http_skips_interim_answers_and_joins_chunks() {
    let server = Canned::new(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Unavailable\r\ntransfer-encoding: chunked\r\n\r\n\
         8;note=x\r\n{\"up\": f\r\n5\r\nalse}\r\n0\r\ntrailer: x\r\n\r\n",
    );
    let answer = server.get().send().unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), serde_json::json!({"up": false}));
}

#[test]
fn http_unpacks_gzip_and_counts_what_came_over_the_wire() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(EXPOSITION.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n".to_vec();
    bytes.extend_from_slice(&packed);
    let answer = Canned::new(bytes).get().send().unwrap();
    assert_eq!(answer.text(), EXPOSITION);
    assert_eq!(answer.wire_bytes, packed.len());
}

#[test]
fn http_refuses_what_a_scraper_would_refuse() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort";
    let long_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n";
    let no_gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nplain text all the way";
    for (bytes, kind) in [
        (short, ErrorKind::UnexpectedEof),
        (long_chunk, ErrorKind::InvalidData),
        (no_gzip, ErrorKind::InvalidInput),
        ("SSH-2.0-server\r\n", ErrorKind::InvalidData),
        ("", ErrorKind::InvalidData),
    ] {
        let error = Canned::new(bytes).get().send().unwrap_err();
        assert_eq!(error.kind(), kind, "{bytes:?}: {error}");
    }
}

#[test]
fn http_does_not_wait_longer_than_configured() {
    // Connects, since the system accepts for the listener, but never gets an answer.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let request = Request::get(&format!("http://{}/", silent.local_addr().unwrap()));
    let error = request
        .timeout(Duration::from_millis(20))
        .send()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn http_sends_method_query_headers_and_body() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api?x=1", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
        // Reads to the end: the client closes once it has its answer.
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .collect::<Vec<_>>()
    });
    let request = Request::post(&url, "name=ü").query(&[("query", "up{a=\"b\"} > 0")]);
    let answer = request.header("accept", "text/plain").send().unwrap();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let seen = server.join().unwrap();
    assert_eq!(
        seen[0],
        "POST /api?x=1&query=up%7Ba%3D%22b%22%7D%20%3E%200 HTTP/1.1"
    );
    assert!(seen.contains(&"accept: text/plain".to_owned()), "{seen:?}");
    assert!(seen.contains(&"content-length: 7".to_owned()), "{seen:?}");
    assert_eq!(seen.last().unwrap(), "name=ü");
}

/// Long enough for a shell to start on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_process_is_read_on_both_streams_to_its_end() {
    let mut process = Process::spawn(&mut shell("echo one; echo two >&2; exit 3"));
    for line in ["one", "two"] {
        process.wait_for_line(SOON, line, |said| (said == line).then_some(()));
    }
    assert_eq!(process.wait(SOON).code(), Some(3));
}

#[test]
fn a_process_is_asked_to_end_before_it_is_killed() {
    let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    let mut process = Process::spawn(&mut shell(script));
    process.wait_for_line(SOON, "ready", |line| (line == "ready").then_some(()));
    assert_eq!(process.stop().code(), Some(7));
    assert!(process.text().ends_with("bye"), "{}", process.text());
}

#[test]
fn a_dropped_process_is_gone() {
    let process = Process::spawn(&mut shell("echo ready; exec sleep 600"));
    process.wait_for_line(SOON, "ready", |line| (line == "ready").then_some(()));
    let id = process.id().to_string();
    let runs = || {
        Command::new("sh")
            .args(["-c", "kill -0 \"$1\" 2>&1", "sh", &id])
            .output()
    };
    assert!(runs().unwrap().status.success());
    drop(process);
    assert!(!runs().unwrap().status.success());
}

#[test]
#[should_panic(expected = "port in use")]
fn a_process_that_ends_too_early_fails_with_what_it_said() {
    Example::listening(&mut shell("echo 'error: port in use' >&2"));
}

#[test]
fn an_example_is_ready_once_it_says_where_it_listens() {
    let script = "echo hello; echo 'listening on http://127.0.0.1:4711/ (metrics)'; exec sleep 600";
    let example = Example::listening(&mut shell(script));
    assert_eq!(example.url("/metrics"), "http://127.0.0.1:4711/metrics");
}

#[test]
#[should_panic(expected = "no example target named `no_such_example`")]
fn an_example_that_does_not_exist_is_named() {
    Example::start("no_such_example", &[]);
}

#[test]
fn an_example_is_stale_when_a_source_is_newer_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (binary, source) = (folder.path().join("shop"), folder.path().join("a shop.rs"));
    let escaped = source.to_str().unwrap().replace(' ', "\\ ");
    assert!(!is_fresh(&binary), "there is no binary");
    std::fs::write(&source, "fn main() {}").unwrap();
    std::fs::write(&binary, "").unwrap();
    assert!(!is_fresh(&binary), "there is no dep-info");
    std::fs::write(
        folder.path().join("shop.d"),
        format!("{}: {escaped}\n", binary.display()),
    )
    .unwrap();
    assert!(is_fresh(&binary));
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    std::fs::File::options()
        .append(true)
        .open(&source)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert!(!is_fresh(&binary), "the source is newer");
    std::fs::remove_file(&source).unwrap();
    assert!(!is_fresh(&binary), "the source is gone");
}

#[test]
fn eventually_asks_until_there_is_an_answer() {
    let mut asked = 0;
    let answer = eventually(SOON, "the third time", || {
        asked += 1;
        if asked == 3 {
            Ok("here")
        } else {
            Err(format!("asked {asked} times"))
        }
    });
    assert_eq!(answer, "here");
}

#[test]
#[should_panic(expected = "last seen: nothing yet")]
fn eventually_gives_up_with_the_last_refusal() {
    eventually(Duration::ZERO, "never", || {
        Err::<(), _>("nothing yet".to_owned())
    });
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh"]
fn promtool_accepts_good_text_and_names_what_is_wrong() {
    let good = promtool::check_metrics(EXPOSITION);
    assert!(good.passed(), "{good:?}");
    let bad = promtool::check_metrics("# TYPE orders counter\norders 1\n");
    assert!(!bad.passed());
    assert!(
        bad.output.contains("should have \"_total\" suffix"),
        "{bad:?}"
    );
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh"]
fn prometheus_scrapes_text_and_answers_queries() {
    let shop = Canned::page("text/plain; version=0.0.4", EXPOSITION);
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = ["metrics_path: /elsewhere", "params: {verbose: ['1']}"];
    let server = Prometheus::builder()
        .job("shop", shop.address)
        .job_with("gone", gone, &settings)
        .start();
    server.wait_until_up("shop");
    assert_eq!(
        server.value("shop_orders_total{job=\"shop\",kind=\"web\"}"),
        Some(42.0)
    );
    assert_eq!(server.value("shop_queue_depth * 2"), Some(5.0));
    assert_eq!(server.value("shop_nothing"), None);
    let gone = eventually(SOON, "the other target was scraped", || {
        let targets = server.targets();
        let gone = targets
            .iter()
            .find(|target| target["labels"]["job"] == "gone")
            .cloned();
        gone.filter(|target| target["health"] == "down")
            .ok_or(format!("{targets:?}"))
    });
    assert!(
        gone["scrapeUrl"]
            .as_str()
            .unwrap()
            .ends_with("/elsewhere?verbose=1"),
        "{gone}"
    );
    assert!(
        gone["lastError"].as_str().unwrap().contains("refused"),
        "{gone}"
    );
    let now = server.value("time()").unwrap();
    let range = server.query_range("shop_queue_depth", now - 5.0, now, 1.0);
    assert_eq!(range["result"][0]["values"][0][1], "2.5", "{range}");
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh"]
fn prometheus_keeps_exemplars_where_enabled() {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let shop = Canned::page(content_type, OPENMETRICS);
    let server = Prometheus::builder()
        .job("shop", shop.address)
        .exemplars()
        .native_histograms()
        .start();
    server.wait_until_up("shop");
    let now = server.value("time()").unwrap();
    let found = server.query_exemplars("shop_orders_total", now - 60.0, now + 60.0);
    assert_eq!(
        found[0]["exemplars"][0]["labels"]["trace_id"], "abc123",
        "{found}"
    );
}

/// Packages of another release of Debian come from where this machine has its own: address, keys
/// and options stay, in both formats of apt and with lists of mirrors.
#[cfg(unix)]
#[test]
fn another_release_of_debian_comes_from_the_machines_own_sources() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("sources.list");
    std::fs::write(
        &lines,
        "# main archive\n\
         deb http://one.example/debian bookworm main contrib # and more\n\
         \tdeb [arch=amd64 signed-by=/k.gpg] http://two.example/debian stable contrib main\n\
         deb [trusted=yes] mirror+file:/etc/apt/mirrors.list bookworm main\n\
         deb-src http://one.example/debian bookworm main\n\
         #deb http://off.example/debian bookworm main\n\
         deb http://one.example/debian bookworm-updates main\n\
         deb http://one.example/debian-security bookworm-security main\n\
         deb http://else.example/debian bookworm stable\n\
         deb http://else.example/flat ./\n\
         deb cdrom:[Debian 12 - Official amd64]/ bookworm main\n",
    )
    .unwrap();
    let stanzas = folder.path().join("debian.sources");
    std::fs::write(
        &stanzas,
        "# Made by an installer\n\
         Types: deb deb-src\n\
         # another line\n\
         URIs: http://one.example/debian http://two.example/debian\n\
         suites: bookworm\n bookworm-updates\n\
         Components: main non-free\n\
         Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n\
         \n\
         Types: deb\nURIs: http://one.example/debian-security\nSuites: bookworm-security\n\
         Components: main\n\
         \n\
         Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\n\
         Components: main\n\
         \n\n\
         Types: deb-src\nURIs: http://source.example/debian\nSuites: bookworm\nComponents: main\n",
    )
    .unwrap();
    let script = "source tests/debian.sh; codename() { printf bookworm; }; \
                  lines_of testing \"$1\"; echo; stanzas_of testing \"$2\"";
    let output = Command::new("bash")
        .args(["-euc", script, "bash"])
        .args([&lines, &stanzas])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "deb http://one.example/debian testing main\n\
         \tdeb [arch=amd64 signed-by=/k.gpg] http://two.example/debian testing main\n\
         deb [trusted=yes] mirror+file:/etc/apt/mirrors.list testing main\n\
         \n\
         Types: deb\nSuites: testing\nComponents: main\n\
         URIs: http://one.example/debian http://two.example/debian\n\
         Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n\
         \n"
    );
    for script in ["tests/all.sh", "tests/debian.sh"] {
        let text = std::fs::read_to_string(script).unwrap();
        assert!(!text.contains("://"), "{script} names a host");
    }
}
