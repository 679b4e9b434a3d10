//! The metric groups: the life of a tracker of each kind, what groups cost that are not used, and
//! what the collectors cost.
//! `cargo bench -p selfheal-benches --bench groups`, or with a word of a row's name behind `--`.
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

use std::time::Duration;

use criterion::Criterion;
use selfheal_benches::{criterion_folder, is_wanted, print};

/// Cargo names it while it builds a benchmark, and only then.
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(&criterion_folder(TMPDIR))
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    let mut lines = trackers::lines(&mut criterion, &is_wanted);
    lines.extend(untouched::lines(&mut criterion, &is_wanted));
    lines.extend(collectors::lines(&is_wanted));
    print("groups", &lines);
    criterion.final_summary();
}
