//! The healing engine: its core, and the engine as a service runs it.
//! `cargo bench -p selfheal-benches --bench healing`, or with a word of a row's name behind `--`.
//!
//! The table at the end has the fastest sample of each row of the core; the rows of the engine are
//! measured once, for ten seconds each.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on has nothing to measure"
)]

mod core;
mod engine;

use selfheal_benches::{criterion, is_wanted, print};

/// Cargo names it while it builds a benchmark, and only then.
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

fn main() {
    let mut criterion = criterion(TMPDIR);
    let mut lines = core::lines(&mut criterion, TMPDIR, &is_wanted);
    lines.extend(engine::lines(&is_wanted));
    print("healing", &lines);
}
