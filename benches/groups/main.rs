//! The metric groups: the life of a tracker of each kind, what groups cost that are not used, and
//! what the collectors cost.
//! `cargo bench -p selfheal-benches --bench groups`, or with a word of a row's name behind `--`;
//! `valgrind --tool=callgrind BINARY --bench --only "an incident" 1000` watches one kind of tracker,
//! and with the name of a row of groups the scrapes of that row.
//!
//! Of a row in nanoseconds the fastest sample counts. What the collectors cost is the time on the
//! processor of all threads of the process, as the kernel counts it.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod collectors;
mod trackers;
mod untouched;

use selfheal_benches::{criterion, is_wanted, print};

/// Cargo names it while it builds a benchmark, and only then.
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

fn main() {
    if trackers::only() || untouched::only() {
        return;
    }
    let mut criterion = criterion(TMPDIR);
    let mut lines = trackers::lines(&mut criterion, &is_wanted);
    lines.extend(untouched::lines(&mut criterion, &is_wanted));
    lines.extend(collectors::lines(&is_wanted));
    print("groups", &lines);
    criterion.final_summary();
}
