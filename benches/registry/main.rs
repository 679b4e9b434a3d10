//! Recording into metrics: this crate and its peers, in one run, on the same work.
//! `cargo bench --bench registry`, or with a word of a row's name behind `--`.
//!
//! The table at the end has the fastest sample of each row, its target, the limit of the
//! hardware where there is one, and each peer's figure as a multiple of ours.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod labels;
mod ours;
mod peers;
mod rows;
mod table;
mod work;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    let filter: Vec<String> = std::env::args().skip(1).collect();
    let mut lines = Vec::new();
    for row in rows::rows() {
        if !wanted(&filter, row.name) {
            continue;
        }
        let mut group = criterion.benchmark_group(row.name);
        let mut cells = Vec::new();
        for (library, prepare) in row.contenders {
            let mut run = prepare();
            group.bench_function(library, |bencher| bencher.iter_custom(&mut run));
            cells.extend(table::nanoseconds(row.name, library).map(|ns| (library, ns)));
        }
        group.finish();
        lines.push(table::line(row.name, "ns", row.target, row.limit, cells));
    }
    for whole in rows::wholes() {
        if wanted(&filter, whole.name) {
            let cells = whole.contenders.iter();
            let cells = cells.map(|(library, measure)| (*library, measure()));
            lines.push(table::line(
                whole.name,
                whole.unit,
                whole.target,
                whole.limit,
                cells.collect(),
            ));
        }
    }
    table::print(&lines);
    criterion.final_summary();
}

fn wanted(filter: &[String], name: &str) -> bool {
    let mut words = filter
        .iter()
        .filter(|word| !word.starts_with('-'))
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
}
