//! One request through an axum router of 20 routes, its body read to the end, in process.
//!
//! `cargo bench -p selfheal-benches --bench http` prints a table of all contenders first. `passing` is a
//! layer that does nothing but wrap the body: what axum charges for any layer at all (it
//! boxes the service, the future and the body once more). The difference between it and
//! `ours` is the recording itself.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macro makes the one public item")]

mod contenders;

use std::time::Instant;

use axum::Router;
use criterion::{Criterion, criterion_group, criterion_main};
use selfheal_benches::{Line, print};
use tokio::runtime::Runtime;

use contenders::{OURS, contenders, pass};

/// Nanoseconds for one request, over `n` of them.
async fn time(app: &Router, n: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..n {
        pass(app).await;
    }
    start.elapsed().as_nanos() as f64 / f64::from(n)
}

/// The contenders take turns, so that what else the machine does meets all of them alike, and
/// the median of the turns is told. Criterion measures one after the other, which on a shared
/// machine compares the minutes more than the contenders.
fn table(runtime: &Runtime, contenders: &[(&'static str, Router)]) {
    const ROUNDS: usize = 300;
    let mut turns = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..ROUNDS + 10 {
        for ((_, app), turns) in contenders.iter().zip(&mut turns) {
            let took = runtime.block_on(time(app, 500));
            if round >= 10 {
                turns.push(took);
            }
        }
    }
    let medians: Vec<f64> = turns.iter_mut().map(|turns| median(turns)).collect();
    let cost = |at: usize| (contenders[at].0, medians[at] - medians[0]);
    let ours = contenders.iter().position(|(name, _)| *name == OURS);
    let others = (1..contenders.len()).filter(|at| Some(*at) != ours);
    let cells = ours.into_iter().chain(others).map(cost);
    let line = Line::new("a request, over no layer", "ns", cells).target("≤ 200");
    print(
        "HTTP",
        &[line.limit(format!("no layer at all: {:.0}", medians[0]))],
    );
}

fn median(turns: &mut [f64]) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns[turns.len() / 2]
}

fn one_request(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    // axum-prometheus spawns a task when it is set up.
    let contenders = runtime.block_on(async { contenders() });
    table(&runtime, &contenders);
    let mut group = c.benchmark_group("http");
    for (name, app) in &contenders {
        group.bench_function(*name, |b| {
            // Not `to_async`, which would enter the runtime at each iteration.
            b.iter_custom(|n| {
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..n {
                        pass(app).await;
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, one_request);
criterion_main!(benches);
