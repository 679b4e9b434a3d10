//! Shared by the benchmarks: how their figures become rows of the tables in the README.

mod measured_label;
mod turns;
mod waits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;

pub use turns::{Contender, asked_only, only, take_turns};
pub use waits::{Waits, asked};

/// One row of the table: a piece of work, our figure, and those of the others.
#[derive(Debug)]
pub struct Line {
    /// The work.
    pub work: String,
    /// The unit of the figures: `ns`, `ms`, `bytes`, …
    pub unit: &'static str,
    /// The target; may be empty.
    pub target: String,
    /// The limit of the hardware; may be empty.
    pub limit: String,
    /// The contenders and their figures; ours first.
    pub cells: Vec<(String, f64)>,
}

impl Line {
    /// A row without target and limit.
    #[must_use]
    pub fn new<N: Into<String>>(
        work: impl Into<String>,
        unit: &'static str,
        cells: impl IntoIterator<Item = (N, f64)>,
    ) -> Self {
        let cells = cells.into_iter();
        Self {
            work: work.into(),
            unit,
            target: String::new(),
            limit: String::new(),
            cells: cells.map(|(name, value)| (name.into(), value)).collect(),
        }
    }

    /// Sets what we promised ourselves.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Sets what the hardware sets.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<String>) -> Self {
        self.limit = limit.into();
        self
    }
}

/// Prints rows as the README has them.
pub fn print(title: &str, lines: &[Line]) {
    println!("\n| {title} | selfheal | target | limit | others |");
    println!("|---|---|---|---|---|");
    for line in lines {
        let mut cells = line.cells.iter();
        let ours = cells.next().map_or(f64::NAN, |cell| cell.1);
        let others: Vec<String> = cells
            .map(|(name, value)| format!("{name} {}", figure(*value)))
            .collect();
        println!(
            "| {} | {} {} | {} | {} | {} |",
            line.work,
            figure(ours),
            line.unit,
            line.target,
            line.limit,
            others.join(", ")
        );
    }
    println!();
}

/// The time on the processor of all threads of this process: Linux counts it in nanoseconds for
/// each of them. Zero on other systems.
#[must_use]
pub fn processor_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let spent = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

/// Three digits that count, and no more: the machine is not more exact.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The nanoseconds that criterion has just written down for a benchmark: the fastest of its
/// samples. On a machine that has other work to do as well, the median says more about that
/// work. `tmpdir` is cargo's `CARGO_TARGET_TMPDIR`.
#[must_use]
pub fn fastest(tmpdir: &str, group: &str, name: &str) -> Option<f64> {
    samples(tmpdir, group, name)?.first().copied()
}

/// The median of what criterion has just written down, where threads get into each other's way:
/// the fastest sample is then the one in which they happened not to meet.
#[must_use]
pub fn median(tmpdir: &str, group: &str, name: &str) -> Option<f64> {
    let samples = samples(tmpdir, group, name)?;
    samples.get(samples.len() / 2).copied()
}

/// Nanoseconds of each sample, rising.
fn samples(tmpdir: &str, group: &str, name: &str) -> Option<Vec<f64>> {
    let path = criterion_folder(tmpdir)
        .join(folder(group))
        .join(folder(name))
        .join("new/sample.json");
    let text = std::fs::read_to_string(path).ok()?;
    let sample: serde_json::Value = serde_json::from_str(&text).ok()?;
    let numbers = |key: &str| {
        let list = sample[key].as_array().cloned().unwrap_or_default();
        list.into_iter().filter_map(|number| number.as_f64())
    };
    let each = numbers("times").zip(numbers("iters"));
    let mut each: Vec<f64> = each.map(|(time, times)| time / times).collect();
    each.sort_by(f64::total_cmp);
    Some(each)
}

/// Whether a row is among those whose names have a word behind `--` in them; all are where none is
/// given.
#[must_use]
pub fn is_wanted(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(&word))
}

/// Criterion for rows in nanoseconds, which puts its files where [`fastest`] looks for them: 20
/// samples in 0.8 s, unless the arguments of the process say otherwise.
#[must_use]
pub fn criterion(tmpdir: &str) -> Criterion {
    Criterion::default()
        .output_directory(&criterion_folder(tmpdir))
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args()
}

/// Where criterion is to put its files, and [`fastest`] looks for them: `target/criterion`.
#[must_use]
pub fn criterion_folder(tmpdir: &str) -> PathBuf {
    Path::new(tmpdir).with_file_name("criterion")
}

/// The folder that criterion makes of a name.
fn folder(name: &str) -> String {
    let name = name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_");
    let short: String = name.chars().take(64).collect();
    short.trim_end().to_owned()
}
