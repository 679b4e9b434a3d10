//! Rendering a registry as Prometheus text: this crate and its peers, in one run, on the same
//! series. `cargo bench --bench encode`
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

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

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

fn counters(criterion: &mut Criterion) {
    for count in [1_000, 10_000, 100_000] {
        let mut group = criterion.benchmark_group(format!("render {count} counters"));
        group.throughput(Throughput::Elements(count as u64));
        for library in &LIBRARIES {
            let mut render = (library.counters)(count);
            let line = render() / count;
            assert!((85..120).contains(&line), "{}: {line} bytes", library.name);
            group.bench_function(BenchmarkId::from_parameter(library.name), |bencher| {
                bencher.iter(&mut render);
            });
        }
    }
}

fn histograms(criterion: &mut Criterion) {
    let count = 1_000;
    let mut group = criterion.benchmark_group(format!("render {count} histograms of 12 buckets"));
    group.throughput(Throughput::Elements(count as u64));
    for library in &LIBRARIES {
        let mut render = (library.histograms)(count);
        let lines = render() / count;
        assert!(
            (1500..2200).contains(&lines),
            "{}: {lines} bytes",
            library.name
        );
        group.bench_function(BenchmarkId::from_parameter(library.name), |bencher| {
            bencher.iter(&mut render);
        });
    }
}

fn ours_in_other_ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render 100000 counters in other ways");
    for (name, mut render) in ours::other_ways(100_000) {
        group.bench_function(name, |bencher| bencher.iter(&mut render));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = counters, histograms, ours_in_other_ways
}
criterion_main!(benches);
