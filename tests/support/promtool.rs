//! `promtool`, the command-line tool of Prometheus.

use std::io::Write;
use std::process::{Command, Stdio};

/// The output of promtool, both streams, and its exit status.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: Option<i32>,
    pub(crate) output: String,
}

impl Verdict {
    /// Whether promtool found nothing wrong.
    pub(crate) fn passed(&self) -> bool {
        self.status == Some(0)
    }
}

/// `promtool check metrics`: the text format, and the naming habits of Prometheus.
pub(crate) fn check_metrics(text: &str) -> Verdict {
    run(&["check", "metrics"], text)
}

/// promtool with any arguments and `input` on its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Verdict {
    let mut child = Command::new(super::prometheus::program("TEST_PROMTOOL"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = child.stdin.take().expect("piped above");
    let output = std::thread::scope(|scope| {
        // On a thread, since promtool may fill its output before it has read all of its input. It
        // may also end without reading: then its result counts, not the broken pipe.
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().expect("the end of promtool")
    });
    let mut said = output.stdout;
    said.extend_from_slice(&output.stderr);
    Verdict {
        status: output.status.code(),
        output: String::from_utf8_lossy(&said).into_owned(),
    }
}
