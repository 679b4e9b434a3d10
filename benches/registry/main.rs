//! Recording into metrics: this crate and its peers, in one run, on the same work.
//! `cargo bench -p selfheal-benches --bench registry`, or with a word of a row's name behind `--`.
//!
//! The table at the end has the fastest sample of each row, or the median where threads contend,
//! its target, and the limit of the hardware where there is one.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod labels;
mod ours;
mod peers;
mod rows;
mod work;

use selfheal_benches::{Line, criterion, fastest, is_wanted, median, print};

/// Cargo names it while it builds a benchmark, and only then.
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

fn main() {
    let mut criterion = criterion(TMPDIR);
    let mut lines = Vec::new();
    for row in rows::ROWS {
        if !is_wanted(row.name) {
            continue;
        }
        let mut group = criterion.benchmark_group(row.name);
        let mut cells = Vec::new();
        for &(library, prepare) in row.contenders {
            let mut run = prepare();
            group.bench_function(library, |bencher| bencher.iter_custom(&mut run));
            let figure = if row.contended { median } else { fastest };
            let nanoseconds = figure(TMPDIR, row.name, library);
            cells.extend(nanoseconds.map(|ns| (library, ns)));
        }
        group.finish();
        let line = Line::new(row.name, "ns", cells);
        lines.push(line.target(row.target).limit(row.limit));
    }
    for whole in rows::WHOLES {
        if is_wanted(whole.name) {
            let cells = whole.contenders.iter();
            let cells = cells.map(|(library, create)| (*library, (whole.measure)(*create)));
            let line = Line::new(whole.name, whole.unit, cells);
            lines.push(line.target(whole.target).limit(whole.limit));
        }
    }
    print("recording", &lines);
    criterion.final_summary();
}
