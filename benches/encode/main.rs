//! Rendering a registry as Prometheus text: this crate and its peers, in one run, on the same
//! series. `cargo bench -p selfheal-benches --bench encode`
//!
//! Every library renders from live metrics, as at a scrape, and into a buffer that is kept
//! between scrapes where its interface allows that.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod ours;
mod peers;
mod series;

use std::ops::Range;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use selfheal_benches::{Line, criterion_folder, fastest, print};

/// Renders once and returns the length of the page.
type Render = Box<dyn FnMut() -> usize>;

/// A library: its name, and what prepares so many counters or histograms and renders them.
struct Library {
    name: &'static str,
    counters: fn(usize) -> Render,
    histograms: fn(usize) -> Render,
}

const LIBRARIES: [Library; 5] = [
    ours::LIBRARY,
    peers::measured::LIBRARY,
    peers::prometheus_client::LIBRARY,
    peers::prometheus::LIBRARY,
    peers::metrics::LIBRARY,
];

/// Cargo names it while it builds a benchmark, and only then.
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(&criterion_folder(TMPDIR))
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut lines = Vec::new();
    for (count, target, limit) in [
        (1_000, "", "0.016"),
        (10_000, "", "0.17"),
        (100_000, "≤ 2.5", "1.7"),
    ] {
        let work = format!("render {count} counters");
        let prepare = |library: &Library| (library.counters)(count);
        let line = compare(&mut criterion, &work, count, 85..120, prepare);
        lines.extend(line.map(|line| line.target(target).limit(limit)));
    }
    let work = "render 1000 histograms of 12 buckets";
    let prepare = |library: &Library| (library.histograms)(1_000);
    let line = compare(&mut criterion, work, 1_000, 1500..2200, prepare);
    lines.extend(line.map(|line| line.target("≤ 0.35").limit("0.25")));
    ours_in_other_ways(&mut criterion);
    print("rendering", &lines);
    criterion.final_summary();
}

/// Lets every library render `count` series, each of which takes so many bytes.
fn compare(
    criterion: &mut Criterion,
    work: &str,
    count: usize,
    bytes: Range<usize>,
    prepare: impl Fn(&Library) -> Render,
) -> Option<Line> {
    let mut group = criterion.benchmark_group(work);
    group.throughput(Throughput::Elements(count as u64));
    let mut cells = Vec::new();
    for library in &LIBRARIES {
        let mut render = prepare(library);
        let each = render() / count;
        assert!(bytes.contains(&each), "{}: {each} bytes", library.name);
        group.bench_function(BenchmarkId::from_parameter(library.name), |bencher| {
            bencher.iter(&mut render);
        });
        let nanoseconds = fastest(TMPDIR, work, library.name);
        cells.extend(nanoseconds.map(|ns| (library.name, ns / 1e6)));
    }
    let ours = cells
        .first()
        .is_some_and(|cell| cell.0 == LIBRARIES[0].name);
    ours.then(|| Line::new(work, "ms", cells))
}

fn ours_in_other_ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render 100000 counters in other ways");
    for (name, mut render) in ours::other_ways(100_000) {
        group.bench_function(name, |bencher| bencher.iter(&mut render));
    }
}
