//! A server of known behaviour: the same bytes for everybody.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::http::Request;

/// A server that gives every connection the same bytes; ends when dropped.
pub(crate) struct Canned {
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Canned {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Drop makes a connection without a request.
                if answer(stream.unwrap(), &bytes).is_none() {
                    return;
                }
            }
        });
        Self {
            address,
            thread: Some(thread),
        }
    }

    /// A page with status 200.
    pub(crate) fn page(content_type: &str, body: &str) -> Self {
        let length = body.len();
        Self::new(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        ))
    }

    /// A request for it.
    pub(crate) fn get(&self) -> Request {
        Request::get(&format!("http://{}/", self.address))
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        drop(TcpStream::connect(self.address));
        let _ = self.thread.take().unwrap().join();
    }
}

/// Reads one request head, and answers; `None` where no request came.
fn answer(mut stream: TcpStream, bytes: &[u8]) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
    // A client that hangs up early is part of the tests.
    let _ = stream.write_all(bytes);
    Some(())
}
