//! Fifty scrapers, as a process of their own that gets what others leave of the processors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SCRAPERS: u32 = 50;

/// The arguments of the process: address, path, encoding, and milliseconds between scrapes.
const ORDER: &str = "BENCH_HOSTILE_SCRAPERS";

/// The results of the scrapers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) whole: f64,
    pub(crate) other: f64,
}

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.whole += other.whole;
        self.other += other.other;
    }
}

pub(crate) struct Scrapers {
    child: Child,
    /// They go on until it is closed.
    go: ChildStdin,
}

pub(crate) fn start(
    address: SocketAddr,
    path: &str,
    encoding: &str,
    pause: Option<Duration>,
) -> Scrapers {
    let own = std::env::current_exe().unwrap();
    let idle = Command::new("chrt").args(["--idle", "0", "true"]).status();
    let mut command = if idle.is_ok_and(|status| status.success()) {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(own);
        command
    } else {
        Command::new(own)
    };
    let pause = pause.unwrap_or_default().as_millis();
    let child = command
        .env(ORDER, format!("{address} {path} {encoding} {pause}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let go = child.stdin.take().unwrap();
    // All are connected.
    sleep(Duration::from_millis(500));
    Scrapers { child, go }
}

impl Scrapers {
    pub(crate) fn end(mut self) -> Load {
        drop(self.go);
        let mut line = String::new();
        let out = self.child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        self.child.wait().unwrap();
        let mut words = line.split_whitespace().map(|word| word.parse().unwrap());
        let (whole, other) = (words.next().unwrap(), words.next().unwrap());
        Load { whole, other }
    }
}

/// Scrapes, if this process is to; says whether it was.
pub(crate) fn are_we() -> bool {
    let Ok(order) = std::env::var(ORDER) else {
        return false;
    };
    let words: Vec<&str> = order.split(' ').collect();
    let address: SocketAddr = words[0].parse().unwrap();
    let pause = Duration::from_millis(words[3].parse().unwrap());
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: x\r\naccept-encoding: {}\r\nconnection: close\r\n\r\n",
        words[1], words[2]
    );
    let over = AtomicBool::new(false);
    let (whole, other) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for number in 0..SCRAPERS {
            let (request, over, whole, other) = (&request, &over, &whole, &other);
            scope.spawn(move || {
                // Spread over the time between two scrapes.
                sleep(pause * number / SCRAPERS);
                let mut due = Instant::now();
                while !over.load(Ordering::Relaxed) {
                    let count = if scrape(address, request) {
                        whole
                    } else {
                        other
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                    due += pause;
                    sleep(due.saturating_duration_since(Instant::now()));
                }
            });
        }
        let _ = std::io::stdin().read(&mut [0]);
        over.store(true, Ordering::Relaxed);
    });
    println!("{} {}", whole.into_inner(), other.into_inner());
    true
}

/// Says whether a whole page came.
fn scrape(address: SocketAddr, request: &str) -> bool {
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(request.as_bytes())?;
        read(&mut stream)
    });
    asked.unwrap_or(false)
}

fn read(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    let mut head = Vec::new();
    let mut last = Vec::new();
    let mut bytes = 0;
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read;
        if head.len() < 1_024 {
            head.extend_from_slice(&buffer[..read.min(1_024)]);
        }
        last.extend_from_slice(&buffer[read.saturating_sub(8)..read]);
        last.drain(..last.len().saturating_sub(8));
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    let whole = match length {
        Some(length) => head
            .find("\r\n\r\n")
            .is_some_and(|at| bytes == at + 4 + length),
        None => last.ends_with(b"0\r\n\r\n"),
    };
    Ok(whole && head.starts_with("HTTP/1.1 200"))
}
