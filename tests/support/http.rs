//! A small HTTP/1.1 client for tests: one request, one connection, bounded in time and size.
//!
//! It reads strictly, since it stands for the scrapers that the crate has to please: a body that
//! is shorter than announced, a chunk with a bad length or broken gzip is an error.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

const TIMEOUT: Duration = Duration::from_secs(10);
const MOST_HEADERS: usize = 100;
const LONGEST_LINE: u64 = 16 * 1024;
/// Of a body, as it comes and after decompression.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A request that is not sent yet.
#[derive(Debug, Clone)]
#[must_use = "call send()"]
pub(crate) struct Request {
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeout: Duration,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In the order of arrival; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Without the transfer and content codings.
    pub(crate) body: Vec<u8>,
    /// How many bytes of body came over the wire, before decompression.
    pub(crate) wire_bytes: usize,
}

impl Request {
    /// `GET http://HOST:PORT/PATH`.
    pub(crate) fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// `POST`, with a body.
    pub(crate) fn post(url: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut request = Self::new("POST", url);
        request.body = body.into();
        request
    }

    /// Any method. The host is an address with a port, as no test asks a name server.
    pub(crate) fn new(method: &str, url: &str) -> Self {
        let rest = url.strip_prefix("http://");
        let rest = rest.unwrap_or_else(|| panic!("not an http URL: {url}"));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Self {
            method: method.to_owned(),
            host: host.to_owned(),
            target: format!("/{path}"),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: TIMEOUT,
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds query parameters, percent-encoded.
    pub(crate) fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        for (name, value) in parameters {
            self.target
                .push(if self.target.contains('?') { '&' } else { '?' });
            self.target += &percent_encoded(name);
            self.target.push('=');
            self.target += &percent_encoded(value);
        }
        self
    }

    /// From connecting to the last byte; ten seconds unless set.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the request and reads the whole response.
    pub(crate) fn send(&self) -> io::Result<Response> {
        let address: SocketAddr = self
            .host
            .parse()
            .map_err(|_| bad("the host is no address"))?;
        let deadline = Instant::now() + self.timeout;
        let mut stream = TcpStream::connect_timeout(&address, self.timeout)?;
        stream.set_write_timeout(Some(self.timeout))?;
        stream.write_all(&self.to_bytes()?)?;
        read_response(
            &mut BufReader::new(Bounded { stream, deadline }),
            &self.method,
        )
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write!(bytes, "{} {} HTTP/1.1\r\n", self.method, self.target)?;
        write!(bytes, "host: {}\r\nconnection: close\r\n", self.host)?;
        if !self.body.is_empty() {
            write!(bytes, "content-length: {}\r\n", self.body.len())?;
        }
        for (name, value) in &self.headers {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

impl Response {
    /// The first header of that name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; fails the test if it is not UTF-8.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON; fails the test if it is not.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("status {}, no JSON ({error}): {}", self.status, self.text())
        })
    }
}

/// A stream whose every read ends by one deadline, however the bytes trickle in.
struct Bounded {
    stream: TcpStream,
    deadline: Instant,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream
            .read(buffer)
            .map_err(|error| match error.kind() {
                // The error of Linux when a read times out.
                io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
                _ => error,
            })
    }
}

fn read_response(stream: &mut impl BufRead, method: &str) -> io::Result<Response> {
    let (status, headers) = loop {
        let head = read_head(stream)?;
        // 1xx answers precede the final one.
        if head.0 >= 200 {
            break head;
        }
    };
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
        wire_bytes: 0,
    };
    if method == "HEAD" || matches!(status, 204 | 304) {
        return Ok(response);
    }
    response.body = if response.header("transfer-encoding") == Some("chunked") {
        read_chunks(stream)?
    } else if let Some(length) = response.header("content-length") {
        let length = length
            .parse()
            .map_err(|_| bad("content-length is not a number"))?;
        read_exactly(stream, length)?
    } else {
        read_all(stream)?
    };
    response.wire_bytes = response.body.len();
    match response.header("content-encoding") {
        None | Some("identity") => {}
        Some("gzip") => response.body = gunzip(&response.body)?,
        Some(other) => return Err(bad(&format!("unknown content-encoding {other}"))),
    }
    Ok(response)
}

fn read_head(stream: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let line = read_line(stream)?;
    let mut words = line.split(' ');
    let (version, status) = (
        words.next(),
        words.next().and_then(|word| word.parse().ok()),
    );
    let (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) = (version, status) else {
        return Err(bad(&format!("not a status line: {line:?}")));
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(bad(&format!("not a header: {line:?}")));
        };
        if headers.len() == MOST_HEADERS {
            return Err(bad("too many headers"));
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(bad("a line without its end"));
    };
    String::from_utf8(line.to_vec()).map_err(|_| bad("a line that is not UTF-8"))
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk without a length"))?;
        if size == 0 {
            while !read_line(stream)?.is_empty() {}
            return Ok(body);
        }
        if body.len() as u64 + size > MOST_BYTES {
            return Err(bad("the body is too long"));
        }
        body.extend(read_exactly(stream, size)?);
        if !read_line(stream)?.is_empty() {
            return Err(bad("a chunk longer than it says"));
        }
    }
}

fn read_exactly(stream: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    if length > MOST_BYTES {
        return Err(bad("the body is too long"));
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

fn read_all(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    stream.take(MOST_BYTES + 1).read_to_end(&mut body)?;
    if body.len() as u64 > MOST_BYTES {
        return Err(bad("the body is too long"));
    }
    Ok(body)
}

fn gunzip(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = GzDecoder::new(compressed);
    let body = read_all(&mut decoder)?;
    if !decoder.into_inner().is_empty() {
        return Err(bad("more bytes after the gzip stream"));
    }
    Ok(body)
}

fn percent_encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
