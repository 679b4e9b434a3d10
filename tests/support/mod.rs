//! What several integration tests share: a bounded HTTP client, a real Prometheus server and
//! promtool, and the examples of this crate as running processes.
//!
//! Use it with `mod support;`. A helper fails the test that called it, with a message that says
//! what was expected and what came instead; none of them waits without a limit, and every process
//! ends with the value that stands for it.

#![allow(
    dead_code,
    reason = "each test file compiles all of this and uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

pub(crate) mod adds_up;
pub(crate) mod alertmanager;
pub(crate) mod browser;
pub(crate) mod canned;
pub(crate) mod child;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod promtool;

use std::time::{Duration, Instant};

/// Asks `probe` again and again until it has an answer, for at most `within`.
///
/// Only for what goes on in another process, where no injected clock reaches: a scrape by a real
/// Prometheus server, for one. The last refusal of `probe` is part of the failure.
pub(crate) fn eventually<T>(
    within: Duration,
    what: &str,
    mut probe: impl FnMut() -> Result<T, String>,
) -> T {
    const PAUSE: Duration = Duration::from_millis(50);
    let deadline = Instant::now() + within;
    loop {
        match probe() {
            Ok(answer) => return answer,
            Err(refusal) if Instant::now() >= deadline => {
                panic!("not within {within:?}: {what}; last seen: {refusal}")
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
