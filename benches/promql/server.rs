//! A real Prometheus, which scrapes the same series and evaluates the same rules.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use selfheal::encode::{Encoding, Format, encode};

use super::rules::{Bench, all, file, own};

/// As many samples in a range as ours has: 20, a second apart.
const RANGE: &str = "20s";

/// How long it runs: the ranges are full, and as many evaluations follow.
const RUNS: Duration = Duration::from_secs(45);

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long an evaluation of a group takes it, in seconds, as the middle one of some: with rules on 25 series each and on all.
/// `None` without a Prometheus.
pub(crate) fn seconds() -> Option<(f64, f64)> {
    let Some(program) = std::env::var_os("TEST_PROMETHEUS_3") else {
        println!("missing: TEST_PROMETHEUS_3");
        return None;
    };
    let own = run(Path::new(&program), |n| own(n, RANGE));
    let all = run(Path::new(&program), |n| all(n, RANGE));
    Some((own, all))
}

fn run(program: &Path, expr: impl Fn(usize) -> String) -> f64 {
    let mut bench = Bench::new();
    bench.count();
    let page = Arc::new(Mutex::new(page(&bench)));
    let target = serve(Arc::clone(&page));
    let folder = std::env::temp_dir().join(format!("selfheal-bench-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rules.yml"), file("1s", expr)).unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nrule_files: [rules.yml]\n\
         scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let child = Command::new(program)
        .arg(format!("--web.listen-address={free}"))
        .arg(format!(
            "--config.file={}",
            folder.join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let mut took = Vec::new();
    for second in 0..RUNS.as_secs() {
        thread::sleep(Duration::from_secs(1));
        bench.count();
        *page.lock().unwrap() = self::page(&bench);
        // As soon as the ranges are full.
        if second > 25 {
            let metrics = get(&free.to_string(), "/metrics");
            let name = "prometheus_rule_group_last_duration_seconds";
            let line = metrics.lines().find(|line| line.starts_with(name));
            let line = line.unwrap_or_else(|| panic!("no {name} in\n{metrics}"));
            took.push(line.rsplit(' ').next().unwrap().parse().unwrap());
        }
    }
    drop(running);
    let _ = std::fs::remove_dir_all(&folder);
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn page(bench: &Bench) -> String {
    let mut out = Vec::new();
    encode(
        &bench.registry.scrape(),
        Format::negotiate(None),
        Encoding::Identity,
        &mut out,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

/// Answers every request with the page.
fn serve(page: Arc<Mutex<String>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let page = page.lock().unwrap().clone();
            let _ = answer(stream, &page);
        }
    });
    address
}

fn answer(mut stream: TcpStream, page: &str) -> std::io::Result<()> {
    let mut head = [0; 4_096];
    let _ = stream.read(&mut head)?;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
