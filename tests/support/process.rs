//! A child process whose output is read line by line and which ends with its owner.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a process may take to end after SIGTERM before SIGKILL follows.
const GRACE: Duration = Duration::from_secs(5);
/// More lines than this are counted, not kept.
const MOST_LINES: usize = 20_000;

/// A running child process. Dropping it sends SIGTERM, then, after five seconds, SIGKILL.
pub(crate) struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    not_kept: usize,
    streams_ended: usize,
}

impl Process {
    /// Starts `command` without an input; standard output and standard error are both read.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Arc::new(Output::default());
        let stdout = child.stdout.take().expect("piped above");
        let stderr = child.stderr.take().expect("piped above");
        read_lines(stdout, Arc::clone(&output));
        read_lines(stderr, Arc::clone(&output));
        Self {
            name,
            child,
            output,
        }
    }

    /// The id that the system gave the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line, past or to come, that `wanted` makes something of.
    ///
    /// Fails the test, showing what the process said, if it ends or the time is up before.
    pub(crate) fn wait_for_line<T>(
        &self,
        within: Duration,
        what: &str,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> T {
        let mut looked_at = 0;
        let mut found = None;
        self.wait_until(within, |state| {
            found = state.lines[looked_at..]
                .iter()
                .find_map(|line| wanted(line));
            looked_at = state.lines.len();
            found.is_some() || state.ended()
        });
        found.unwrap_or_else(|| {
            panic!(
                "{}: {what}: no such line within {within:?}, but:\n{}",
                self.name,
                self.text()
            )
        })
    }

    /// Everything that the process has printed so far, both streams in the order of arrival.
    pub(crate) fn text(&self) -> String {
        let state = self.output.state.lock().unwrap();
        let mut text = state.lines.join("\n");
        if state.not_kept > 0 {
            let _ = write!(text, "\n… and {} lines more", state.not_kept);
        }
        text
    }

    /// Waits until the process ends on its own, and gives its status.
    pub(crate) fn wait(&mut self, within: Duration) -> ExitStatus {
        let ended = self.wait_until(within, State::ended);
        assert!(
            ended,
            "{} still runs after {within:?}:\n{}",
            self.name,
            self.text()
        );
        self.child.wait().expect("the status of an own child")
    }

    /// Asks the process to end (SIGTERM), kills it if it does not, and gives its status.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        if !self.wait_until(GRACE, State::ended) {
            let _ = self.child.kill();
        }
        self.child.wait().expect("the status of an own child")
    }

    /// Sends a signal by name. Through the shell, whose `kill` is built in, since the standard
    /// library only knows SIGKILL. The process has not been waited for, so its id is still its own.
    pub(crate) fn signal(&self, signal: &str) {
        let _ = Command::new("sh")
            .args([
                "-c",
                "kill -s \"$1\" \"$2\"",
                "sh",
                signal,
                &self.id().to_string(),
            ])
            .stderr(Stdio::null())
            .status();
    }

    /// Waits on the output until `done` says so; false when the time was up first.
    fn wait_until(&self, within: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
        let deadline = Instant::now() + within;
        let mut state = self.output.state.lock().unwrap();
        while !done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.output.changed.wait_timeout(state, left).unwrap().0;
        }
        true
    }
}

impl State {
    /// Both streams are closed, which a process does at its end.
    fn ended(&self) -> bool {
        self.streams_ended == 2
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

fn read_lines(stream: impl Read + Send + 'static, output: Arc<Output>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let mut state = output.state.lock().unwrap();
            if state.lines.len() < MOST_LINES {
                let text = String::from_utf8_lossy(&line);
                state.lines.push(text.trim_end().to_owned());
            } else {
                state.not_kept += 1;
            }
            line.clear();
            output.changed.notify_all();
        }
        output.state.lock().unwrap().streams_ended += 1;
        output.changed.notify_all();
    });
}
