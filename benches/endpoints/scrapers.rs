//! Fifty connections that ask for the metrics in turn, as a process of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use selfheal_benches::Waits;

const CONNECTIONS: u32 = 50;

/// Between two scrapes of one connection: 2,000 a second in all.
const EVERY: Duration = Duration::from_millis(25);

/// The arguments of the process: address and encoding.
const ORDER: &str = "BENCH_ENDPOINTS_SCRAPERS";

/// The results of the scrapers.
#[derive(Default)]
pub(crate) struct Load {
    /// How long each whole page took, in seconds.
    pub(crate) took: Waits,
    pub(crate) failed: f64,
    pub(crate) seconds: f64,
}

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.took.add(other.took);
        self.failed += other.failed;
        self.seconds += other.seconds;
    }
}

pub(crate) struct Scrapers {
    child: Child,
    /// They go on until it is closed.
    go: ChildStdin,
}

pub(crate) fn start(address: SocketAddr, encoding: &str) -> Scrapers {
    let child = Command::new(std::env::current_exe().unwrap())
        .env(ORDER, format!("{address} {encoding}"))
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
        let out = BufReader::new(self.child.stdout.take().unwrap());
        let mut lines = out
            .lines()
            .map(|line| line.unwrap().parse::<f64>().unwrap());
        let (seconds, failed) = (lines.next().unwrap(), lines.next().unwrap());
        let took = lines.collect();
        self.child.wait().unwrap();
        Load {
            took,
            failed,
            seconds,
        }
    }
}

/// Scrapes, if this process is to; says whether it was.
pub(crate) fn are_we() -> bool {
    let Ok(order) = std::env::var(ORDER) else {
        return false;
    };
    let (address, encoding) = order.split_once(' ').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let request =
        format!("GET /metrics HTTP/1.1\r\nhost: x\r\naccept-encoding: {encoding}\r\n\r\n");
    let over = AtomicBool::new(false);
    let begin = Instant::now();
    let found = std::thread::scope(|scope| {
        let (request, over) = (&request, &over);
        let each = move |number| scrape_on(address, request, begin, number, over);
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| scope.spawn(move || each(number)))
            .collect();
        let _ = std::io::stdin().read(&mut [0]);
        over.store(true, Ordering::Relaxed);
        let found = threads.into_iter().map(|thread| thread.join().unwrap());
        found.collect::<Vec<_>>()
    });
    let failed: u32 = found.iter().map(|(_, failed)| failed).sum();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}\n{failed}", begin.elapsed().as_secs_f64()).unwrap();
    for took in found.iter().flat_map(|(took, _)| took) {
        writeln!(out, "{took}").unwrap();
    }
    true
}

/// Scrapes until it is over. Gives how long each whole page took from when it was due, and how many
/// there were beside those.
fn scrape_on(
    address: SocketAddr,
    request: &str,
    begin: Instant,
    number: u32,
    over: &AtomicBool,
) -> (Vec<f64>, u32) {
    let (mut took, mut failed) = (Vec::new(), 0);
    let mut buffer = vec![0; 256 * 1024];
    let mut stream = None;
    let mut due = begin + EVERY * number / CONNECTIONS;
    while !over.load(Ordering::Relaxed) {
        sleep(due.saturating_duration_since(Instant::now()));
        let mut asked = stream.take().or_else(|| TcpStream::connect(address).ok());
        let whole = asked.as_mut().is_some_and(|stream| {
            let sent = stream.write_all(request.as_bytes());
            sent.is_ok() && read(stream, &mut buffer).unwrap_or(false)
        });
        if whole {
            took.push(due.elapsed().as_secs_f64());
            stream = asked;
        } else {
            failed += 1;
        }
        due += EVERY;
    }
    (took, failed)
}

/// Says whether a whole page came.
fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<bool> {
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..])?;
        length += read;
        if read == 0 {
            return Ok(false);
        }
        let Some(at) = buffer[..length]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..at]).to_ascii_lowercase();
        let whole = match head.split("content-length: ").nth(1) {
            Some(rest) => {
                let said = rest.split("\r\n").next().and_then(|text| text.parse().ok());
                said.is_some_and(|said: usize| length == at + 4 + said)
            }
            None => buffer[..length].ends_with(b"\r\n0\r\n\r\n"),
        };
        if whole {
            return Ok(head.starts_with("http/1.1 200"));
        }
    }
}
