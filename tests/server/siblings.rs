//! The processes of one service on one page, with real processes and real sockets.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use selfheal::config::{Address, Secret, Server};
use selfheal::registry::{Counter, Family, Text};
use selfheal::server::Listener;
use selfheal::{Config, Selfheal};

use crate::ANY;
use crate::support::child::Example;
use crate::support::eventually;
use crate::support::http::{Request, Response};
use crate::support::prometheus::Prometheus;

/// Where a worker has its socket, and how many orders it counts.
const WORKER: &str = "TEST_WORKER";

fn orders(heal: &Selfheal, number: u64) {
    let orders: Family<Counter, [Text; 1]> = heal
        .registry()
        .counter("orders_total", "Orders")
        .labels(["shop"])
        .unwrap();
    orders.add(&["a \"b\""], number);
}

/// A worker, in a process of its own.
#[test]
fn child_that_is_a_worker() {
    let Ok(order) = std::env::var(WORKER) else {
        return;
    };
    let (path, number) = order.split_once(' ').unwrap();
    let server = Server::new().listen(ANY).listen_also(PathBuf::from(path));
    let server = server.bearer_token(Secret::new("t0ken"));
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    orders(&heal, number.parse().unwrap());
    let listener = heal.listen().unwrap();
    println!("\nlistening on http://{}", listener.address());
    // Runs until it is killed.
    let _ = std::io::stdin().read(&mut [0]);
    std::thread::park();
}

fn worker(socket: &Path, number: u64) -> Example {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "siblings::child_that_is_a_worker", "--nocapture"])
        .env(WORKER, format!("{} {number}", socket.display()));
    Example::listening(&mut command)
}

fn page(listener: &Listener, seconds: &str) -> Response {
    Request::get(&format!("http://{}/siblings", listener.address()))
        .header("authorization", "Bearer t0ken")
        .header("x-prometheus-scrape-timeout-seconds", seconds)
        .header("accept-encoding", "gzip")
        .send()
        .unwrap()
}

#[test]
fn one_page_has_the_series_of_two_processes_and_says_who_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let socket = |name: &str| folder.path().join(name);
    let [one, two] = [(socket("1"), 3), (socket("2"), 4)].map(|(path, n)| worker(&path, n));
    // It accepts connections, as far as the system does, and answers none.
    let _hangs = UnixListener::bind(socket("3")).unwrap();
    let server = Server::new().listen(ANY).bearer_token(Secret::new("t0ken"));
    let server = ["1", "2", "3", "4"]
        .iter()
        .fold(server, |server, name| server.sibling(socket(name)));
    let server = server.sibling(two.address);
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let listener = heal.listen().unwrap();

    let answer = page(&listener, "1");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.text();
    let instance = |name: &str| Address::from(socket(name)).to_string();
    let line = |name: &str, labels: &str| {
        let start = format!("{name}{{{labels}");
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        assert!(lines.len() == 1, "{start}: {lines:?} in {text}");
        lines[0].rsplit(' ').next().unwrap()
    };
    let orders = |instance: &str| {
        let labels = format!("instance=\"{instance}\",shop=\"a \\\"b\\\"\"");
        line("orders_total", &labels)
    };
    let up = |instance: &str| line("selfheal_sibling_up", &format!("instance=\"{instance}\""));
    assert_eq!(orders(&instance("1")), "3");
    assert_eq!(orders(&instance("2")), "4");
    assert_eq!(orders(&two.address.to_string()), "4");
    assert_eq!(text.matches("# TYPE orders_total counter").count(), 1);
    let found = ["1", "2", "3", "4"].map(|name| up(&instance(name)));
    assert_eq!(found, ["1", "1", "0", "0"]);
    let took = format!("instance=\"{}\"", instance("3"));
    let took = line("selfheal_sibling_scrape_duration_seconds", &took);
    let took: f64 = took.parse().unwrap();
    assert!((0.4..1.0).contains(&took), "{took}");

    // A killed process leaves its socket behind, and only its own series are missing.
    drop(one);
    let answer = page(&listener, "1");
    let text = answer.text();
    assert!(!text.contains(&format!("orders_total{{instance=\"{}\"", instance("1"))));
    assert!(text.contains(&format!(
        "selfheal_sibling_up{{instance=\"{}\"}} 0",
        instance("1")
    )));
    assert!(text.contains(&format!("orders_total{{instance=\"{}\"", instance("2"))));

    // Without access to the metrics there is none to those of others.
    let url = format!("http://{}/siblings", listener.address());
    assert_eq!(Request::get(&url).send().unwrap().status, 401);
    let unread = Request::new("HEAD", &url).header("authorization", "Bearer t0ken");
    assert_eq!(unread.send().unwrap().status, 200);
}

/// One process that sends without an end fails alone.
#[test]
fn what_never_ends_costs_a_bounded_amount_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let endless = folder.path().join("endless");
    let socket = UnixListener::bind(&endless).unwrap();
    let floods = std::thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        // Bytes that arrive before the request are not an answer to it.
        let mut asked = [0; 4096];
        let mut length = 0;
        while !asked[..length].ends_with(b"\r\n\r\n") {
            length += stream.read(&mut asked[length..]).unwrap();
        }
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
        stream.write_all(head).unwrap();
        let line = b"a 1\n".repeat(64 * 1024);
        let mut sent = 0;
        while stream.write_all(&line).is_ok() {
            sent += line.len();
        }
        sent
    });
    let server = Server::new().listen(ANY).sibling(endless);
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let listener = heal.listen().unwrap();
    let text = page(&listener, "20").text().to_owned();
    // On a busy machine the timeout may come first.
    let ended = ["too long in total", "no whole page in"];
    assert!(ended.iter().any(|why| text.contains(why)), "{text}");
    assert!(text.ends_with("\"} 0\n"));
    let sent = floods.join().unwrap();
    assert!(sent < 40 << 20, "{sent}");
    assert!(sent >= 32 << 20 || text.contains(ended[1]), "{sent}");
}

#[test]
fn who_lists_no_one_has_no_such_page() {
    let heal = Selfheal::new(Config::new().server(Server::new().listen(ANY))).unwrap();
    let listener = heal.listen().unwrap();
    assert_eq!(page(&listener, "1").status, 404);
}

#[test]
#[ignore = "needs a real Prometheus server: run `tests/all.sh prometheus`"]
fn a_real_prometheus_scrapes_the_siblings() {
    let folder = tempfile::tempdir().unwrap();
    let socket = |name: &str| folder.path().join(name);
    let [_one, two] = [(socket("1"), 3), (socket("2"), 4)].map(|(path, n)| worker(&path, n));
    let server = Server::new().listen(ANY).bearer_token(Secret::new("t0ken"));
    let server = server.sibling(socket("1")).sibling(socket("2"));
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let listener = heal.listen().unwrap();
    let prometheus = Prometheus::builder()
        .job_with(
            "shop",
            listener.address(),
            &[
                "metrics_path: /siblings",
                "honor_labels: true",
                "authorization: {credentials: t0ken}",
            ],
        )
        .start();
    prometheus.wait_until_up("shop");
    assert_eq!(prometheus.value("sum(orders_total)"), Some(7.0));
    let of = |name: &str| format!("{{instance=\"{}\"}}", Address::from(socket(name)));
    let one = format!("orders_total{}", of("1"));
    assert_eq!(prometheus.value(&one), Some(3.0));
    drop(two);
    let down = format!("selfheal_sibling_up{} == 0", of("2"));
    eventually(Duration::from_secs(30), "the second is down", || {
        let sum = prometheus.value("sum(orders_total)");
        match (prometheus.value(&down), sum) {
            (Some(_), Some(3.0)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}
