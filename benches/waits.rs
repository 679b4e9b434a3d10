//! The waits of another route of an application under other load.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The route is asked so often.
const EVERY: Duration = Duration::from_millis(2);

/// How long each request waited, in seconds.
#[derive(Debug, Default)]
pub struct Waits(Vec<f64>);

impl FromIterator<f64> for Waits {
    fn from_iter<I: IntoIterator<Item = f64>>(seconds: I) -> Self {
        let mut waits: Vec<f64> = seconds.into_iter().collect();
        waits.sort_by(f64::total_cmp);
        Self(waits)
    }
}

impl Waits {
    /// Adds what another run found.
    pub fn add(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
        self.0.sort_by(f64::total_cmp);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The value below which so many of a thousand are.
    #[must_use]
    pub fn quantile(&self, of_1000: usize) -> f64 {
        let at = self.0.len() * of_1000 / 1_000;
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// Asks `/other` for so long, on one connection; it has to answer `here`. What a request waits
/// counts from when it was due.
///
/// # Errors
/// The server cannot be reached, or hangs up.
pub fn asked(address: SocketAddr, time: Duration) -> std::io::Result<Waits> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut waits = Waits::default();
    let mut answer = [0; 1_024];
    let begin = Instant::now();
    let mut due = begin;
    while begin.elapsed() < time {
        sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(b"GET /other HTTP/1.1\r\nhost: x\r\n\r\n")?;
        let mut length = 0;
        while !answer[..length].ends_with(b"here\n") {
            let read = stream.read(&mut answer[length..])?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            length += read;
        }
        waits.0.push(due.elapsed().as_secs_f64());
        due += EVERY;
    }
    Ok(waits)
}
