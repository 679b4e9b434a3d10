//! A listener that no one asks, and one with the page open, each in a process of its own.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use selfheal_benches::Line;

use crate::server;

/// How long the processor is watched.
const WATCHED: Duration = Duration::from_secs(20);

/// The arguments of the process.
const ORDER: &str = "BENCH_ENDPOINTS_IDLE";

/// The parts beside the application.
const KINDS: [&str; 3] = [
    "nothing",
    "an idle listener",
    "a listener with the page open",
];

/// Resident bytes and processor seconds, the latter of the time that is watched.
struct Cost {
    bytes: f64,
    seconds: f64,
}

pub(crate) fn lines() -> Vec<Line> {
    let [nothing, idle, open] = KINDS.map(cost);
    let mut lines = Vec::new();
    for (kind, cost) in KINDS[1..].iter().zip([idle, open]) {
        let mb = (cost.bytes - nothing.bytes) / 1e6;
        let line = Line::new(
            format!("{kind}: memory more than without"),
            "MB",
            [("", mb)],
        );
        lines.push(line.target("< 5"));
        let percent = 100.0 * (cost.seconds - nothing.seconds) / WATCHED.as_secs_f64();
        let line = Line::new(
            format!("{kind}: processor more"),
            "% of a core",
            [("", percent)],
        );
        lines.push(line.target("< 0.5"));
    }
    lines
}

fn cost(kind: &str) -> Cost {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(ORDER, kind)
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split_whitespace().map(|word| word.parse().unwrap());
    Cost {
        bytes: words.next().unwrap(),
        seconds: words.next().unwrap(),
    }
}

/// Is idle, if this process is to; says whether it was.
pub(crate) fn are_we() -> bool {
    let Ok(kind) = std::env::var(ORDER) else {
        return false;
    };
    let heal = server::application();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    heal.healing().unwrap();
    let listener = (kind != KINDS[0]).then(|| heal.listen().unwrap());
    if let Some(listener) = &listener {
        let address = listener.address();
        // The page is loaded once; then its events arrive.
        for path in ["/", "/page.css", "/page.js", "/chart.js", "/figures.js"] {
            read(address, path).unwrap();
        }
        if kind == KINDS[2] {
            std::thread::spawn(move || {
                loop {
                    // A stream ends after some seconds, and a browser opens the next.
                    let _ = read(address, "/events");
                    sleep(Duration::from_millis(250));
                }
            });
        }
    }
    sleep(Duration::from_secs(5));
    let begin = Instant::now();
    let before = processor_seconds();
    sleep(WATCHED);
    let seconds = processor_seconds() - before;
    let seconds = seconds * WATCHED.as_secs_f64() / begin.elapsed().as_secs_f64();
    println!("{} {seconds}", resident());
    true
}

fn read(address: SocketAddr, path: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

/// Of this whole process.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
    1_024.0 * kilobytes.unwrap().parse::<f64>().unwrap()
}

/// Of all threads that there are.
fn processor_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = tasks.map(|task| {
        let path = task.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let first = text.split_whitespace().next().map(str::parse::<f64>);
        first.and_then(Result::ok).unwrap_or_default()
    });
    nanoseconds.sum::<f64>() / 1e9
}
